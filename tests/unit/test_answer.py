"""A conflict as a draft, and an answer as edits: on trees made of dicts."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kpatch_rs.engine.answer import Draft, Labels, draft, holds_for, marker_line, place_of, readings
from kpatch_rs.engine.render import render
from kpatch_rs.gitio.merging import merge
from kpatch_rs.gitio.running import Git
from kpatch_rs.kinds.c_include import CIncludeEdit
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Recipe, Series, Variant, Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.model.version import Guard
from kpatch_rs.syntax.diff_write import FilePair, git_diff
from kpatch_rs.syntax.merge import Clash
from tests.repos import Surroundings
from tests.trees import DictTree, NoHistory

HERE = Where("0001-a.toml", 3)
LABELS = Labels("v7.2", "v6.12", "a: Do it")
Files = Mapping[str, bytes | File]


class Merging(NoHistory):
    """Knows no blob, and merges as git does."""

    def __init__(self, around: Surroundings) -> None:
        self.git = Git(around.environment)

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        return merge(self.git, base, ours, theirs)


@pytest.fixture
def merging(around: Surroundings) -> Merging:
    return Merging(around)


def makefile(version: str) -> bytes:
    names = ("VERSION", "PATCHLEVEL", "SUBLEVEL")
    return "".join(f"{n} = {v}\n" for n, v in zip(names, version.split("."), strict=True)).encode()


def diff(old: Files, new: Files) -> PatchEdit:
    paths = [repo_path(p) for p in sorted({*old, *new})]
    before, after = DictTree(old), DictTree(new)
    pairs = [FilePair(old_path=p, new_path=p, old=before.read(p), new=after.read(p)) for p in paths]
    changed = [pair for pair in pairs if pair.old != pair.new]
    return PatchEdit(where=HERE, diff=Payload("files/a.diff", git_diff(changed, 40)))


def step_on(files: Files, *edits: Edit, variants: tuple[Variant, ...] = ()) -> Step:
    made = Recipe(where=HERE, id="a", subject="Do it", edits=edits, variants=variants)
    series = Series(name="s", base="", change_id="", recipes=(made,))
    return render(series, DictTree(files), NoHistory())[0]


def text(made: Draft | TreeOverlay, name: str = "f") -> str | None:
    tree = made.tree if isinstance(made, Draft) else made
    file = tree.read(repo_path(name))
    return file.data.decode() if file else None


OLD = {"f": b"a\nb\nc\nd\n", "g": b"1\n2\n3\n"}


def drafted(
    merging: Merging, new: Files, now: Files, old: Files = OLD, edits: tuple[Edit, ...] = ()
) -> Draft:
    """The draft of a patch from `old` to `new`, on `now`, where it conflicts."""
    edits = edits or (diff(old, new),)
    step, last = step_on(now, *edits), step_on(old, *edits)
    assert (step.status, last.status) == (Status.CONFLICT, Status.EXACT)
    return draft(step, last, merging, LABELS)


def test_markers(merging: Merging) -> None:
    made = drafted(merging, {**OLD, "f": b"a\nB\nc\nd\n"}, {**OLD, "f": b"a\nx\nc\nd\n"})
    assert text(made) == (
        "a\n<<<<<<< v7.2\nx\n||||||| v6.12\nb\n=======\nB\n>>>>>>> a: Do it\nc\nd\n"
    )
    assert (made.markers, made.left) == ({b"f": 7}, ())
    assert made.near == (b"f",)


def test_markers_are_longer_than_what_looks_like_them(merging: Merging) -> None:
    head = b"Title\n==========\n"
    made = drafted(merging, {"f": head + b"B\n"}, {"f": head + b"x\n"}, old={"f": head + b"b\nc\n"})
    assert made.markers == {b"f": 11}
    said = (text(made) or "").encode()
    assert marker_line(said, 11) == 3
    assert marker_line(head, 11) is None


def test_a_file_that_fits_is_in_beside_one_that_does_not(merging: Merging) -> None:
    new: Files = {"f": b"a\nB\nc\nd\n", "g": b"1\n2\n3\n4\n", "new": File(b"n\n", "100755")}
    made = drafted(merging, new, {**OLD, "f": b"a\nx\nc\nd\n"})
    assert text(made, "g") == "1\n2\n3\n4\n"
    assert made.tree.read(repo_path("new")) == File(b"n\n", "100755")
    assert set(made.markers) == {b"f"}


def test_a_file_that_is_gone_is_left(merging: Merging) -> None:
    made = drafted(merging, {**OLD, "f": b"a\nB\nc\nd\n"}, {"g": OLD["g"], "dir/x": b""})
    assert made.left == ("f: v7.2 has no such file",)
    assert made.tree.changed_since(TreeOverlay(made.tree.base)) == {}
    assert b"f" in made.near


def test_a_file_under_another_name_is_merged_there(merging: Merging) -> None:
    old = {"hda/hda_intel.c": b"a\nb\nc\nd\ne\nf\n", "g": b""}
    new = {**old, "hda/hda_intel.c": b"A\nB\nc\nd\ne\nF\n"}
    now = {"controllers/intel.c": b"a\nx\nc\nd\ne\nf\n", "g": b""}
    made = drafted(merging, new, now, old)
    assert text(made, "controllers/intel.c") == (
        "<<<<<<< v7.2\na\nx\n||||||| v6.12\na\nb\n=======\nA\nB\n>>>>>>> a: Do it\nc\nd\ne\nF\n"
    )
    assert (set(made.markers), made.left) == ({b"controllers/intel.c"}, ())
    assert made.near == (b"controllers/intel.c",)


def test_a_file_that_may_be_two_others_is_left(merging: Merging) -> None:
    old = {"hda/hda_intel.c": b"a\nb\nc\nd\ne\nf\n", "g": b""}
    twin = b"a\nx\nc\nd\ne\nf\n"
    now = {"controllers/intel.c": twin, "controllers/amd.c": twin, "g": b""}
    made = drafted(merging, {**old, "hda/hda_intel.c": b"A\nb\nc\nd\ne\nf\n"}, now, old)
    assert made.left == ("hda/hda_intel.c: v7.2 has no such file",)


def test_a_file_that_the_step_removes_and_that_has_changed_is_left(merging: Merging) -> None:
    made = drafted(merging, {"g": OLD["g"]}, {**OLD, "f": b"a\nx\nc\nd\n"})
    assert made.left == ("f: the step removes it, and it has changed",)
    assert text(made) == "a\nx\nc\nd\n"


def test_edits_that_fit_stay_and_only_the_others_are_merged(merging: Merging) -> None:
    """The include finds its place in a file whose other part conflicts: it is there once."""
    code = b"#include <a.h>\n#include <c.h>\n\nint f(void)\n{\n\treturn 1;\n}\n"
    include = CIncludeEdit(where=HERE, file=repo_path("x.c"), header="<b.h>")
    old = {"x.c": code, "f": OLD["f"]}
    stuck = diff(OLD, {**OLD, "f": b"a\nB\nc\nd\n"})
    now = {"x.c": b"/* new */\n" + code, "f": b"a\nx\nc\nd\n"}
    made = drafted(merging, {}, now, old, edits=(include, stuck))
    assert (text(made, "x.c") or "").count("#include <b.h>") == 1
    assert set(made.markers) == {b"f"}


def test_nothing_to_merge_without_an_earlier_rendering(merging: Merging) -> None:
    edit = diff(OLD, {**OLD, "f": b"a\nB\nc\nd\n"})
    step = step_on({"f": b"x\n", "g": b""}, edit)
    for last in (None, step):
        made = draft(step, last, merging, LABELS)
        assert made.left == ("no earlier rendering shows what to put in",)


def kernel(version: str) -> dict[str, bytes]:
    return {"Makefile": makefile(version), "f": b"x\n"}


STUCK = diff(OLD, {**OLD, "f": b"a\nB\nc\nd\n"})
V61 = Variant(where=HERE, when=Guard(max="6.1"), edits=(STUCK,))
V70 = Variant(where=HERE, when=Guard(min="7.0"), edits=(STUCK,))
V72 = Variant(where=HERE, when=Guard(min="7.2"), edits=(STUCK,))
PART = Variant(where=HERE, when=Guard(min="7.0", max="7.1"), edits=(STUCK,))


@pytest.mark.parametrize(
    ("variants", "last", "now", "when", "number"),
    [
        ((), "6.12.1", "7.2.0", Guard(min="7.2"), 0),
        ((), "7.2.0", "6.12.1", Guard(max="6.12"), 0),
        ((), "7.2.0", "7.2.9", None, 0),
        ((), None, "7.2.0", None, 0),
        ((V72,), "6.12.1", "7.1.0", Guard(min="7.1"), 1),
        ((V70,), "6.12.1", "7.2.0", Guard(min="7.2"), 0),
        ((V70,), "7.0.0", "7.2.0", Guard(min="7.2"), 0),
        ((V70,), "6.12.1", "7.0.3", None, 1),
        ((V72,), "7.2.0", "6.18.0", Guard(min="6.18", max="6.18"), 1),
        ((V61, V70), "6.12.1", "5.15.0", Guard(max="5.15"), 0),
        ((PART,), "7.0.0", "7.1.0", Guard(min="7.1", max="7.1"), 0),
    ],
    ids=[
        "newer", "older", "same release", "never rendered", "below a variant", "a variant's own",
        "on from a variant", "a variant's release", "back, of unknown age", "further back",
        "within bounds",
    ],
)  # fmt: skip
def test_the_kernels_an_answer_holds_for(
    variants: tuple[Variant, ...], last: str | None, now: str, when: Guard | None, number: int
) -> None:
    step = step_on(kernel(now), STUCK, variants=variants)
    before = step_on(kernel(last), STUCK, variants=variants) if last else None
    assert holds_for(step, before) == when
    assert place_of(step.recipe, step, when) == number


def test_a_tree_without_a_version() -> None:
    assert holds_for(step_on({"f": b"x\n"}, STUCK), step_on(kernel("6.1.0"), STUCK)) is None


def test_no_kernel_but_those_answered_for_gets_another_variant() -> None:
    """Whatever was answered before, and in whatever order: only conflicts are answered."""
    releases = ["5.15.0", "6.1.0", "6.12.0", "7.0.0", "7.1.0", "7.2.0"]
    for first in releases:
        for second in releases:
            variants: tuple[Variant, ...] = ()
            for last, now in ((first, second), (second, first), (first, releases[3])):
                step = step_on(kernel(now), STUCK, variants=variants)
                before = step_on(kernel(last), STUCK, variants=variants)
                if when := holds_for(step, before):
                    number = place_of(step.recipe, step, when)
                    new = Variant(where=Where("new", len(variants)), when=when, edits=(STUCK,))
                    more = (*variants[:number], new, *variants[number:])
                    met = step_on(kernel(now), STUCK, variants=more)
                    assert met.variant == new
                    kept = step_on(kernel(last), STUCK, variants=more)
                    assert kept.variant == before.variant
                    variants = more


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        ({"x.c": b"#include <a.h>\n#include <b.h>\n", "f": b"y\n"}, ["c-include", "patch"]),
        ({"x.c": b"#include <a.h>\n#include <b.h>\n", "f": b"x\n"}, ["c-include"]),
        ({"x.c": b"#include <a.h>\n", "f": b"y\n"}, ["patch"]),
    ],
    ids=["the edit that fits is kept", "the other is not needed", "both otherwise"],
)
def test_readings_begin_with_the_recipes_own(answer: Mapping[str, bytes], kinds: list[str]) -> None:
    include = CIncludeEdit(where=HERE, file=repo_path("x.c"), header="<b.h>")
    step = step_on({"x.c": b"#include <a.h>\n", "f": b"x\n"}, include, STUCK)
    after = step.before
    for name, data in answer.items():
        after = after.write(repo_path(name), File(data))
    edits = next(readings(step, after, NoHistory(), payload="files/new.diff", taken={}))
    assert [edit.kind for edit in edits] == kinds
    assert (include in edits) == ("c-include" in kinds)
    again = step_on({"x.c": b"#include <a.h>\n", "f": b"x\n"}, *edits)
    assert again.after.changed_since(after) == {}
