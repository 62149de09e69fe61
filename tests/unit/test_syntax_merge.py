"""Clashes that have one answer, and those that must stay open."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.syntax.merge import Clash, settled, unpaired

C, KCONFIG, TEXT = map(repo_path, ("kernel/fork.c", "arch/x86/Kconfig", "Documentation/a.rst"))
MAKE = repo_path("Makefile")


def settle(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    path: RepoPath = C,
    above: bytes = b"int a;\n",
    below: bytes = b"int z;\n",
) -> bytes | None:
    whole = settled((above, Clash(base, ours, theirs), below), path)
    return None if whole is None else whole.removeprefix(above).removesuffix(below)


BODY = b"void f(void)\n{\n\tint a;\n\n"


def test_a_word_each() -> None:
    """arch/mips/kernel/fpu-probe.c, 6.1 to 6.12: upstream added to what the patch names."""
    assert (
        settle(
            b"static enum { STRICT, LEGACY } mode = STRICT;\n",
            b"static enum { STRICT, EMULATED, LEGACY } mode = STRICT;\n",
            b"enum modes { STRICT, LEGACY };\nstatic enum modes mode = STRICT;\n",
        )
        == b"enum modes { STRICT, EMULATED, LEGACY };\nstatic enum modes mode = STRICT;\n"
    )


def test_two_changes_of_one_word_stay_open() -> None:
    assert settle(b"a = one;\n", b"a = two;\n", b"a = three;\n") is None
    assert settle(b"f(a, b);\n", b"f(a, c, b);\n", b"f(a, d, b);\n") is None
    assert settle(b"f(a b);\n", b"f(a x b);\n", b"f(b);\n") is None, "they touch"


def test_a_line_beside_a_reworded_one() -> None:
    base, theirs = b"MODULE_ALIAS(PF);\n", b"/* MODULE_ALIAS(PF); */\n"
    ours = b'MODULE_DESCRIPTION("x");\n' + base
    assert settle(base, ours, theirs) == b'MODULE_DESCRIPTION("x");\n' + theirs


def test_a_line_beside_another_that_took_a_ones_place_stays_open() -> None:
    base = b"\told_call(with, these);\n"
    ours, theirs = b"\tnothing = like + it;\n", base + b"\tmine();\n"
    assert settle(base, ours, theirs, above=BODY) is None


def test_what_went_leaves_no_place_in_a_function() -> None:
    """fs/btrfs/disk-io.c, 6.1 to 6.12: what the patch's lines came before is in another file."""
    gone = b"\tapply_pending(fs);\n\n"
    theirs = b"\twarn(fs);\n\n" + gone
    assert settle(gone, b"", theirs, above=BODY) is None
    assert settle(gone, b"", theirs, MAKE) is None
    assert settle(gone, b"", theirs, TEXT) == b"\twarn(fs);\n\n"


def test_entries_of_kconfig_are_whole_or_stay_open() -> None:
    gone, entry = b"config OLD\n\tbool\n\n", b"config MINE\n\tbool\n\n"
    assert settle(gone, b"", entry + gone, KCONFIG) == entry
    assert settle(gone, b"", b"endchoice\n\n" + gone, KCONFIG) is None


def test_declarations_in_one_place_need_no_order() -> None:
    assert settle(b"", b"int b;\n", b"int c;\n") == b"int c;\nint b;\n"
    assert settle(b"", b"int b;\n", b"#define C 1\n") is None
    assert settle(b"", b"\tb();\n", b"\tc();\n", above=BODY) is None
    assert settle(b"", b"int b;\n", b"void f(void)\n{\n") is None


SORTED = b"#include <linux/a.h>\n#include <linux/b.h>\n#include <linux/c.h>\n"


@pytest.mark.parametrize(
    ("above", "base", "ours", "theirs", "want"),
    [
        (SORTED, b"", b"<linux/m.h>", b"<linux/f.h>", b"<linux/f.h> <linux/m.h>"),
        (SORTED, b"", b"<linux/m.h>", b"<asm/f.h>", None),
        (b"#include <z.h>\n", b"", b"<m.h>", b"<f.h>", b"<m.h> <f.h>"),
        (b"#include <z.h>\n", b"", b"<m.h>", b"<m.h> <f.h>", b"<m.h> <f.h>"),
        (SORTED, b"<linux/d.h>", b"<linux/d.h> <linux/x.h>", b"<linux/d.h> <linux/e.h>",
         b"<linux/d.h> <linux/e.h> <linux/x.h>"),
        (SORTED, b"<linux/d.h>", b"<linux/x.h>", b"<linux/e.h>", None),
        (SORTED, b"<linux/d.h>", b"", b"<linux/d.h> <linux/e.h>", b"<linux/e.h>"),
    ],
)  # fmt: skip
def test_includes_are_merged_as_a_list(
    above: bytes, base: bytes, ours: bytes, theirs: bytes, want: bytes | None
) -> None:
    def lines(names: bytes) -> bytes:
        return b"".join(b"#include %s\n" % name for name in names.split())

    made = settle(lines(base), lines(ours), lines(theirs), above=above)
    assert made == (None if want is None else lines(want))


