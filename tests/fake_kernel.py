"""A make, an nm and a kernel of a few lines, to test what drives them without a kernel.

The fake make speaks the interface of the real one: O=, .config, tinyconfig, olddefconfig, prepare,
path/x.o, path/x.mod, rust-analyzer, rustavailable, -p. It writes every call to `calls`.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

MAKE = r"""#!{python}
import json, pathlib, re, sys
args = sys.argv[1:]
if args == ["--version"]:
    sys.exit(print("GNU Make 4.3"))
given = dict(a.split("=", 1) for a in args if "=" in a)
targets = [a for a in args if "=" not in a and not a.startswith("-")]
out, tree = pathlib.Path(given["O"]), pathlib.Path.cwd()
with pathlib.Path({calls!r}).open("a") as log:
    log.write(" ".join(targets) + "\n")
dot = out / ".config"

def config():
    lines = dot.read_text().split("\n")
    return dict(l[7:].split("=", 1) for l in lines if l.startswith("CONFIG_"))

def symbols():
    blocks = re.split(r"(?m)^config ", (tree / "Kconfig").read_text())[1:]
    return {{b.split()[0]: re.findall(r"depends on (\w+)", b) for b in blocks}}

def objects(folder, module):
    file, on = tree / folder / "Makefile", config()
    text = file.read_text() if file.exists() else ""
    lists = re.findall(r"(?m)^(\S+?)-(?:y|\$\(CONFIG_(\w+)\))\s*\+?=(.*)$", text)
    found = [o.split() for m, s, o in lists if m == module and (not s or on.get(s, "n") != "n")]
    return [f"{{folder}}/{{o}}" for objects in found for o in objects]

def fail(text):
    print(text)
    sys.exit(2)

for t in targets:
    if t == "tinyconfig":
        if (tree / "broken-tools").exists():
            fail("clang: not found")
        dot.write_text("CONFIG_START=y\n")
    elif t == "olddefconfig":
        wanted, known = config(), symbols()
        kept = {{s: v for s, v in wanted.items() if s in known}}
        for _ in kept:
            kept = {{s: v for s, v in kept.items() if all(d in kept for d in known[s])}}
        dot.write_text("".join(f"CONFIG_{{s}}={{v}}\n" for s, v in kept.items()))
    elif t == "rustavailable":
        said = tree / "rustavailable"
        if said.exists():
            print(said.read_text())
            sys.exit(0 if "too new" in said.read_text() else 1)
    elif t == "prepare":
        if (tree / "rustavailable").exists():
            fail("error: Found argument '--blacklist-type' which wasn't expected")
    elif t == "rust-analyzer":
        roots = (tree / "roots").read_text().split() if (tree / "roots").exists() else []
        crates = [{{"root_module": str(tree / r)}} for r in roots]
        (out / "rust-project.json").write_text(json.dumps({{"crates": crates}}))
    elif t.endswith(".mod"):
        folder, path = pathlib.Path(t).parent, out / t
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(o + "\n" for o in objects(folder, path.stem)))
        if "-p" in args:
            print("real-obj-y :=", *objects(folder, "obj"))
    elif t.endswith(".o"):
        found = [s for e in (".c", ".rs") if (s := tree / (t[:-2] + e)).exists()]
        if not found and not (out / t).exists():
            fail(f"make[1]: *** No rule to make target '{{t}}'.  Stop.")
        if found:
            text = found[0].read_text()
            if "BROKEN" in text:
                print("error[E0425]: cannot find value `__LOG_PREFIX` in the crate root")
                print(f"  --> {{tree}}/x.rs:1:1")
                fail(f"make[1]: *** [Makefile:1: {{t}}] Error 1")
            on = config()
            lines = [l.split() for l in text.split("\n") if l[:2] in ("T ", "U ")]
            lines += [["T", f] for f in re.findall(r'extern "C" fn (\w+)', text)]
            path = out / t
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(
                "".join(f"{{k}} {{n}}\n" for k, n, *s in lines if not s or s[0] in on)
            )
"""

NM = '#!/bin/sh\n[ "$1" = --version ] && echo nm 2.40 && exit\nexec /bin/cat "$1"\n'
TOOL = "#!/bin/sh\necho {name} version 1.2.3\n"


class FakeKernel:
    """A folder of fake tools, a kernel tree, and an O= folder."""

    def __init__(self, folder: Path) -> None:
        self.tree, self.out = folder / "tree", folder / "out"
        self.bin, self.calls_file = folder / "bin", folder / "calls"
        for made in (self.tree, self.bin):
            made.mkdir(parents=True)
        self.tool("make", MAKE.format(python=sys.executable, calls=str(self.calls_file)))
        for name in ("nm", "llvm-nm"):
            self.tool(name, NM)
        for name in ("clang", "ld.lld", "gcc", "ld", "flex", "bison", "bc", "rustc", "bindgen"):
            self.tool(name, TOOL.format(name=name))

    def tool(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.bin)}

    def calls(self) -> list[str]:
        """The targets of every make since the last look."""
        text = self.calls_file.read_text() if self.calls_file.exists() else ""
        self.calls_file.unlink(missing_ok=True)
        return text.split("\n")[:-1]

    def checkout(self, files: Mapping[str, str]) -> None:
        shutil.rmtree(self.tree)
        for name, text in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
