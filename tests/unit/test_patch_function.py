"""A patch goes where its functions went, and into no other function."""

from __future__ import annotations

from kpatch_rs.kinds.patch import PATCH, PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import ObjectBuilds
from kpatch_rs.model.series import Payload, Where
from kpatch_rs.syntax.c_items import items
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.kconfig import entry_lines
from tests.unit.test_kind_patch import after, diff, plan

LOAD = b"""/* Loads it. */
int load(struct module *mod)
{
	int ret = check(mod);

	if (ret)
		return ret;
	return place(mod);
}
EXPORT_SYMBOL(load);
"""
FREE = b"""static void free(struct module *mod)
{
	if (mod->placed)
		unplace(mod);
	forget(mod);
	wake_up_all(&module_wq);
}
"""
HEAD = b"#include <linux/module.h>\n"
MODULE = b"\n".join((HEAD, LOAD, FREE))
OBJ = b"obj-y += module.o main.o gone.o a.o b.o\n"


def patched(data: bytes) -> bytes:
    assert data.count(b"forget(mod);") == 1
    return data.replace(b"\tforget(mod);\n", b"\trust_forget(mod);\n\tforget(mod);\n")


def test_a_change_goes_along_with_its_function() -> None:
    payload = diff({"k/module.c": MODULE}, {"k/module.c": patched(MODULE)})
    main = b"\n".join((HEAD, b"int other;\n", FREE.replace(b"static ", b"")))
    tree = {"k/module.c": b"\n".join((HEAD, LOAD)), "k/main.c": main, "k/Makefile": OBJ}
    outcome = plan(payload, tree, MODULE)
    assert (outcome.status, outcome.reason) == (Status.MOVED, "free() is in k/main.c now")
    assert str(outcome.place) == "k/main.c:9"
    assert after(outcome, "k/main.c") == patched(main).decode().encode()
    assert after(outcome, "k/module.c") == tree["k/module.c"]


def test_the_rest_of_the_change_stays() -> None:
    new = patched(MODULE).replace(b"\treturn place(mod);\n", b"\treturn rust_place(mod);\n")
    payload = diff({"k/module.c": MODULE}, {"k/module.c": new})
    rest = b"\n".join((HEAD, LOAD.replace(b"int ret", b"long ret")))
    outcome = plan(payload, {"k/module.c": rest, "k/main.c": FREE}, MODULE)
    assert outcome.status is Status.ADAPTED, outcome.reason
    assert after(outcome, "k/main.c") == patched(FREE)
    assert after(outcome, "k/module.c") == rest.replace(b"return place", b"return rust_place")
    assert str(outcome.place) == "k/module.c:10"


def test_a_function_that_changed_places_in_its_file_is_merged_by_itself() -> None:
    """By lines, upstream deleted what the patch changes, and added it elsewhere."""
    now = b"\n".join((HEAD, FREE.replace(b"wake_up_all", b"wake_up"), LOAD))
    base = MODULE
    new = patched(base).replace(HEAD, HEAD + b"#include <linux/rust.h>\n")
    outcome = plan(diff({"k/m.c": base}, {"k/m.c": new}), {"k/m.c": now}, base)
    assert (outcome.status, outcome.reason) == (
        Status.ADAPTED,
        "k/m.c: merged function by function",
    )
    made = now.replace(b"\tforget(", b"\trust_forget(mod);\n\tforget(")
    assert after(outcome, "k/m.c") == made.replace(HEAD, HEAD + b"#include <linux/rust.h>\n")
    away = now.replace(b"\tforget(mod);\n", b"")
    assert plan(diff({"k/m.c": base}, {"k/m.c": new}), {"k/m.c": away}, base).status is (
        Status.CONFLICT
    )