def test_objects_are_merged_as_a_list() -> None:
    above = b"obj-$(CONFIG_A) += a.o\nobj-$(CONFIG_Q) += q.o\nobj-$(CONFIG_B) += b.o\n"
    ours, theirs = b"obj-$(CONFIG_N) += n.o\n", b"obj-$(CONFIG_M) += m.o\n"
    assert settle(b"", ours, theirs, MAKE, above) == ours + theirs
    assert settle(b"", ours, b"kvm-y += m.o\n", MAKE, above) is None
    assert settle(b"", b"\tn.o \\\n", b"\tm.o \\\n", MAKE, b"kvm-y := x.o \\\n\ta.o \\\n") == (
        b"\tn.o \\\n\tm.o \\\n"
    )


def test_selects_are_merged_where_the_nearest_are_in_order() -> None:
    """arch/arm/Kconfig, 6.1 to 6.12: nearly sorted, but for lines like the last one."""
    above = b"config ARM\n\tbool\n\tselect ARCH_A\n\tselect ARCH_SUPPORTS_CFI if X\n"
    below = b"\tselect ARCH_USE_B\n\tselect ARCH_USE_C\n\tselect ARCH_D\n"
    ours, theirs = b"\tselect ARCH_SUPPORTS_RT if Y\n", b"\tselect ARCH_SUPPORTS_HUGE\n"
    assert settle(b"", ours, theirs, KCONFIG, above, below) == theirs + ours
    gone = b"\tselect ARCH_T\n"
    assert settle(gone, b"", ours + gone, KCONFIG, above, below) == ours
    assert settle(b"", b"\tdefault y\n", ours, KCONFIG, above, below) is None


def test_modules_and_files_are_merged_as_lists() -> None:
    above, below = b"pub mod alloc;\npub mod block;\n", b"pub mod error;\n"
    mine, theirs = b"pub mod cred;\n", b"pub mod build;\n"
    assert settle(b"", mine, theirs, RepoPath(b"lib.rs"), above, below) == theirs + mine
    above, below = b"X\nF:\tarch/x86/kvm/\nF:\tvirt/a\n", b"F:\tvirt/z\n"
    mine, theirs = b"F:\tvirt/rust\n", b"F:\tvirt/kvm\n"
    assert settle(b"", mine, theirs, RepoPath(b"MAINTAINERS"), above, below) == theirs + mine


def test_whole_entries_go_whatever_became_of_them() -> None:
    """drivers/video/fbdev/Kconfig, 6.1 to 6.12: Debian takes the entries out."""
    a, b, c = (b"config %b\n\tbool\n" % name for name in (b"A", b"B", b"C"))
    base, ours = a + b, a + b + b"\tselect MORE\n"
    assert settle(base, ours, b"", KCONFIG) == b""
    assert settle(base, ours + c, b"", KCONFIG) is None, "one of them is new"
    assert settle(base, a, b"", KCONFIG) == b"", "one of them went already"
    part = b"\tdefault n\n" + b
    assert settle(part, part + b"\tselect MORE\n", b"", KCONFIG) is None, "of one of them a part"
    assert settle(base, ours.replace(b"bool", b"int", 1), b"", TEXT) is None


def test_entries_are_merged_where_they_are_sorted() -> None:
    entries = b"enum x {\n\tA_A,\n\tA_B,\n\tA_C,\n"
    assert settle(b"", b"\tA_N,\n", b"\tA_F,\n", above=entries) == b"\tA_F,\n\tA_N,\n"
    assert settle(b"", b"\tA_N,\n", b"\tA_F,\n", above=b"enum x {\n\tQ,\n\tA,\n") is None
    call = BODY + b"\tf(\n\taa,\n\tab,\n\tac,\n"
    assert settle(b"", b"\tan,\n", b"\taf,\n", above=call) is None, "arguments are no list"


@pytest.mark.parametrize("mine", [b"\tefi_set();\n\n"])
def test_a_blank_line_orders_statements(mine: bytes) -> None:
    """arch/x86/kernel/setup.c, 6.1 to 6.12: the paragraph stands before the next one's new head."""
    assert settle(b"", b"\treserve();\n", mine, above=BODY) == mine + b"\treserve();\n"
    assert settle(b"", b"\treserve();\n\n", mine, above=BODY) is None


def test_what_both_did_is_done_once() -> None:
    base = b"one = 1;\nkept;\ntwo = 2;\nthree = 3;\n"
    ours = b"one = 1;\nkept;\nthree = 3;\nfour = 4;\n"
    theirs = b"one = 9;\nkept;\nthree = 3;\n"
    assert settle(base, ours, theirs) == b"one = 9;\nkept;\nthree = 3;\nfour = 4;\n"


