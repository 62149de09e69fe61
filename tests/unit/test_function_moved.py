"""Where a function is that its file does not define any more: how far the search goes, and why.

The function is f() of arch/x86/kvm/a.c, and that file lost it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit
from kpatch_rs.model.outcome import Learned, Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import NOT_THE_KERNEL, BaseTree, File, TreeOverlay
from tests.trees import DictTree, NoHistory

FILE = "arch/x86/kvm/a.c"
BODY = """
{
	/* long enough to be nobody else's */
	first = g(kvm, vcpu, 1);
	second = h(kvm, vcpu, 2);
	return first + second;
}
"""


EDIT = CCallEdit(
    where=Where("0001.toml"), file=RepoPath(FILE.encode()), function="f", statement="rust_f();"
)


def planned(
    now: Mapping[str, str],
    was: Mapping[str, str] | None = None,
    edit: CCallEdit = EDIT,
    *,
    gone: bool = False,
) -> Outcome:
    """The plan of a call in f(), now that FILE has it no more, or is `gone` itself.

    `was`: the last kernel's files.
    """
    there, before = (
        DictTree({p: t.encode() for p, t in files.items()})
        for files in (now if gone else {FILE: "int x;\n", **now}, was or {})
    )
    return C_CALL.plan(edit, Ground(TreeOverlay(there), NoHistory(), before if was else None))


class _Counting(DictTree):
    """Notes which folders are searched, and for which files."""

    def __init__(self, files: Mapping[str, bytes | File]) -> None:
        super().__init__(files)
        self.searched: list[bytes] = []

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        self.searched.append(b" ".join(under) + "".join(named).removeprefix("*.c").encode())
        return super().files_declaring(names, under, named, since)


_BESIDE = [b"arch/x86/kvm*.h", b"arch/x86"]
_NO_DRIVERS, _GENERIC = b"include virt arch/x86", b"drivers include virt arch/x86"
_ALL = b"drivers include virt arch/riscv arch/x86"
_SOURCES = [*_BESIDE, _NO_DRIVERS, b"include arch/x86*.h", _GENERIC]
_EVERYWHERE = [*_SOURCES, _ALL, _ALL + b"*.h", b" ".join(NOT_THE_KERNEL)]


@pytest.mark.parametrize(
    ("path", "head", "searched", "moved"),
    [
        ("arch/x86/kvm/vmx/b.c", "static void", _EVERYWHERE[:1], True),
        ("arch/x86/b.c", "void", _EVERYWHERE[:2], True),
        ("arch/x86/b.c", "static void", _EVERYWHERE[:6], False),
        ("arch/x86/b.h", "static inline void", _EVERYWHERE[:7], False),
        ("virt/kvm/b.c", "void", _EVERYWHERE[:5], True),
        ("drivers/b.c", "void", _EVERYWHERE[:5], True),
        ("arch/riscv/kvm/b.c", "void", _EVERYWHERE[:6], False),
        ("", "", _EVERYWHERE, False),
        ("tools/b.c", "void", _EVERYWHERE, False),
    ],
)
def test_how_far_a_function_can_have_moved(
    path: str, head: str, searched: list[bytes], moved: bool
) -> None:
    """The whole tree comes last, its headers in need; what may be another's is a candidate."""
    others = ("arch/x86/kvm/a.c", "arch/riscv/a.c", "drivers/a.c", "virt/a.c")
    files = {**dict.fromkeys(others, b""), "include/c.h": b"#define g f(1)\n"}
    tree = _Counting(files | ({path: f"{head} f(void)\n{{\n}}\n".encode()} if path else {}))
    outcome = C_CALL.plan(EDIT, Ground(TreeOverlay(tree), NoHistory()))
    assert outcome.status is (Status.MOVED if moved else Status.CONFLICT)
    assert tree.searched == searched
    named = [str(c.place) for c in outcome.candidates]
    assert named == ([] if moved or not path else [f"{path}:1"])


def test_every_module_may_have_an_init_module() -> None:
    other = {"net/a.c": "int init_module(void)\n{\n}\n"}
    edit = replace(EDIT, function="init_module")
    assert planned(other, edit=edit).status is Status.CONFLICT


def test_a_generic_function_is_nearer_than_another_architecture_s() -> None:
    code = "void f(void)\n{\n}\n"
    files = {"arch/arm64/kvm/a.c": code, "virt/kvm/a.c": code}
    assert str(planned(files).place) == "virt/kvm/a.c:3"


