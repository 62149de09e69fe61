"""The bench of patches that others carried judges as it says it does."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import which

import pytest

from tests.bench.survival.carried import Answer, Judge, Judged, Refused, judged, table
from tests.bench.survival.truth import Case, Changes, Commits, cases, changes_of
from tests.repos import Surroundings

OLD = {"a.c": b"top\none\ntwo\nthree\nfour\nfive\n", "b.c": b"left\n"}
PATCHED = {**OLD, "a.c": OLD["a.c"].replace(b"three\n", b"three\nours\n")}
NEW = {**OLD, "a.c": b"new\n" + OLD["a.c"]}
BY_HAND = {**OLD, "a.c": b"new\n" + PATCHED["a.c"]}
PLAIN = BY_HAND["a.c"]
"""What git apply makes of the patch."""


@pytest.fixture
def repository(tmp_path: Path, around: Surroundings) -> Path:
    around.git(tmp_path, "init", "-q", "--bare", "cases.git")
    return tmp_path / "cases.git"


def commit(around: Surroundings, repository: Path, files: dict[str, bytes]) -> str:
    lines = []
    for name, data in files.items():
        blob = around.git(repository, "hash-object", "-w", "--stdin", data=data)
        lines.append(f"100644 blob {blob}\t{name}\n")
    tree = around.git(repository, "mktree", data="".join(lines).encode())
    return around.git(repository, "commit-tree", tree, "-m", "x")


def case(
    around: Surroundings,
    repository: Path,
    hand: dict[str, bytes] = BY_HAND,
    new: dict[str, bytes] = NEW,
) -> Case:
    commits = (commit(around, repository, files) for files in (OLD, PATCHED, new, hand))
    return Case("set", "name", "context", *commits)


def verdict(around: Surroundings, repository: Path, made: Changes, **by: dict[str, bytes]) -> str:
    judge = Judge(case(around, repository, **by), Commits(repository))
    return judge.answer(made).verdict


def test_what_the_hand_made_is_right(around: Surroundings, repository: Path) -> None:
    assert verdict(around, repository, {b"a.c": PLAIN}) == "right"


def test_one_more_file_is_not_right(around: Surroundings, repository: Path) -> None:
    assert verdict(around, repository, {b"a.c": PLAIN, b"c.c": b"more\n"}) == "other"


def test_a_file_lost_is_not_right(around: Surroundings, repository: Path) -> None:
    assert verdict(around, repository, {b"a.c": PLAIN, b"b.c": None}) == "other"


def test_the_old_patch_as_it_is_where_the_hand_did_otherwise(
    around: Surroundings, repository: Path
) -> None:
    hand = {**NEW, "a.c": PLAIN.replace(b"ours", b"revised")}
    assert verdict(around, repository, {b"a.c": PLAIN}, hand=hand) == "as git apply"
    misplaced = b"ours\n" + NEW["a.c"]
    assert verdict(around, repository, {b"a.c": misplaced}, hand=hand) == "other"


def test_every_file_that_differs_must_be_the_old_patch_s(
    around: Surroundings, repository: Path
) -> None:
    hand = {**NEW, "a.c": PLAIN.replace(b"ours", b"revised")}
    assert verdict(around, repository, {b"a.c": PLAIN, b"b.c": b"x\n"}, hand=hand) == "other"


def test_a_file_that_the_old_patch_does_not_name(around: Surroundings, repository: Path) -> None:
    """The hand changed it too: whoever leaves it says what the old patch says."""
    hand = {**BY_HAND, "b.c": b"changed by hand\n"}
    assert verdict(around, repository, {b"a.c": PLAIN}, hand=hand) == "as git apply"


def test_what_git_apply_refuses_is_other(around: Surroundings, repository: Path) -> None:
    new = {**NEW, "a.c": NEW["a.c"].replace(b"three", b"drei")}
    hand = {**new, "a.c": new["a.c"].replace(b"drei\n", b"drei\nours\n")}
    made = {b"a.c": new["a.c"].replace(b"four\n", b"four\nours\n")}
    assert verdict(around, repository, made, new=new, hand=hand) == "other"


def test_a_refusal_keeps_its_reason(around: Surroundings, repository: Path) -> None:
    judge = Judge(case(around, repository), Commits(repository))
    assert judge.answer(Refused("because")) == Answer("conflict", "because")


def test_the_difference_is_from_the_hand_to_the_tool(
    around: Surroundings, repository: Path
) -> None:
    judge = Judge(case(around, repository), Commits(repository))
    difference = judge.answer({b"a.c": PLAIN.replace(b"ours", b"other")}).difference
    assert difference.splitlines()[:2] == ["--- by-hand/a.c", "+++ made/a.c"]
    assert "-ours\n+other" in difference


TOOLS = [
    "kpatch-rs apply",
    "kpatch-rs rebase",
    "git merge-ort",
    pytest.param("patch -F2", marks=pytest.mark.skipif(not which("patch"), reason="no patch here")),
]
"""Those that a machine with git has, and patch."""


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tools_run(around: Surroundings, repository: Path, tool: str) -> None:
    answers = judged(case(around, repository), repository, [tool]).answers
    assert {name: answer.verdict for name, answer in answers.items()} == {tool: "right"}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_conflict_of_each_tool(around: Surroundings, repository: Path, tool: str) -> None:
    new = {**NEW, "a.c": b"all\nis\nnew\n"}
    (answer,) = judged(case(around, repository, new=new), repository, [tool]).answers.values()
    assert answer.verdict == "conflict"
    assert tool == "patch -F2" or "a.c" in answer.reason


def test_what_is_not_installed_is_not_run(
    around: Surroundings, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = next(p for f in around.environment["PATH"].split(":") if (p := Path(f) / "git").exists())
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(git)
    made = case(around, repository)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    answers = judged(made, repository, ["git merge-ort", "patch -F2", "wiggle", "mergiraf"]).answers
    assert [answer.verdict for answer in answers.values()] == ["right", *["not run"] * 3]


def test_changes_of_files_given_and_given_back() -> None:
    before = {b"same": b"1", b"gone": b"2", b"other": b"3"}
    after = {b"same": b"1", b"other": b"4", b"new": b"5"}
    assert changes_of(before, after) == {b"gone": None, b"new": b"5", b"other": b"4"}


def test_both_lists_are_read(tmp_path: Path) -> None:
    commits = {"a_base": "1", "a": "2", "b_base": "3", "b": "4"}
    said = {"set": "sunxi", "name": "n", "category": "moved", **commits}
    unsaid = [{"name": "n", "identical_text": same, **commits} for same in (True, False)]
    (tmp_path / "list.json").write_text(json.dumps([said, *unsaid]))
    read = cases(tmp_path / "list.json")
    assert [(c.series, c.category) for c in read] == [
        ("sunxi", "moved"),
        ("", "identical"),
        ("", "changed"),
    ]
    assert read[0].patch == ("1", "2")
    assert read[0].by_hand == ("3", "4")


def test_the_table_has_a_part_for_each_category() -> None:
    found = [
        Judged(Case("", str(n), category, *"1234"), {"tool": Answer(ended)})
        for n, (category, ended) in enumerate(
            [("moved", "right"), ("identical", "right"), ("moved", "other")]
        )
    ]
    rows = [line.split() for line in table("patches", found).splitlines() if line]
    verdicts = ["right", "conflict", "as", "git", "apply", "other", "not", "run"]
    assert rows == [
        ["3", "patches"],
        ["identical", "(1)", *verdicts],
        ["tool", "1", "0", "0", "0", "0"],
        ["moved", "(2)", *verdicts],
        ["tool", "1", "0", "0", "1", "0"],
        ["all", "(3)", *verdicts],
        ["tool", "2", "0", "0", "1", "0"],
    ]