def test_nothing_merged_is_nothing_settled() -> None:
    assert settled((), C) is None
    assert settled((b"all of it",), C) == b"all of it"


def test_braces_are_told() -> None:
    assert unpaired(b"void f(void)\n{\n}\n") == (0, 0, 0)
    assert unpaired(b"void f(void\n{\n\t'{';\n#if A\n") == (1, 1, 1)
    assert unpaired(b"}\n#endif\n") == (-1, 0, -1)


DTS = repo_path("arch/arm64/boot/dts/board.dts")


def node(name: bytes, body: bytes = b"x") -> bytes:
    return b"%b {\n\t%b;\n};\n\n" % (name, body)


def test_nodes_of_a_device_tree_need_no_order() -> None:
    """sun50i-h616-x96-mate.dts, 6.1 to 6.12: both put a node above &ehci0."""
    above, below = node(b"/"), node(b"&ehci0")
    mine, cpu = node(b"&de"), node(b"&cpu0")
    assert settle(b"", cpu, mine, DTS, above, below) == cpu + mine
    labelled = node(b"/* why */\n/omit-if-no-ref/ l: n@1")
    assert settle(b"", cpu, labelled, DTS, above, below) == cpu + labelled
    assert settle(b"", cpu, b"/delete-node/ &de;\n" + mine, DTS, above, below) is None
    assert settle(b"", b"\ta = <1>;\n", b"\tb = <1>;\n", DTS, b"&x {\n", b"};\n") is None
    assert settle(b"", cpu, b"#ifdef A\n" + mine, DTS, above, below) is None


@pytest.mark.parametrize(
    ("upstream", "mine"),
    [(b"&de", b"&de"), (b"de: n@1", b"&de"), (b"a: n@1", b"b: n@1")],
)
def test_a_node_that_both_write_has_an_order(upstream: bytes, mine: bytes) -> None:
    above, below = node(b"/"), node(b"&ehci0")
    assert settle(b"", node(upstream), node(mine, b"y"), DTS, above, below) is None


def test_a_node_beside_one_that_went() -> None:
    gone, mine = node(b"&old"), node(b"&de")
    assert settle(gone, b"", gone + mine, DTS, node(b"/"), node(b"&ehci0")) == mine


def test_defines_need_no_order() -> None:
    """rockchip_vop_reg.h, 6.12 to 7.2: both add the registers of a chip at the end."""
    header = repo_path("include/reg.h")
    kernel, mine = b"/* a */\n#define A 0x1\n\n", b"/* b */\n#define B(x) \\\n\t(x)\n\n"
    below = b"#endif\n"
    assert settle(b"", kernel, mine, header, b"#define Z 1\n\n", below) == kernel + mine
    assert settle(b"", kernel, b"#define A 0x2\n/* b */\n\n", header, b"\n", below) is None
    assert settle(b"", kernel, b"#undef Z\n\n", header, b"\n", below) is None


def test_of_two_additions_the_patch_s_goes_on_with_what_is_above_it() -> None:
    """include/linux/security.h, 6.1 to 6.12, and drivers/gpu/drm/bridge/synopsys/dw-hdmi.c."""
    kernel, mine = b"int k(void);\n", b"int m(void);\n"
    assert settle(b"", kernel, mine, above=b"int a(void);\n") == mine + kernel
    kernel, mine = (b"int %b(void)\n{\n}\n\n" % name for name in (b"k", b"m"))
    assert settle(b"", kernel, mine, above=b"int a(void)\n{\n}\n\n") == kernel + mine
    assert settle(b"", kernel, mine, above=b"") == kernel + mine


def test_what_one_took_out_the_other_may_take_out_with_more() -> None:
    """drivers/media/i2c/ov5640.c, 6.12 to 7.2: upstream took out the first of the patch's two."""
    base = b"\tmark(dev);\n\tput(dev);\n"
    assert settle(base, b"\tput(dev);\n", b"", above=BODY) == b""
    assert settle(base, b"", b"\tput(dev);\n", above=BODY) == b""
    assert settle(base, b"\tput(dev, 1);\n", b"", above=BODY) is None
    assert settle(base, b"\tput(dev);\n\tnew(dev);\n", b"", above=BODY) is None


def test_a_list_to_which_one_adds_keeps_its_lines_where_they_are() -> None:
    """drivers/pci/controller/pcie-rockchip-host.c, 6.12 to 7.2: its neighbours went."""
    a, b, mine = (b"#include <%b.h>\n" % name for name in (b"r", b"b", b"c"))
    assert settle(a + b, b"", a + b + mine, above=SORTED) == mine
    assert settle(a + b, a + b + mine, b, above=SORTED) == b + mine
    assert settle(a + b, b"", a + mine, above=SORTED) is None