class TestWhatTheLastKernelTells:
    """What stood there before is not what moved."""

    @staticmethod
    def planned(before: Mapping[str, str], now: Mapping[str, str]) -> Outcome:
        return planned(now, {FILE: "int f(void)\n{\n\treturn g();\n}\n", **before})

    @pytest.mark.parametrize("path", ["arch/x86/kvm/b.c", "virt/kvm/b.c"])
    def test_a_namesake_that_was_there_is_not_it(self, path: str) -> None:
        one = "int f(void)\n{\n\treturn other();\n}\n"
        outcome = self.planned({path: one}, {path: one + "int more;\n"})
        assert outcome.status is Status.CONFLICT
        assert [str(c.place) for c in outcome.candidates] == [f"{path}:1"]
        assert self.planned({}, {path: one + "int more;\n"}).status is Status.MOVED

    def test_the_one_that_is_new_is_it_and_the_recipe_keeps_it(self) -> None:
        one = "int f(void)\n{\n\treturn other();\n}\n"
        outcome = self.planned({"virt/kvm/b.c": one}, {"virt/kvm/b.c": one, "virt/kvm/c.c": one})
        assert (outcome.status, str(outcome.place)) == (Status.MOVED, "virt/kvm/c.c:3")
        assert outcome.learned == (Learned("also", "virt/kvm/c.c"),)


class TestTheBodyTells:
    """Drivers are searched where the body does not tell already, other architectures last."""

    WAS: Mapping[str, str] = {FILE: "int f(void)" + BODY}

    def test_of_two_new_ones_that_which_has_the_body(self) -> None:
        now = {"virt/b.c": "int f(void)" + BODY, "drivers/b.c": "int f(void)\n{\n\tother();\n}\n"}
        assert str(planned(now, self.WAS).place) == "virt/b.c:3"

    def test_of_a_non_static_one_it_may_be_short(self) -> None:
        other = "int f(void)\n{\n\tother();\n}\n"
        now = {"virt/b.c": "int f(void)\n{\n\treturn g();\n}\n", "drivers/b.c": other}
        assert str(planned(now, {FILE: now["virt/b.c"]}).place) == "virt/b.c:3"

    def test_where_neither_has_it_both_are_candidates(self) -> None:
        other = "int f(void)\n{\n\tother();\n}\n"
        outcome = planned({"virt/b.c": other, "drivers/b.c": other}, self.WAS)
        assert outcome.status is Status.CONFLICT
        assert [str(c.place) for c in outcome.candidates] == ["drivers/b.c:1", "virt/b.c:1"]

    def test_a_static_one_is_known_by_its_body_alone(self) -> None:
        was = {FILE: "static int f(void)" + BODY}
        assert planned({"drivers/b.c": was[FILE]}, was).status is Status.MOVED
        short = "static int f(void)\n{\n\treturn 0;\n}\n"
        assert planned({"drivers/b.c": short}, {FILE: short}).status is Status.CONFLICT

    def test_it_may_be_in_a_header_now(self) -> None:
        was = {FILE: "static int f(void)" + BODY}
        now = {"include/b.h": "static inline int f(void)" + BODY}
        assert str(planned(now, was).place) == "include/b.h:3"

    def test_what_another_architecture_has_is_its_own(self) -> None:
        was = {FILE: "static int f(void)" + BODY}
        outcome = planned({"arch/riscv/kvm/b.c": was[FILE]}, was)
        assert outcome.status is Status.CONFLICT
        assert [str(c.place) for c in outcome.candidates] == ["arch/riscv/kvm/b.c:1"]
        both = {"arch/riscv/kvm/b.c": was[FILE], "lib/b.c": was[FILE]}
        assert str(planned(both, was).place) == "lib/b.c:3"


SHORT = "\n{\n\treturn g(vcpu);\n}\n"
OTHER = BODY.replace("second = h(kvm, vcpu, 2)", "second = k(vcpu->kvm, 7)")


def caller(calls: str, name: str = "run") -> str:
    return (
        f"int {name}(void *vcpu)\n{{\n\tint r = prepare(vcpu);\n\n\treturn r ? r : {calls};\n}}\n"
    )


def f(name: str = "f", body: str = SHORT, head: str = "static int") -> str:
    return f"{head} {name}(void *vcpu){body}\n"


def called(outcome: Outcome) -> str:
    """The function that it is now, or what is offered."""
    if outcome.status is Status.CONFLICT:
        return " ".join(c.what for c in outcome.candidates)
    assert outcome.status is Status.ADAPTED
    return outcome.reason


