"""The renderer, with a toy kind: appends a line after the one that reads `anchor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from kpatch_rs import kinds
from kpatch_rs.engine.render import compared, render
from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome, Place, Status, Step, gravest
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit, Recipe, Series, Variant, Where
from kpatch_rs.model.version import Guard
from tests.trees import DictTree, NoHistory

FILE = RepoPath(b"list")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyEdit(Edit):
    kind = "toy"
    line: str


class Toy(Rooted[ToyEdit]):
    edit = ToyEdit
    example = ""

    def plan(self, edit: ToyEdit, ground: Ground) -> Outcome:
        if edit.line == "wrong":
            raise KpatchError("no such thing", hint="write another")
        file = ground.tree.read(FILE)
        lines = file.data.splitlines(keepends=True) if file else []
        new = edit.line.encode() + b"\n"
        if new in lines:
            return self.present(ground, Place(FILE, lines.index(new) + 1), anchor="anchor")
        if b"anchor\n" not in lines:
            return self.conflict(ground, "no anchor", hint="name one")
        at = lines.index(b"anchor\n") + 1
        data = b"".join([*lines[:at], new, *lines[at:]])
        return self.done(ground, FILE, data, line=at + 1, anchor="anchor", text=new)

    def proofs(self, edit: ToyEdit, outcome: Outcome) -> Sequence[Proof]:
        return ()


@pytest.fixture(autouse=True)
def toy_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds.KINDS, "toy", Toy())


def recipe(name: str, *lines: str, when: Guard | None = None) -> Recipe:
    edits = tuple(ToyEdit(where=Where(f"{name}.toml", 7), line=line) for line in lines)
    return Recipe(where=Where(f"{name}.toml"), id=name, subject=name, when=when, edits=edits)


def rendered(text: bytes, *recipes: Recipe) -> tuple[Step, ...]:
    makefile = b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\n"
    series = Series(name="s", base="", change_id="", recipes=recipes)
    return render(series, DictTree({"list": text, "Makefile": makefile}), NoHistory())


def test_each_step_stands_on_the_one_before() -> None:
    one, two = rendered(b"anchor\n", recipe("a", "x"), recipe("b", "y"))
    assert one.after.read(FILE) == two.before.read(FILE)
    file = two.after.read(FILE)
    assert file is not None
    assert file.data == b"anchor\ny\nx\n"


def test_a_conflict_changes_nothing_and_the_rest_is_still_planned() -> None:
    steps = rendered(b"nothing\n", recipe("a", "x"), recipe("b", "y"))
    assert [s.status for s in steps] == [Status.CONFLICT, Status.CONFLICT]
    assert [s.reason for s in steps] == ["no anchor", "no anchor"]
    assert all(s.empty for s in steps)


def test_half_a_conflicting_step_is_not_kept() -> None:
    (step,) = rendered(b"anchor\n", recipe("a", "x", "x"))
    assert [e.outcome.status for e in step.edits] == [Status.EXACT, Status.PRESENT]
    steps = rendered(b"x\n", recipe("a", "x", "y"))
    assert steps[0].status is Status.CONFLICT
    assert steps[0].after is steps[0].before


def test_a_second_rendering_on_its_own_result_is_present_and_empty() -> None:
    (step,) = rendered(b"anchor\nx\n", recipe("a", "x"))
    assert step.status is Status.PRESENT
    assert step.empty


@pytest.mark.parametrize(
    ("guard", "objection"),
    [
        (Guard(min="6.13"), "the kernel is 6.12.3, before 6.13"),
        (Guard(max="6.11"), "the kernel is 6.12.3, after 6.11"),
        (Guard(has=RepoPath(b"virt/x")), "the tree has no virt/x"),
    ],
)
def test_a_guard_skips_and_says_why(guard: Guard, objection: str) -> None:
    (step,) = rendered(b"anchor\n", recipe("a", "x", when=guard))
    assert (step.status, step.reason, step.empty) == (Status.SKIPPED, objection, True)


def test_a_guard_that_holds_lets_through() -> None:
    (step,) = rendered(b"anchor\n", recipe("a", "x", when=Guard(min="6.12", max="6.12")))
    assert step.status is Status.EXACT


def test_what_is_wrong_in_a_recipe_names_it() -> None:
    with pytest.raises(KpatchError) as caught:
        rendered(b"anchor\n", recipe("a", "wrong"))
    assert caught.value.message == "a (a.toml:7): no such thing"
    assert caught.value.hint == "write another"


def test_comparison_tells_moved_and_exact() -> None:
    old = rendered(b"anchor\n", recipe("a", "x"))
    (same,) = compared(rendered(b"anchor\n", recipe("a", "x")), old)
    assert (same.status, same.reason) == (Status.EXACT, "")
    (moved,) = compared(rendered(b"1\n2\nanchor\n", recipe("a", "x")), old)
    assert moved.status is Status.MOVED
    assert moved.reason == "anchor: 2 lines down, from list:2 to list:4"
    assert str(moved.edits[0].was) == "list:2"


def test_comparison_tells_what_moved_but_the_first_place() -> None:
    """An edit may change several files, and its place is only the first of them."""
    steps = rendered(b"anchor\n", recipe("a", "x"))
    (report,) = steps[0].edits
    reason, paths = "b.c is c.c now", (RepoPath(b"c.c"),)
    there = replace(report.outcome, status=Status.MOVED, reason=reason, elsewhere=paths)
    new = (replace(steps[0], edits=(replace(report, outcome=there),)),)
    (moved,) = compared(new, steps)
    assert (moved.status, moved.reason) == (Status.MOVED, reason)
    (again,) = compared(new, new)
    assert (again.status, again.reason) == (Status.EXACT, "")


def test_comparison_tells_adapted_with_both_texts() -> None:
    old = rendered(b"anchor\n", recipe("a", "x"))
    (step,) = compared(rendered(b"anchor\n", recipe("a", "z")), old)
    assert (step.status, step.reason) == (Status.ADAPTED, "was: 'x'; is: 'z'")


def test_variants_of_one_edit_take_each_others_place() -> None:
    def variants(version: bytes) -> tuple[Step, ...]:
        edits = (
            ToyEdit(where=Where("a.toml"), line="x", when=Guard(max="6.11")),
            ToyEdit(where=Where("a.toml"), line="x", when=Guard(min="6.12")),
        )
        recipe = Recipe(where=Where("a.toml"), id="a", subject="a", edits=edits)
        series = Series(name="s", base="", change_id="", recipes=(recipe,))
        tree = DictTree(
            {"list": b"\n" * (version == b"1") + b"anchor\n", "Makefile": makefile % version}
        )
        return render(series, tree, NoHistory())

    makefile = b"VERSION = 6\nPATCHLEVEL = %s\nSUBLEVEL = 0\n"
    (step,) = compared(variants(b"12"), variants(b"1"))
    assert [e.outcome.status for e in step.edits] == [Status.SKIPPED, Status.MOVED]
    assert step.reason == "anchor: 1 line up, from list:3 to list:2"


def test_a_step_without_partner_keeps_its_status() -> None:
    old = rendered(b"anchor\n", recipe("a", "x"))
    (step,) = compared(rendered(b"1\nanchor\n", recipe("b", "x")), old)
    assert step.status is Status.EXACT


def test_gravest() -> None:
    assert gravest([Status.EXACT, Status.CONFLICT, Status.MOVED]) is Status.CONFLICT
    assert gravest([Status.SKIPPED, Status.EXACT]) is Status.EXACT
    assert gravest([]) is Status.PRESENT


def varied(*variants: tuple[Guard | None, tuple[str, ...]]) -> Recipe:
    """A recipe that wants "own", and on some kernels the lines of a variant."""
    made = tuple(
        Variant(where=Where("a.toml", n), when=when, edits=recipe("a", *lines).edits)
        for n, (when, lines) in enumerate(variants)
    )
    return replace(recipe("a", "own"), variants=made)


NEW, OLD = Guard(min="6.13"), Guard(max="6.12")


@pytest.mark.parametrize(
    ("text", "variants", "line", "variant"),
    [
        (b"anchor\n", [(NEW, ("x",))], b"own\n", None),
        (b"anchor\n", [(OLD, ("x",))], b"x\n", 0),
        (b"anchor\n", [(NEW, ("x",)), (OLD, ("y",)), (OLD, ("z",))], b"y\n", 1),
        (b"anchor\n", [(None, ("x",))], b"own\n", None),
        (b"other\n", [(OLD, ("own",)), (None, ("x",)), (None, ("other",))], b"other\n", 2),
    ],
    ids=["not meant", "meant", "first that holds", "the own ones fit", "none of those meant fits"],
)
def test_variants(
    text: bytes,
    variants: list[tuple[Guard | None, tuple[str, ...]]],
    line: bytes,
    variant: int | None,
) -> None:
    (step,) = rendered(text, varied(*variants))
    file = step.after.read(FILE)
    assert file is not None
    assert line in file.data
    assert step.variant == (None if variant is None else step.recipe.variants[variant])
    assert step.status in (Status.EXACT, Status.PRESENT)


def test_where_no_variant_fits_the_conflict_is_that_of_the_edits_meant() -> None:
    (step,) = rendered(b"", varied((None, ("x",))))
    assert (step.status, step.variant) == (Status.CONFLICT, None)
    (step,) = rendered(b"", varied((OLD, ("y",)), (None, ("x",))))
    assert (step.status, step.variant) == (Status.CONFLICT, step.recipe.variants[0])


def test_a_variant_without_edits_skips_the_step() -> None:
    (step,) = rendered(b"anchor\n", varied((OLD, ())))
    assert (step.status, step.empty) == (Status.SKIPPED, True)
    assert step.reason == "the variant at a.toml:0 has no edits"


def test_variants_count_in_the_digest() -> None:
    def digest(*variants: tuple[Guard | None, tuple[str, ...]]) -> str:
        return Series(name="s", base="", change_id="", recipes=(varied(*variants),)).digest()

    told = [(), ((NEW, ("x",)),), ((OLD, ("x",)),), ((NEW, ("y",)),), ((None, ("x",)),)]
    assert len({digest(*variants) for variants in told}) == len(told)
