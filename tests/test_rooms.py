"""The rooms of the house: who may import whom, and what only one room may do.

The rules are read off the source with ast, so a lazy import counts like any other. Each rule is
itself proven by source that breaks it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kpatch_rs.cli import verbs
from kpatch_rs.kinds import KINDS

TOP = Path(__file__).parents[1]
PACKAGE = TOP / "kpatch_rs"
MODULES = sorted(str(p.relative_to(TOP)) for p in PACKAGE.rglob("*.py"))

GROUND = {"errors", "model"}
BELOW = GROUND | {"kinds", "syntax"}
MAY_IMPORT = {
    "errors": set[str](),
    "model": {"errors"},
    "syntax": GROUND,
    "kinds": GROUND | {"syntax"},
    "engine": BELOW,
    "gitio": BELOW,
    "build": BELOW,
    "mail": BELOW,
    "loader": BELOW,
    "report": GROUND,
    "demo": set[str](),
    "commands": BELOW | {"engine", "gitio", "build", "mail", "loader", "report", "demo"},
    "cli": {"commands", "errors", "report"},
    "__main__": {"cli"},
    "__init__": set[str](),
}
"""Room → the other rooms it may import: one direction, and no door between the rooms of a floor."""

ONLY_IN = {
    "git": {"gitio"},
    "gitdb": {"gitio"},
    "subprocess": {"gitio", "build"},
    "multiprocessing": set[str](),
    "click": {"cli"},
    "rich": {"cli", "report"},
    "tomlkit": {"loader"},
    "tomllib": {"loader", "commands", "syntax"},
    "tree_sitter": {"syntax", "kinds"},
    "tree_sitter_bash": {"syntax"},
    "tree_sitter_c": {"syntax"},
    "tree_sitter_devicetree": {"syntax"},
    "tree_sitter_kconfig": {"syntax"},
    "tree_sitter_python": {"syntax"},
    "tree_sitter_rust": {"syntax"},
    "tree_sitter_toml": {"syntax"},
    "tree_sitter_yaml": {"syntax"},
    "unidiff": {"syntax"},
    "importlib": {"demo", "commands"},
}
"""Library → the only rooms that may import it."""

PURE = {"model", "kinds", "syntax", "engine"}
OUTSIDE_WORLD = {
    *("os", "pathlib", "io", "sys", "shutil", "tempfile", "glob", "socket", "fcntl"),
    *("time", "random", "threading", "asyncio", "logging", "ctypes", "urllib"),
}
"""What a pure room has no use for: files, clocks, chance, the process it runs in."""

ONLY_CLI_CALLS = {
    *("print", "input", "breakpoint", "exit", "quit"),
    *("sys.exit", "os._exit", "os.abort", "os.getenv", "os.putenv"),
}
ONLY_CLI_NAMES = {
    *("os.environ", "os.environb", "sys.argv", "sys.stdin", "sys.stdout", "sys.stderr"),
    "SystemExit",
}
EXCUSED = {("kpatch_rs/gitio/running.py", "os.environ")}
"""GitPython starts git when it is imported, unless a variable says otherwise: written, not read."""
STARTS_PROCESSES = {"os.system", "os.popen", "os.fork", "os.posix_spawn", "pty.spawn"}
MAX_MODULE, MAX_FUNCTION = 500, 50


def room_of(path: str) -> str:
    """The room that `kpatch_rs/…` belongs to."""
    return path.split("/")[1].removesuffix(".py")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each imported module with its line; `from a import b` counts as a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def import_violations(path: str, tree: ast.Module) -> Iterator[str]:
    room = room_of(path)
    for line, name in imports(tree):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if not top:
            yield f"{path}:{line}: relative import; write it absolute"
        elif top == "kpatch_rs" and target in MAY_IMPORT and target != room:
            if target not in MAY_IMPORT[room]:
                yield f"{path}:{line}: {room} imports {target}"
        elif top in ONLY_IN and room not in ONLY_IN[top]:
            yield f"{path}:{line}: {room} imports {top}"
        elif room in PURE and top in OUTSIDE_WORLD:
            yield f"{path}:{line}: {room} is pure and imports {top}"


def name_violations(path: str, tree: ast.Module) -> Iterator[str]:
    room = room_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (called := ast.unparse(node.func)) in STARTS_PROCESSES:
            yield f"{path}:{node.lineno}: {called}() starts a process"
        if room == "cli":
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ONLY_CLI_CALLS:
            yield f"{path}:{node.lineno}: {ast.unparse(node.func)}() outside cli"
        elif isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            if name in ONLY_CLI_NAMES and (path, name) not in EXCUSED:
                yield f"{path}:{node.lineno}: {name} outside cli"
        elif isinstance(node, ast.ImportFrom) and node.module in ("os", "sys"):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            for name in sorted(names & (ONLY_CLI_NAMES | ONLY_CLI_CALLS)):
                yield f"{path}:{node.lineno}: {name} outside cli"


def size_violations(path: str, source: str, tree: ast.Module) -> Iterator[str]:
    if (lines := source.count("\n")) > MAX_MODULE:
        yield f"{path}: {lines} lines, more than {MAX_MODULE}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION:
                yield f"{path}:{node.lineno}: {node.name}() has {length} lines"


def violations(path: str, source: str) -> list[str]:
    """Every rule that `source` breaks, were it the module `path`."""
    tree = ast.parse(source)
    return [
        *import_violations(path, tree),
        *name_violations(path, tree),
        *size_violations(path, source, tree),
    ]


@pytest.mark.parametrize("path", MODULES)
def test_rules_hold(path: str) -> None:
    assert room_of(path) in MAY_IMPORT, "a new room: give it a row in MAY_IMPORT"
    assert violations(path, (TOP / path).read_text()) == []


@pytest.mark.parametrize(
    ("path", "source", "broken"),
    [
        ("model/series.py", "import kpatch_rs.kinds", "model imports kinds"),
        ("model/tree.py", "from pathlib import Path", "model is pure and imports pathlib"),
        ("syntax/c.py", "from kpatch_rs.kinds import KINDS", "syntax imports kinds"),
        ("engine/x.py", "def f():\n    from kpatch_rs.gitio import lock", "engine imports gitio"),
        ("engine/x.py", "from kpatch_rs import build", "engine imports build"),
        ("gitio/x.py", "from kpatch_rs.mail.message import M", "gitio imports mail"),
        ("mail/x.py", "from kpatch_rs.build import ladder", "mail imports build"),
        ("build/x.py", "from kpatch_rs.gitio.objects import R", "build imports gitio"),
        ("loader/x.py", "from kpatch_rs.engine import render", "loader imports engine"),
        ("commands/x.py", "from kpatch_rs import cli", "commands imports cli"),
        ("commands/x.py", "from git import Repo", "commands imports git"),
        ("commands/x.py", "import subprocess", "commands imports subprocess"),
        ("mail/x.py", "import subprocess as s", "mail imports subprocess"),
        ("engine/x.py", "import click", "engine imports click"),
        ("kinds/x.py", "from . import base", "relative import"),
        ("kinds/x.py", "import os.path", "kinds is pure and imports os"),
        ("commands/x.py", "print(1)", "print() outside cli"),
        ("commands/x.py", "import sys\nsys.exit(1)", "sys.exit() outside cli"),
        ("commands/x.py", "from sys import exit", "sys.exit outside cli"),
        ("gitio/x.py", "import os\nos.environ['A']", "os.environ outside cli"),
        ("gitio/x.py", "from os import environ as e", "os.environ outside cli"),
        ("gitio/x.py", "raise SystemExit(1)", "SystemExit outside cli"),
        ("cli.py", "import os\nos.system('x')", "os.system() starts a process"),
        ("model/x.py", "a = 1\n" * 501, "501 lines"),
        ("model/x.py", "def f():\n" + "    a = 1\n" * 50, "f() has 51 lines"),
    ],
)
def test_broken_rule_is_seen(path: str, source: str, broken: str) -> None:
    found = violations(f"kpatch_rs/{path}", source)
    assert len(found) == 1
    assert broken in found[0]


def test_clean_source_passes() -> None:
    source = "import re\nfrom kpatch_rs.model.oid import Oid\nfrom kpatch_rs.errors import Usage\n"
    assert violations("kpatch_rs/gitio/x.py", source) == []


def section(document: str, heading: str) -> str:
    """The text of a document under `## heading`, up to the next one."""
    match = re.search(rf"(?ms)^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", document)
    assert match, f"no section '{heading}'"
    return match[1]


def kinds_named(source: str) -> set[str]:
    """The values of `kind = "…"` in the classes of a module."""
    classes = (n for n in ast.parse(source).body if isinstance(n, ast.ClassDef))
    found = (re.fullmatch("kind = '(.*)'", ast.unparse(n)) for c in classes for n in c.body)
    return {match[1] for match in found if match}


def test_every_kind_is_listed() -> None:
    sources = [path.read_text() for path in (PACKAGE / "kinds").glob("*.py")]
    assert set().union(*map(kinds_named, sources)) == set(KINDS)
    assert kinds_named("class A:\n    kind = 'planted'\n") == {"planted"}


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_complete(kind: str) -> None:
    """CONTRIBUTING: a module, a line in the dict, golden cases, a place in the docs."""
    listed = KINDS[kind]
    assert listed.edit.kind == kind
    assert type(listed).__module__ == f"kpatch_rs.kinds.{kind.replace('-', '_')}"
    assert list((TOP / "tests/golden").glob(f"{kind}-*/edit.toml"))
    assert f"`{kind}`" in section((TOP / "README.md").read_text(), "Recipe kinds")


@pytest.mark.parametrize("name", list(verbs.commands))
def test_verb_help_has_an_example(name: str) -> None:
    verb = verbs.commands[name]
    text = verb.get_help(click.Context(verb, info_name=f"kpatch-rs {name}"))
    example = re.search(r"(?m)^\s*Example: kpatch-rs (.*)$", text)
    assert example
    assert name in example[1].split()
    assert f"`{name}`" in section((TOP / "README.md").read_text(), "Verbs")
