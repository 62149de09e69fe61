"""Two sides put in one name, each at a place of its own: it is never there twice in silence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import given, note
from hypothesis import strategies as st

from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath
from tests.properties.held import examples
from tests.properties.test_merges import planned

_NAME = "fresh"
_SIZE = 8


@dataclass(frozen=True, slots=True)
class Form:
    """A file in which there are things of one kind, of different names."""

    path: str
    head: str
    item: str
    """With `%s` for the name."""
    tail: str
    new: tuple[str, ...]
    """Ways to say the new one: of any two, only one may be there."""

    def write(self, *puts: tuple[int, str]) -> bytes:
        """The file, with each text before that item; what goes to one place keeps its order."""
        items = [self.item.replace("%s", f"item{n}") for n in range(_SIZE)]
        for at, text in sorted(puts, key=lambda put: -put[0]):
            items.insert(at, text)
        return (self.head + "".join(items) + self.tail).encode()


_FUNCTION = ("int f(int x)\n{\n", "\treturn 0;\n}\n")
_SWITCH = ("int f(int x)\n{\n\tswitch (x) {\n", "\tdefault:\n\t\tbreak;\n\t}\n\treturn 0;\n}\n")
_CASE = "\tcase %s:\n\t\tgo_%s(x);\n\t\tbreak;\n"
_ENTRY = 'config %s\n\tbool "About it"\n\tdepends on X\n\n'
_NODE = "\t\t%s: dev-%s {\n\t\t\treg = <1>;\n\t\t};\n\n"
_FORMS = (
    Form("d/f.h", "struct s {\n", "\tint %s;\n", "};\n", ("\tint fresh;\n", "\tlong *fresh[2];\n")),
    Form("d/f.h", "enum e {\n", "\t%s,\n", "\tLAST\n};\n", ("\tfresh,\n", "\tfresh = 9,\n")),
    Form("d/f.h", "", "#define %s 1\n", "", ("#define fresh 1\n", "#define fresh(x) (x)\n")),
    Form("d/f.c", "", "static int %s;\n", "", ("static int fresh;\n", "static long fresh = 1;\n")),
    Form("d/f.c", *_FUNCTION[:1], "\tgo(x, %s);\n%s:\n", _FUNCTION[1], ("fresh:\n\tundo(x);\n",)),
    Form("d/f.c", _SWITCH[0], _CASE, _SWITCH[1], ("\tcase fresh:\n\t\tgo(x);\n\t\tbreak;\n",)),
    Form("d/f.c", *_FUNCTION[:1], "\tgo_%s(x);\n", _FUNCTION[1], ("\tgo_now(x, fresh);\n",)),
    Form("d/f.c", "static const struct o o = {\n", "\t.%s = 1,\n", "};\n",
         ("\t.fresh = 1,\n", "\t.fresh = run,\n")),
    Form("d/f.c", "static const struct o o[] = {\n", '\t{ "%s", 1 },\n', "};\n",
         ('\t{ "fresh", 1 },\n', '\t{ "fresh", 2 },\n')),
    Form("d/f.c", "", "EXPORT_SYMBOL(%s);\n", "",
         ("EXPORT_SYMBOL(fresh);\n", "EXPORT_SYMBOL_GPL(fresh);\n")),
    Form("d/f.rs", "struct S {\n", "    %s: u8,\n", "}\n",
         ("    fresh: u8,\n", "    fresh: u16,\n")),
    Form("d/f.rs", "enum S {\n", "    %s,\n", "}\n", ("    fresh,\n", "    fresh(u8),\n")),
    Form("d/f.rs", "impl S {\n", "    fn %s() {\n        go();\n    }\n\n", "}\n",
         ("    fn fresh() {\n        go();\n    }\n\n",
          "    fn fresh() -> u8 {\n        1\n    }\n\n")),
    Form("d/f.rs", "fn f(x: u8) {\n    match x {\n", "        A::%s => go(),\n", "    }\n}\n",
         ("        A::fresh => go(),\n", "        A::fresh => stop(),\n")),
    Form("d/f.rs", "", "use kernel::%s;\n", "", ("use kernel::fresh;\n", "use core::fresh;\n")),
    Form("d/Kconfig", "", _ENTRY, "", (_ENTRY.replace("%s", "fresh"), "config fresh\n\tbool\n\n")),
    Form("d/Kconfig", "config X\n\tbool\n", "\tselect %s\n", "", ("\tselect fresh\n",)),
    Form("d/Makefile", "", "obj-y += %s.o\n", "",
         ("obj-y += fresh.o\n", "obj-$(CONFIG_X) += fresh.o\n")),
    Form("d/Makefile", "x-y := first.o \\\n", "\t%s.o \\\n", "\tlast.o\n", ("\tfresh.o \\\n",)),
    Form("d/f.py", "", "def %s():\n    go()\n\n\n", "",
         ("def fresh():\n    go()\n\n\n", "class fresh(A):\n    pass\n\n\n", "fresh = 1\n")),
    Form("d/f.py", "a = {\n", '    "%s": 1,\n', "}\n", ('    "fresh": 1,\n', "    'fresh': 2,\n")),
    Form("d/f.yaml", "a:\n", "  %s:\n    b: 1\n", "", ("  fresh:\n    b: 1\n", "  fresh: 2\n")),
    Form("d/f.yaml", "a:\n", "  - %s\n", "", ("  - fresh-one\n",)),
    Form("d/f.dts", "/ {\n\tsoc {\n", _NODE, "\t};\n};\n",
         ("\t\tfresh: a {\n\t\t};\n\n", "\t\tfresh: b {\n\t\t\treg = <2>;\n\t\t};\n\n")),
    Form("d/f.dts", "/ {\n\tsoc {\n", _NODE, "\t};\n};\n",
         ("\t\tfresh {\n\t\t};\n\n", "\t\tl: fresh {\n\t\t\treg = <2>;\n\t\t};\n\n")),
    Form("d/f.dts", "/ {\n", "\t%s = <1>;\n", "};\n", ("\tfresh = <1>;\n", "\tfresh;\n")),
)  # fmt: skip


@st.composite
def two_of_one_name(draw: st.DrawFn) -> tuple[Form, bytes, bytes]:
    """A form, and the file as each side has it."""
    form = draw(st.sampled_from(_FORMS))
    sides = list[bytes]()
    for other in ("other1", "other2"):
        puts = [(draw(st.integers(0, _SIZE)), draw(st.sampled_from(form.new)))]
        if draw(st.booleans()):
            puts.append((draw(st.integers(0, _SIZE)), form.item.replace("%s", other)))
        sides.append(form.write(*puts))
    return form, sides[0], sides[1]


@examples(80)
@given(two_of_one_name())
def test_a_name_of_both_sides_is_there_once(case: tuple[Form, bytes, bytes]) -> None:
    form, upstream, patched = case
    note(f"upstream:\n{upstream.decode()}patch:\n{patched.decode()}")
    outcome = planned(form.path, form.write(), upstream, patched)
    if outcome.status is Status.CONFLICT:
        if said := re.search(r" would be .* more than once; line (\d+) has it", outcome.reason):
            line = upstream.splitlines()[int(said[1]) - 1]
            assert _NAME.encode() in line
        return
    file = outcome.tree.read(RepoPath(form.path.encode()))
    assert file
    note(f"{outcome.status.value}:\n{file.data.decode()}")
    assert len(re.findall(rb"\b%b\b" % _NAME.encode(), file.data)) == 1