def test_an_entry_of_kconfig_that_changed_places_is_merged_by_itself() -> None:
    """drivers/media/i2c/Kconfig, 5.10 to 6.1: the sensors were sorted."""
    entry = b'config VIDEO_%b\n\ttristate "%b"\n\tdepends on %b && I2C\n\thelp\n\t  A %b.\n'
    a, b, c = (entry % (n, n, b"VIDEO_V4L2", n) for n in (b"SAA", b"VS6624", b"ZZ"))
    now = [entry % (n, n, b"VIDEO_DEV", n) for n in (b"VS6624", b"MORE", b"SAA")]
    base, broken = b"\n".join((a, b, c)), b"config VIDEO_VS6624\n\tdepends on BROKEN\n"
    new = base.replace(b"config VIDEO_VS6624\n", broken)
    there = b"\n".join(now)
    outcome = plan(diff({"i/Kconfig": base}, {"i/Kconfig": new}), {"i/Kconfig": there}, base)
    assert after(outcome, "i/Kconfig") == there.replace(b"config VIDEO_VS6624\n", broken)
    assert entry_lines(b"\n".join((*now, now[0]))).keys() == {b"VIDEO_MORE", b"VIDEO_SAA"}


def test_a_file_that_was_split_is_in_all_its_parts() -> None:
    new = patched(MODULE).replace(b"SYMBOL(load)", b"SYMBOL_GPL(load)")
    payload = diff({"k/module.c": MODULE}, {"k/module.c": new})
    tree = {"k/mod/load.c": HEAD + LOAD, "k/mod/free.c": HEAD + FREE, "k/mod/Makefile": OBJ}
    outcome = plan(payload, tree, MODULE)
    assert outcome.status is Status.MOVED, outcome.reason
    assert after(outcome, "k/mod/free.c") == patched(HEAD + FREE)
    assert b"SYMBOL_GPL(load)" in after(outcome, "k/mod/load.c")
    assert str(outcome.place) == "k/mod/free.c:6"
    proofs = PATCH.proofs(PatchEdit(where=Where("r"), diff=Payload("x", payload)), outcome)
    targets = {p.target for p in proofs if isinstance(p, ObjectBuilds)}
    assert targets <= {RepoPath(b"k/mod/free.o"), RepoPath(b"k/mod/load.o")}
    assert len(proofs) == 2


def test_what_belongs_to_no_function_does_not_vanish_with_the_file() -> None:
    new = patched(MODULE).replace(HEAD, HEAD + b"#include <linux/rust.h>\n")
    payload = diff({"k/module.c": MODULE}, {"k/module.c": new})
    outcome = plan(payload, {"k/mod/load.c": HEAD + LOAD, "k/mod/free.c": HEAD + FREE}, MODULE)
    assert outcome.status is Status.CONFLICT
    assert "k/module.c: the tree has no such file" in outcome.reason


def test_a_function_in_two_places_is_a_conflict() -> None:
    payload = diff({"k/module.c": MODULE}, {"k/module.c": patched(MODULE)})
    tree = {"k/module.c": b"\n".join((HEAD, LOAD)), "k/a.c": FREE, "k/b.c": FREE}
    assert plan(payload, tree, MODULE).status is Status.CONFLICT


def test_a_stranger_of_that_name_is_none() -> None:
    payload = diff({"k/module.c": MODULE}, {"k/module.c": patched(MODULE)})
    stranger = b"static void free(struct pci_dev *pdev)\n{\n\tpci_disable_device(pdev);\n}\n"
    tree = {"k/module.c": b"\n".join((HEAD, LOAD)), "drivers/x.c": stranger}
    assert plan(payload, tree, MODULE).status is Status.CONFLICT


TWIN = FREE.replace(b"free(", b"release(")


def test_lines_that_another_function_has_too_are_not_the_place() -> None:
    old = b"\n".join((HEAD, LOAD, FREE))
    payload = diff({"k/module.c": old}, {"k/module.c": patched(old)})
    rewritten = b"static void free(struct module *mod)\n{\n\tcall_rcu(&mod->rcu, drop);\n}\n"
    tree = b"\n".join((HEAD, LOAD, rewritten, TWIN))
    outcome = plan(payload, {"k/module.c": tree}, old)
    assert outcome.status is Status.CONFLICT
    assert outcome.reason == (
        "files/x.diff:1: k/module.c: the change would end in release(), "
        "which it does not change where it comes from"
    )
    assert [str(c.place) for c in outcome.candidates] == ["k/module.c:19"]


