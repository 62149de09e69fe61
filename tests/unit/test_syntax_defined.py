"""What one language calls a definition, and that a second one is told from a first."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.defined import made_twice

C = b"""\
#include <linux/of.h>

#define FIRST 1

struct gadget {
	int one;
	@1
	struct { int x; } inner;
	int two;
	@2
};

enum colour {
	RED,
	@3
	GREEN,
	@4
};
@5
static const struct of_device_id ids[] = {
	{ .compatible = "maker,one" },
	@6
	{ .compatible = "maker,two" },
	@7
	{ }
};
@8
static const struct ops ops = {
	.open = gadget_open,
	@9
	.close = gadget_close,
	@10
};

int gadget_do(struct gadget *g, int cmd)
{
	int ret;
	@11
	char __user *p;
	@12

	gadget_prepare(g);
	@13
	switch (cmd) {
	case CMD_ONE:
		gadget_one(g);
		break;
	@14
	case CMD_TWO:
		break;
	@15
	}
	@16
	if (ret)
		return ret;
	@17
	return 0;
}
EXPORT_SYMBOL(gadget_do);
@18
MODULE_AUTHOR("Somebody");
@19
"""

DTS = b"""\
/dts-v1/;
/ {
	model = "Board";
	@1
	soc: soc {
		#address-cells = <1>;
		@2
		serial@1 {
			reg = <1>;
			@3
		};
		i2c@2 {
			reg = <2>;
			@4
		};
		@5
	};
	@6
};
@7
&uart1 {
	status = "okay";
	@8
};
@9
"""

RUST = b"""\
use kernel::prelude::*;
@1
const ONE: u8 = 1;
struct Gadget {
    one: u8,
    @2
    two: u8,
    @3
}
enum Colour {
    Red,
    @4
    Green,
    @5
}
impl Gadget {
    fn one(&self) -> u8 {
        self.prepare();
        @6
        match self.one {
            1 => 2,
            @7
            2 => 3,
            @8
        }
        @9
    }
    @10
}
@11
"""

PYTHON = b"""\
import os
@1
TABLE = {
    "one": 1,
    @2
    "two": 2,
    @3
}
LIST = [
    ("first", 1),
    @4
    ("second", 2),
    @5
]
class Gadget:
    def one(self):
        self.prepare()
        @6
        return 1
    @7
    def two(self):
        return 2
    @8
@9
"""

KCONFIG = b"""\
config ONE
	bool "One"
	depends on A
	@1
	select B
	@2
@3
config TWO
	bool "Two"
@4
source "drivers/one/Kconfig"
@5
"""

YAML = b"""\
properties:
  compatible:
    enum:
      - maker,one
      @1
      - maker,two
      @2
  reg:
    maxItems: 1
    @3
  @4
  clocks:
    maxItems: 1
  @5
required:
  - compatible
  @6
  - clocks
  @7
"""

MAKE = b"""\
obj-y += one.o
@1
obj-y += two.o \\
	three.o
@2
ifdef CONFIG_X
obj-y += x.o
@3
endif
@4
"""

MAINTAINERS = b"""\
Maintainers List
----------------

GADGETS
M:	Somebody <somebody@example.org>
@1
S:	Maintained
F:	drivers/one/
@2