def test_a_new_one_in_its_place_is_not_it() -> None:
    was = {FILE: f(body=BODY, head="int")}
    new = f(head="static int").replace("void *vcpu", "int n").replace("g(vcpu)", "n")
    now = {FILE: new, "arch/x86/kvm/b.c": was[FILE]}
    outcome = planned(now, was)
    assert "is another one than it was" in outcome.reason
    assert called(outcome) == "f(): the same body"
    assert str(outcome.candidates[0].place) == "arch/x86/kvm/b.c:1"
    there, before = (DictTree({p: t.encode() for p, t in x.items()}) for x in (now, was))
    ground = Ground(TreeOverlay(there), NoHistory(), before, known=False)
    assert C_CALL.plan(EDIT, ground).status is Status.EXACT, "somebody has said that it is"
    assert planned({FILE: new}, was).status is Status.EXACT, "it was written anew"
    assert planned({**now, FILE: f(head="int")}, was).status is Status.EXACT, "or is the same still"


class TestItHasAnotherName:
    """f() is gone from FILE; its body or its callers tell what took its place there."""

    @pytest.mark.parametrize(
        ("was", "now"),
        [
            pytest.param(f() + caller("f(vcpu)"), f("x") + caller("x(vcpu)"), id="its caller"),
            pytest.param(
                f() + "struct ops o = {\n\t.run = f,\n};\n",
                f("x") + "struct ops o = {\n\t.more = y,\n\t.run = x,\n};\n",
                id="a table of operations",
            ),
            pytest.param(f() + "module_init(f);\n", f("x") + "module_init(x);\n", id="a macro"),
            pytest.param(
                f() + caller("f(vcpu)"),
                f("x") + caller("x(vcpu)").replace("prepare(vcpu)", "0"),
                id="its caller changed, too",
            ),
            pytest.param(
                f(body=BODY) + f("f2", BODY) + caller("f(vcpu)"),
                f("x", BODY) + f("x2", BODY) + caller("x(vcpu)"),
                id="two of that body",
            ),
            pytest.param(f(body=BODY), f("x", BODY), id="its body"),
        ],
    )
    def test_of_which_one_thing_is_certain(self, was: str, now: str) -> None:
        outcome = planned({FILE: now}, {FILE: was})
        assert called(outcome) == "f() is called x() now"
        assert outcome.learned == (Learned("names", "x"),)
        knowing = replace(EDIT, names=("x",))
        assert planned({FILE: now}, edit=knowing).tree.changes == outcome.tree.changes

    @pytest.mark.parametrize(
        ("was", "now", "offered"),
        [
            pytest.param(
                f() + caller("f(vcpu)"),
                f("x").replace("(void *vcpu)", "(int vcpu)") + caller("x(vcpu)"),
                "x(): called where it was",
                id="it takes something else",
            ),
            pytest.param(
                f() + caller("f(vcpu)"),
                f("x", "\n{\n\tstop(vcpu);\n\treturn 0;\n}\n") + caller("x(vcpu)"),
                "x(): called where it was",
                id="it does something else",
            ),
            pytest.param(
                f() + caller("f(vcpu)") + caller("f(vcpu)", "walk"),
                f("x") + f("y") + caller("x(vcpu)") + caller("y(vcpu)", "walk"),
                "",
                id="its callers do not agree",
            ),
            pytest.param(
                f() + caller("f(vcpu)") + caller("f(vcpu)", "walk"),
                f("x") + caller("x(vcpu)") + caller("f(vcpu)", "walk"),
                "",
                id="one still calls it",
            ),
            pytest.param(
                f() + f("g") + caller("f(vcpu)") + caller("g(vcpu)", "walk"),
                f("x") + caller("x(vcpu)") + caller("x(vcpu)", "walk"),
                "",
                id="it took the place of another, too",
            ),
            pytest.param(
                f() + f("x") + caller("f(vcpu)"), f("x") + caller("x(vcpu)"), "", id="it was there"
            ),
            pytest.param(
                f() + "struct ops o = {\n\t.run = f,\n};\n",
                f("x") + "struct ops o = {\n\t.stop = x,\n};\n",
                "",
                id="in another field",
            ),
            pytest.param(
                f(body=BODY) + caller("f(vcpu)"),
                f("x", BODY) + f("y", "\n{\n\treturn x(vcpu);\n}\n") + caller("y(vcpu)"),
                "x(): the same body y(): called where it was",
                id="its body and its callers do not agree",
            ),
            pytest.param(
                f(body=BODY) + f("f2", BODY), f("x", BODY), "x(): the same body", id="two made one"
            ),
            pytest.param(
                f(body=BODY),
                f("x", OTHER),
                "x(): the same body",
                id="a body that says too little",
            ),
        ],
    )
    def test_what_is_not_certain_is_offered(self, was: str, now: str, offered: str) -> None:
        assert called(planned({FILE: now}, {FILE: was})) == offered

    def test_a_caller_in_another_file_tells(self) -> None:
        near = "arch/x86/mm/b.c"
        was = {FILE: f(head="int"), near: caller("f(vcpu)")}
        now = {FILE: f("x", head="int"), near: caller("x(vcpu)")}
        assert called(planned(now, was)) == "f() is called x() now"
        static = {FILE: f(), near: caller("f(vcpu)")}
        assert called(planned({FILE: f("x"), near: now[near]}, static)) == "", "another's f()"

    def test_of_its_names_the_last_one_counts(self) -> None:
        """What had another of them elsewhere, before or since, is somebody else's."""
        knowing = replace(EDIT, names=("x",))
        others = {"lib/c.c": f(head="int")}
        was = {FILE: f("x", BODY, "int")}
        now = {"drivers/b.c": f("x", BODY, "int")}
        where = "in drivers/b.c now, not in arch/x86/kvm/a.c"
        for before in (was, {**was, **others}):
            assert called(planned({**now, **others}, before, knowing)) == (
                f"f() is called x() and {where}"
            )
        assert planned(others, was, knowing).status is Status.CONFLICT
        copied = {**now, "drivers/c.c": f("f", BODY, "int")}
        assert called(planned(copied, was, knowing)) == f"f() is called x() and {where}"

    def test_it_is_known_where_the_last_kernel_had_it(self) -> None:
        was = {FILE: "int x;\n", "arch/x86/kvm/b.c": f() + caller("f(vcpu)")}
        now = {"arch/x86/kvm/b.c": f("x") + caller("x(vcpu)")}
        where = "in arch/x86/kvm/b.c now, not in arch/x86/kvm/a.c"
        assert called(planned(now, was)) == f"f() is called x() and {where}"

    def test_its_own_file_may_give_it_to_others(self) -> None:
        was = {FILE: f(head="int") + caller("f(vcpu)")}
        now = {FILE: f("x", head="int") + caller("x(vcpu)"), "lib/c.c": caller("x(vcpu)")}
        assert called(planned(now, was)) == "f() is called x() now"

    def test_callers_that_are_there_twice_tell_nothing(self) -> None:
        was, now = (caller("g(vcpu)") + caller(f"{name}(vcpu)") for name in "fx")
        assert called(planned({FILE: f("x") + now}, {FILE: f() + was})) == ""

    def test_its_file_has_another_name_too(self) -> None:
        rest = "".join(f"int rest_{n}(void)\n{{\n\treturn {n};\n}}\n" for n in range(9))
        was = {FILE: rest + f() + caller("f(vcpu)")}
        now = {"arch/x86/kvm/b.c": rest + f("x") + caller("x(vcpu)")}
        outcome = planned(now, was, gone=True)
        where = "in arch/x86/kvm/b.c now, not in arch/x86/kvm/a.c"
        assert called(outcome) == f"f() is called x() and {where}"
        assert outcome.learned == (Learned("names", "x"), Learned("also", "arch/x86/kvm/b.c"))
        knowing = replace(EDIT, names=("x",), also=(RepoPath(b"arch/x86/kvm/b.c"),))
        assert planned(now, edit=knowing, gone=True).tree.changes == outcome.tree.changes
        other = {path: code.replace("g(vcpu)", "0") for path, code in now.items()}
        assert called(planned(other, was, gone=True)).startswith("x(): called where it was")

    def test_in_another_file_it_must_be_called_where_it_was(self) -> None:
        was = {FILE: f() + caller("f(vcpu)")}
        now = {FILE: caller("x(vcpu)"), "lib/b.c": f("x", head="int")}
        where = "in lib/b.c now, not in arch/x86/kvm/a.c"
        assert called(planned(now, was)) == f"f() is called x() and {where}"
        others = {**now, "lib/c.c": caller("x(vcpu)")}
        assert called(planned(others, was)) == "x(): called where it was"
        shared = {FILE: f(head="int") + caller("f(vcpu)"), "lib/c.c": caller("f(vcpu)")}
        assert called(planned(others, shared)) == f"f() is called x() and {where}"
        anothers = {**was, "lib/c.c": caller("f(vcpu)")}
        assert called(planned(others, anothers)) == "x(): called where it was"


@pytest.mark.parametrize("there", ["arch/x86/kvm/b.c", "virt/kvm/b.c", "drivers/gpu/b.c"])
def test_what_moved_before_the_last_kernel_is_still_it(there: str) -> None:
    moved = {there: f"int f(struct kvm *kvm){BODY}"}
    first = planned(moved, {FILE: moved[there]})
    again = planned(moved, {FILE: "int x;\n", **moved})
    assert (first.status, again.status) == (Status.MOVED, Status.MOVED), again.reason
    assert first.place == again.place