def test_what_is_exported_behind_one_function_goes_behind_no_other() -> None:
    old = LOAD + b"\n" + FREE
    payload = diff({"k/a.c": old}, {"k/a.c": old + b"EXPORT_SYMBOL(free);\n"})
    outcome = plan(payload, {"k/a.c": LOAD + b"\n" + TWIN}, old)
    assert outcome.status is Status.CONFLICT, "release() is free() renamed, and the line says free"


def test_a_function_that_only_took_another_name_is_the_same() -> None:
    payload = diff({"k/module.c": MODULE}, {"k/module.c": patched(MODULE)})
    tree = MODULE.replace(b"free(", b"release(")
    outcome = plan(payload, {"k/module.c": tree}, MODULE)
    assert outcome.status is Status.EXACT, outcome.reason
    assert after(outcome, "k/module.c") == patched(tree)


def test_a_copy_under_another_name_is_not_the_function() -> None:
    payload = diff({"k/module.c": MODULE}, {"k/module.c": patched(MODULE)})
    copy = MODULE.replace(b"free(", b"new_free(")
    outcome = plan(payload, {"k/module.c": copy, "k/free.c": FREE}, MODULE)
    assert outcome.status is Status.MOVED, outcome.reason
    assert after(outcome, "k/free.c") == patched(FREE)
    outcome = plan(payload, {"k/module.c": copy, "k/a.c": FREE, "k/b.c": FREE}, MODULE)
    assert outcome.status is Status.CONFLICT
    assert "would end in new_free()" in outcome.reason


def test_an_item_has_its_comment_and_its_exports() -> None:
    data = b"int x;\n\n" + LOAD + b"#ifdef A\nvoid f(void)\n{\n}\n#endif\nvoid g(void) {}\n"
    found = items(c_text(data))
    spans = {name: (item.start, item.end) for name, item in found.items()}
    assert spans == {b"load": (2, 12), b"f": (13, 16), b"g": (17, 18)}
    assert b"f" not in items(c_text(data + b"\nvoid f(void)\n{\n}\n"))


def test_no_function_is_defined_twice() -> None:
    """The patch moves one in; upstream has that, and not what it stands behind."""
    head = b"#include <linux/kvm_host.h>\n\nstatic u32 caps;\n\n"
    has = b"bool boot_cpu_has(unsigned int bit)\n{\n\treturn caps & (1u << bit);\n}\n"
    caps = b"void set_cpu_caps(void)\n{\n\tcaps |= 1u << CPUID_FPU;\n}\n"
    old, new = head + has + b"\n" + caps, head + b"\n" + caps + b"\n" + LOAD
    payload = diff({"k/cpuid.c": old}, {"k/cpuid.c": new})
    tree = {"k/cpuid.c": head + b"\n\n" + LOAD, "k/Makefile": OBJ}
    outcome = plan(payload, tree, old)
    assert "load() would be defined more than once; line 8 has it" in outcome.reason
    assert [str(c.place) for c in outcome.candidates] == ["k/cpuid.c:8", "k/cpuid.c:16"]


def test_nor_where_the_rest_is_merged_by_itself() -> None:
    """The same, and the patch changes a function that is in another file now."""
    head = b"#include <linux/kvm_host.h>\n\nstatic u32 caps;\n\n"
    has = b"bool boot_cpu_has(unsigned int bit)\n{\n\treturn caps & (1u << bit);\n}\n"
    caps = b"void set_cpu_caps(void)\n{\n\tcaps |= 1u << CPUID_FPU;\n}\n"
    old = head + has + b"\n" + caps
    new = old.replace(b"\treturn caps", b"\tkvm_more(kvm);\n\treturn caps") + b"\n" + LOAD
    payload = diff({"k/cpuid.c": old}, {"k/cpuid.c": new})
    split = (has + caps).replace(b"\treturn caps", b"\tkvm_more(kvm);\n\treturn caps")
    tree = {"k/cpuid.c": head + b"\n\n" + LOAD, "k/split.c": split, "k/Makefile": OBJ}
    outcome = plan(payload, tree, old)
    assert after(outcome, "k/cpuid.c").count(b"int load(") == 1
    assert outcome.status in (Status.CONFLICT, Status.PRESENT)