@3
ZEBRAS
S:	Maintained
@4
"""

FILES = {
    "k/gadget.c": C,
    "k/gadget.dts": DTS,
    "k/gadget.rs": RUST,
    "k/gadget.py": PYTHON,
    "k/Kconfig": KCONFIG,
    "k/gadget.yaml": YAML,
    "k/Makefile": MAKE,
    "MAINTAINERS": MAINTAINERS,
}

DOUBLES = [
    ("k/gadget.c", 1, 2, "int fresh;", "member fresh"),
    ("k/gadget.c", 1, 2, "void (*fresh)(int), *other;", "member fresh"),
    ("k/gadget.c", 3, 4, "BLUE,", "enumerator BLUE"),
    ("k/gadget.c", 5, 8, "static int fresh[] = {\n\t1,\n};", "variable fresh"),
    ("k/gadget.c", 5, 18, "struct fresh {\n\tint a;\n};", "type fresh"),
    ("k/gadget.c", 5, 18, "enum fresh {\n\tNEW_A,\n};", "type fresh"),
    ("k/gadget.c", 5, 18, "typedef int (*fresh_t)(int);", "typedef fresh_t"),
    ("k/gadget.c", 5, 18, "#define FRESH(x) (x)", "define FRESH"),
    ("k/gadget.c", 5, 18, "#include <linux/fresh.h>", "include <linux/fresh.h>"),
    ("k/gadget.c", 5, 18, "extern int fresh(void);", "declaration fresh"),
    ("k/gadget.c", 5, 18, "static DEFINE_MUTEX(fresh);", "variable fresh"),
    ("k/gadget.c", 5, 18, "static int *const fresh = &a;", "variable fresh"),
    ("k/gadget.c", 5, 18, "static const DECLARE_TLV(a, 1);", "call DECLARE_TLV(a, 1);"),
    ("k/gadget.c", 5, 18, "DEFINE_MUTEX(fresh);", "call DEFINE_MUTEX(fresh);"),
    ("k/gadget.c", 5, 18, "static int __init fresh(void)\n{\n\treturn 1;\n}", "function fresh"),
    ("k/gadget.c", 6, 7, '{ .compatible = "maker,new" },', 'entry { .compatible = "maker,new" }'),
    ("k/gadget.c", 6, 7, "{ PCI_DEVICE(1, 2), 3 },", "row { PCI_DEVICE(1, 2)"),
    ("k/gadget.c", 9, 10, ".fresh = gadget_fresh,", "initializer .fresh"),
    ("k/gadget.c", 9, 10, "[FRESH] = gadget_fresh,", "initializer [FRESH]"),
    ("k/gadget.c", 11, 12, "struct gadget *fresh = NULL;", "variable fresh"),
    (
        "k/gadget.c",
        5,
        18,
        'static GATE(fresh, "x",\n\t\tBIT(2), 0);',
        'call GATE(fresh, "x", BIT(2), 0);',
    ),
    ("k/gadget.c", 14, 15, "case CMD_NEW:\n\t\treturn 5;", "case CMD_NEW"),
    ("k/gadget.c", 14, 15, "default:\n\t\treturn 5;", "case default"),
    ("k/gadget.c", 13, 17, "gadget_fresh(g, cmd);", "statement gadget_fresh(g, cmd);"),
    ("k/gadget.c", 13, 17, "kick(g);", "statement kick(g);"),
    ("k/gadget.c", 13, 17, "f();", "statement f();"),
    (
        "k/gadget.c",
        13,
        17,
        "while (kick(g))\n\t\trelax();",
        "statement while (kick(g)) relax();",
    ),
    (
        "k/gadget.c",
        13,
        17,
        "for (i = 0; i < 9; i++)\n\t\tkick(i);",
        "statement for (i = 0; i < 9; i++) kick(i);",
    ),
    ("k/gadget.c", 16, 17, "out_fresh:", "label out_fresh"),
    ("k/gadget.c", 18, 19, "EXPORT_SYMBOL_GPL(fresh);", "call EXPORT_SYMBOL(fresh)"),
    ("k/gadget.c", 18, 19, 'MODULE_LICENSE("GPL");', "call MODULE_LICENSE"),
    ("k/gadget.c", 18, 19, "MODULE_DEVICE_TABLE(of, ids);", "call MODULE_DEVICE_TABLE(of, ids);"),
    ("k/gadget.c", 18, 19, "module_init(fresh);", "call module_init"),
    ("k/gadget.c", 18, 19, "module_param(fresh, int, 0);", "call module_param(fresh)"),
    ("k/gadget.c", 18, 19, 'MODULE_PARM_DESC(fresh, "");', "call MODULE_PARM_DESC(fresh)"),
    ("k/gadget.c", 5, 18, "TRACE_EVENT(fresh,\n\tTP_PROTO(int a));", "call TRACE_EVENT(fresh)"),
    ("k/gadget.dts", 1, 6, "fresh = <1>;", "property fresh"),
    ("k/gadget.dts", 2, 5, "serial@9 {\n\t};", "node serial@9"),
    ("k/gadget.dts", 2, 4, "fresh: serial@9 {\n\t};", "label fresh"),
    ("k/gadget.dts", 7, 9, "&uart9 {\n\tx;\n};", "reference &uart9 { x; };"),
    ("k/gadget.dts", 7, 9, "&uart1 {\n\tx;\n};", "reference &uart1 { x; };"),
    ("k/gadget.dts", 7, 9, "/ {\n\tfresh {\n\t};\n};", "node fresh"),
    ("k/gadget.rs", 1, 11, "use kernel::fresh;", "use kernel::fresh"),
    ("k/gadget.rs", 1, 11, "use kernel::{new::fresh, other as one};", "import fresh"),
    ("k/gadget.rs", 1, 11, "use kernel::{new::fresh, other as one};", "import one"),
    ("k/gadget.rs", 1, 11, 'extern "C" {\n    fn fresh();\n}', "function fresh"),
    ("k/gadget.rs", 1, 11, "module! {\n    type: Fresh,\n}", "call module!"),
    ("k/gadget.rs", 1, 11, "const FRESH: u8 = 1;", "constant FRESH"),
    ("k/gadget.rs", 1, 11, "mod fresh;", "type fresh"),
    ("k/gadget.rs", 1, 10, "impl Gadget {\n    fn one(&self) {}\n}", "function one"),
    ("k/gadget.rs", 2, 3, "pub fresh: u8,", "member fresh"),
    ("k/gadget.rs", 4, 5, "Blue(u8),", "variant Blue"),
    ("k/gadget.rs", 6, 9, "self.fresh(one, two);", "statement self.fresh(one, two);"),
    ("k/gadget.rs", 7, 8, "3 => 4,", "arm 3"),
    ("k/gadget.py", 1, 9, "import fresh", "use import fresh"),
    ("k/gadget.py", 2, 3, '"fresh": 3,', "key fresh"),
    ("k/gadget.py", 1, 9, "FRESH = 1", "name FRESH"),
    ("k/gadget.py", 7, 8, "fresh = 1", "name fresh"),
    ("k/gadget.py", 4, 5, '("fresh", 3),', 'entry ("fresh", 3)'),
    ("k/gadget.py", 7, 8, "def fresh(self):\n        return 1", "name fresh"),
    ("k/Kconfig", 1, 2, "select FRESH if X", "line select FRESH if X"),
    ("k/Kconfig", 1, 2, "depends on FRESH", "line depends on FRESH"),
    ("k/Kconfig", 3, 5, 'config FRESH\n\tbool "Fresh"\n', "symbol FRESH"),
    ("k/Kconfig", 4, 5, 'source "drivers/fresh/Kconfig"', 'line source "drivers/fresh/Kconfig"'),
    ("k/gadget.yaml", 4, 5, "fresh:\n    maxItems: 1", "key fresh"),
    ("k/gadget.yaml", 1, 2, "- maker,new", "entry - maker,new"),
    ("k/gadget.yaml", 6, 7, "- fresh-names", "entry - fresh-names"),
    ("k/Makefile", 1, 2, "obj-y += fresh.o", "object fresh.o"),
    ("k/Makefile", 1, 2, "ccflags-y += -DFRESH", "entry -DFRESH"),
    ("k/Makefile", 1, 3, "obj-y += fresh.o", "part fresh.o of obj"),
    ("MAINTAINERS", 1, 2, "R:\tFresh <fresh@example.org>", "line R: Fresh <fresh@example.org>"),
    ("MAINTAINERS", 3, 4, "\nFRESH\nS:\tMaintained\n", "section FRESH"),
]


def filled(path: str, **holes: str) -> bytes:
    """The file with text in some of its places; nothing stands at any other."""
    lines = FILES[path].split(b"\n")
    said = {f"@{n.removeprefix('at')}".encode(): text.encode() for n, text in holes.items()}
    kept = (line for line in lines if not line.strip().startswith(b"@") or line.strip() in said)
    return b"\n".join(
        line.replace(line.strip(), said[line.strip()]) if line.strip() in said else line
        for line in kept
    )


def found(path: str, base: bytes, patched: bytes, there: bytes, now: bytes) -> list[str]:
    doubles = made_twice(RepoPath(path.encode()), (base, patched), (there, now))
    return [f"{d.what.kind} {d.what.name.decode()}" for d in doubles]


@pytest.mark.parametrize(("path", "one", "other", "text", "what"), DOUBLES)
def test_what_both_put_in_is_there_twice(
    path: str, one: int, other: int, text: str, what: str
) -> None:
    for mine, theirs in ((one, other), (other, one)):
        patched, there = filled(path, **{f"at{mine}": text}), filled(path, **{f"at{theirs}": text})
        now = filled(path, **{f"at{one}": text, f"at{other}": text})
        assert what in found(path, filled(path), patched, there, now)
        assert found(path, filled(path), patched, patched, patched) == []


APART = [
    ("k/gadget.c", 5, 18, "static int a_%b(void)\n{\n\treturn FRESH(fresh);\n}"),
    ("k/gadget.c", 5, 18, "struct a_%b {\n\tint fresh;\n\tunion {\n\t\tint a;\n\t};\n};"),
    ("k/gadget.c", 5, 18, "static struct ops a_%b = {\n\t.fresh = 1,\n\t.a = &fresh_thing,\n};"),
    ("k/gadget.c", 14, 15, "case CMD_%b:\n\t\tgadget_fresh(g, cmd);\n\t\tbreak;"),
    ("k/gadget.c", 13, 17, "for (int fresh = 0; fresh; fresh++)\n\t\ta_%b(fresh);"),
    ("k/gadget.c", 13, 17, "if (ret < 0)\n\t\treturn ret;\n\ta_%b(fresh);"),
    ("k/gadget.c", 13, 17, "if (a_%b(ret)) {\n\t\tint fresh = 1;\n\n\t\tret = -EAGAIN;\n\t}"),
    ("k/gadget.c", 13, 17, "switch (a_%b(ret)) {\n\tcase CMD_NEW:\n\t\tbreak;\n\t}"),
    ("k/gadget.c", 18, 19, 'MODULE_ALIAS("%b");'),
    ("k/gadget.dts", 3, 4, "fresh = <1>;\n\tport@0 {\n\t};"),
    ("k/gadget.dts", 7, 9, "&a_%b {\n\tfresh;\n};"),
    ("k/gadget.rs", 1, 11, "impl %b {\n    const FRESH: u8 = 1;\n}"),
    ("k/gadget.py", 1, 9, "class %b:\n    def fresh(self):\n        pass"),
    ("k/gadget.py", 1, 9, "if %b:\n    fresh = 1\n    def other(): pass"),
    ("k/Kconfig", 3, 5, "config %b\n\tbool\n\tdepends on FRESH\n"),
    ("k/gadget.yaml", 4, 5, "a-%b:\n    maxItems: 1"),
    ("k/Makefile", 1, 3, "FRESH := %b"),
    ("k/Makefile", 1, 2, "%b-y += fresh.o"),
]


@pytest.mark.parametrize(("path", "one", "other", "text"), APART)
def test_the_same_in_two_places_of_its_own_is_not_there_twice(
    path: str, one: int, other: int, text: str
) -> None:
    mine, theirs = ({f"at{n}": text.replace("%b", name)} for n, name in ((one, "A"), (other, "B")))
    sides = (
        filled(path),
        filled(path, **mine),
        filled(path, **theirs),
        filled(path, **mine, **theirs),
    )
    assert found(path, *sides) == []


UNLIKE = [
    ("k/gadget.c", 5, 18, "static int fresh;", "static int fresh(void)\n{\n}", "variable fresh"),
    ("k/gadget.c", 5, 18, "typedef int fresh;", "enum e {\n\tfresh,\n};", "typedef fresh"),
    ("k/gadget.c", 3, 5, "FRESH,", "#define FRESH 1", "constant FRESH"),
    (
        "k/gadget.c",
        5,
        18,
        'early_param("fresh", a);',
        'early_param("fresh", b);',
        "call early_param(fresh)",
    ),
    ("k/gadget.c", 5, 18, '__setup("fresh=", a);', '__setup("fresh=", b);', "call __setup(fresh)"),
    (
        "k/gadget.c",
        5,
        18,
        "static DEVICE_ATTR_RO(fresh);",
        "static DEVICE_ATTR_RW(fresh);",
        "call DEVICE_ATTR(fresh)",
    ),
    ("k/gadget.c", 6, 7, '{ "maker,new", 1 },', '{ "maker,new", 2 },', 'row { "maker,new"'),
    (
        "k/gadget.c",
        18,
        19,
        "module_param(x, int, 0);",
        "module_param(x, uint, 1);",
        "call module_param(x)",
    ),
    ("k/gadget.dts", 7, 9, "&uart9 {\n\tx = <1>;\n};", "&uart9 {\n\tx;\n};", "override x"),
    ("k/gadget.dts", 8, 9, "fresh = <1>;", "&uart1 {\n\tfresh = <2>;\n};", "override fresh"),
    ("k/gadget.rs", 1, 11, "use kernel::{a, fresh};", "use kernel::a::fresh;", "import fresh"),
    ("k/gadget.rs", 1, 11, "pub use kernel::fresh;", "use kernel::x as fresh;", "import fresh"),
    (
        "k/gadget.py",
        7,
        8,
        "fresh = 1",
        "@property\n    def fresh(self):\n        pass",
        "name fresh",
    ),
    ("k/gadget.py", 2, 3, '"fresh": 1,', "'fresh': 2,", "key fresh"),
    (
        "k/Makefile",
        1,
        2,
        "obj-$(CONFIG_A) += fresh.o",
        "obj-$(CONFIG_B) += fresh.o",
        "part fresh.o of obj",
    ),
    ("k/Makefile", 1, 2, "x-objs := fresh.o", "x-y := fresh.o", "part fresh.o of x"),
    ("k/Makefile", 1, 2, "CFLAGS_one.o := -DA", "CFLAGS_one.o := -DB", "variable CFLAGS_one.o"),
    ("k/gadget.yaml", 4, 5, "fresh: 1", '"fresh": 2', "key fresh"),
]


@pytest.mark.parametrize(("path", "one", "other", "mine", "theirs", "what"), UNLIKE)
def test_one_name_is_one_name_whatever_it_is_given_to(
    path: str, one: int, other: int, mine: str, theirs: str, what: str
) -> None:
    now = filled(path, **{f"at{one}": mine, f"at{other}": theirs})
    patched, there = filled(path, **{f"at{one}": mine}), filled(path, **{f"at{other}": theirs})
    names = found(path, filled(path), patched, there, now)
    assert what in names


def test_a_device_tree_may_say_the_same_of_a_node_twice_and_never_within_one_block() -> None:
    path, said = "k/gadget.dts", "&uart9 {\n\tfresh;\n%s};"
    mine, theirs = {"at7": said % "\tother;\n"}, {"at9": said % ""}
    sides = (filled(path, **mine), filled(path, **theirs), filled(path, **mine, **theirs))
    assert found(path, filled(path), *sides) == []
    both = said % "\tfresh;\n"
    sides = (filled(path, at7=said % ""), filled(path, at7=said % ""), filled(path, at7=both))
    assert found(path, filled(path), *sides) == ["property fresh"]
    root = "/ {\n\t%s {\n\t};\n};"
    three = {"at7": root % "a", "at9": root % "b"}
    assert (
        found(
            path,
            filled(path),
            filled(path, at7=three["at7"]),
            filled(path, at9=three["at9"]),
            filled(path, **three),
        )
        == []
    )


ARMS = b"""\
#ifdef CONFIG_GADGET
%b
#else
%b
#endif
"""


def test_the_arms_of_a_conditional_may_say_the_same() -> None:
    one, other = (
        b"static int fresh(void)\n{\n\treturn 1;\n}",
        b"static int fresh(void) { return 0; }",
    )
    base, path = ARMS % (b"", b""), "k/gadget.h"
    assert found(path, base, ARMS % (one, b""), ARMS % (b"", other), ARMS % (one, other)) == []
    now = ARMS % (one, one + b"\n" + other)
    assert found(path, base, ARMS % (one, one), ARMS % (b"", other), now) == ["function fresh"]
    inverse = (
        b"#ifndef CONFIG_GADGET\nint fresh;\n#endif\n#ifdef CONFIG_GADGET\nint fresh;\n#endif\n"
    )
    assert found(path, b"", b"int a;\n", b"int fresh;\n", inverse) == []


def test_what_the_change_has_twice_itself_or_the_kernel_had_is_no_news() -> None:
    path, arm, both = "k/gadget.c", b"#ifdef A%d\nint fresh;\n#endif\n", b""
    both = arm % 1 + arm % 2
    assert found(path, b"", both, b"int old;\n", both) == []
    assert found(path, b"", b"int a;\n", both, both + b"int a;\n") == []
    assert found(path, b"", both, arm % 3, both + arm % 3) == ["variable fresh"]


def test_a_statement_that_was_there_before_both_is_said_more_than_once() -> None:
    path, unlock = "k/gadget.c", "mutex_unlock(&g->gadget_lock);"
    base = filled(path, at16=unlock)
    mine, theirs = (filled(path, at16=unlock, **{f"at{n}": unlock}) for n in (13, 17))
    assert (
        found(path, base, mine, theirs, filled(path, at16=unlock, at13=unlock, at17=unlock)) == []
    )


def test_without_the_change_itself_only_what_can_stand_once_counts() -> None:
    field, call = "int fresh;", "gadget_fresh(g, cmd);"
    there, now = filled("k/gadget.c", at2=field), filled("k/gadget.c", at1=field, at2=field)
    (double,) = made_twice(RepoPath(b"k/gadget.c"), None, (there, now))
    assert (double.what.kind, double.what.scope, double.what.name) == (
        "member",
        b"struct gadget",
        b"fresh",
    )
    assert there.split(b"\n")[double.line - 1].strip() == field.encode()
    there, now = filled("k/gadget.c", at13=call), filled("k/gadget.c", at13=call, at17=call)
    assert list(made_twice(RepoPath(b"k/gadget.c"), None, (there, now))) == []
    there, now = filled("k/gadget.c"), filled("k/gadget.c", at1=field, at2=field)
    assert list(made_twice(RepoPath(b"k/gadget.c"), None, (there, now))) == [], "both are its own"


def test_a_file_that_does_not_parse_counts_for_what_of_it_does() -> None:
    broken = C + b"struct { ( ;\n" + C.replace(b"gadget", b"widget")
    at = {f"@{n}".encode() for n in range(20)}
    lines = [line for line in broken.split(b"\n") if line.strip() not in at]
    there = b"\n".join(lines).replace(b"int two;", b"int two;\n\tint fresh;")
    now = there.replace(b"int one;", b"int one;\n\tint fresh;")
    names = found("k/gadget.c", b"\n".join(lines), b"\n".join(lines), there, now)
    assert names.count("member fresh") == 2


def test_a_language_nobody_reads_defines_nothing() -> None:
    assert found("k/gadget.txt", b"", b"a\n", b"a\n", b"a\na\n") == []