def test_the_arms_of_a_patch_may_define_one_twice() -> None:
    arms = b"#ifdef X\n" + LOAD + b"#else\n" + LOAD.replace(b"place", b"put") + b"#endif\n"
    payload = diff({"k/module.c": MODULE}, {"k/module.c": b"\n".join((HEAD, arms, FREE))})
    tree = {"k/module.c": MODULE + b"int other;\n", "k/Makefile": OBJ}
    assert plan(payload, tree, MODULE).status is not Status.CONFLICT


def test_nothing_is_put_behind_what_upstream_made_leave() -> None:
    """As in mpls_label_ok() between 6.12 and 7.2."""
    old = b"""static bool label_ok(unsigned int *index)
{
\tbool is_ok = true;

\tif (*index >= labels) {
\t\tcomplain("Label >= configured maximum");
\t\tis_ok = false;
\t}

\t*index = nospec(*index, labels);
\treturn is_ok;
}
"""
    new = old.replace(b"is_ok = false;\n", b"is_ok = false;\n\t\trust_refused(*index);\n")
    there = old.replace(b"is_ok = false", b"return false").replace(b"\tbool is_ok = true;\n\n", b"")
    payload = diff({"k/module.c": HEAD + old}, {"k/module.c": HEAD + new})
    outcome = plan(payload, {"k/module.c": HEAD + there, "k/Makefile": OBJ}, HEAD + old)
    never = old.replace(b"\treturn is_ok;\n", b"\treturn is_ok;\n\tforget();\n")
    fine = plan(payload, {"k/module.c": HEAD + never, "k/Makefile": OBJ}, HEAD + old)
    assert fine.status is not Status.CONFLICT, "what upstream never reaches is its own"
    said = "label_ok() would have the change behind what leaves it"
    assert said in outcome.reason
    elsewhere = {"k/module.c": HEAD, "k/main.c": HEAD + there.removeprefix(b"static ")}
    moved = plan(payload, {**elsewhere, "k/Makefile": OBJ}, HEAD + old)
    assert said in moved.reason


def test_no_function_comes_back_to_the_file_it_left() -> None:
    """The patch moves it within its file, with a line more; upstream split the file."""
    head = b"#include <linux/kvm_host.h>\n\nstatic u32 caps;\n\n"
    has = b"bool boot_cpu_has(unsigned int bit)\n{\n\treturn caps & (1u << bit);\n}\n"
    caps = b"void set_cpu_caps(void)\n{\n\tcaps |= 1u << CPUID_FPU | 1u << CPUID_TSC;\n}\n"
    old = head + has + b"\n" + caps
    new = head + b"\n" + caps.replace(b"\tcaps", b"\tmore(kvm);\n\tcaps") + b"\n" + has
    payload = diff({"k/cpuid.c": old}, {"k/cpuid.c": new})
    tree = {"k/cpuid.c": head + b"\n", "k/split.c": has + caps, "k/Makefile": OBJ}
    outcome = plan(payload, tree, old)
    assert "would bring back" in outcome.reason


def test_a_function_of_two_arms_is_no_stranger() -> None:
    """As sched_init_smp() of 6.12, of which 7.2 has kept one arm."""
    small = b"static void free(struct module *mod)\n{\n\tforget_quickly(mod);\n}\n"
    arms = b"#ifdef CONFIG_SMP\n" + FREE + b"#else\n" + small + b"#endif\n"
    old = b"\n".join((HEAD, LOAD, arms))
    new = old.replace(b"\tforget(mod)", b"\trust_forget(mod);\n\tforget(mod)")
    payload = diff({"k/module.c": old}, {"k/module.c": new})
    tree = {"k/module.c": b"\n".join((HEAD, b"int more;\n", LOAD, FREE)), "k/Makefile": OBJ}
    outcome = plan(payload, tree, old)
    assert outcome.status is not Status.CONFLICT, outcome.reason
    assert after(outcome, "k/module.c") == tree["k/module.c"].replace(FREE, patched(FREE))
