"""rebase --newest-of, on a kernel in which the function goes away half way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, newest, undo
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Usage
from tests.cli.test_moved import CODE, MAKEFILE, OLD, desk
from tests.repos import Surroundings

COUNT, GONE = 9, 6


@pytest.fixture
def kernel(kernel_repo: Callable[..., Path], around: Surroundings) -> Path:
    """Tags old, t1 … t9, each a commit; from t6 on, the function is another."""
    path = kernel_repo({OLD: CODE, "Makefile": MAKEFILE})
    around.git(path, "tag", "old")
    for number in range(1, COUNT + 1):
        body = CODE if number < GONE else b"int quite_another(void)\n{\n\treturn 7;\n}\n"
        (path / OLD).write_bytes(b"\n" * number + body)
        around.git(path, "commit", "-q", "-a", "-m", f"change {number}")
        around.git(path, "tag", f"t{number}")
    return path


@pytest.fixture
def session(kernel: Path, around: Surroundings, tmp_path: Path) -> Session:
    made = desk(around, kernel, tmp_path)
    apply.run(made, onto=None, branch=None, dry_run=False)
    return made


def sought(session: Session, range_: str, *, dry_run: bool = False) -> newest.NewestReport:
    return newest.run(session, range_, check=False, dry_run=dry_run, range_diff=False)


def base(session: Session) -> str:
    return session.load_series().base or ""


def test_the_newest_clean_one_is_found(
    session: Session, kernel: Path, around: Surroundings
) -> None:
    clean, bad = (around.git(kernel, "rev-parse", f"t{n}") for n in (GONE - 1, GONE))
    refs = around.refs(kernel)
    told = sought(session, "old..t9", dry_run=True)
    assert (told.exit_code, base(session), around.refs(kernel)) == (0, "old", refs)
    report = sought(session, "old..t9")
    assert report.exit_code == 0
    assert report.rebased.base == clean == base(session)
    assert report.blocking is not None
    assert report.blocking.base == bad
    assert len(report.tried) <= 6, "bisected"
    text = report.as_text()
    assert f"The first that conflicts is {bad[:12]}:\n\ncall (0001-call.toml:5): conflict" in text
    assert f"    changed by: {bad[:12]} (2023-11-14) change 6\n" in text
    document = report.as_json()
    assert document["blocking"]["base"] == bad
    assert {"base": bad, "conflicts": ["call"]} in document["tried"]
    assert around.git(kernel, "rev-parse", "kpatch/moved^") == clean
    undo.run(session, None)
    assert around.git(kernel, "rev-parse", "kpatch/moved^") == around.git(
        kernel, "rev-parse", "old"
    )


def test_all_of_it_is_clean(session: Session) -> None:
    report = sought(session, "old..t3")
    assert (report.exit_code, report.blocking, base(session)) == (0, None, "t3")
    assert len(report.tried) == 2


def test_the_first_conflicts_already(session: Session) -> None:
    report = sought(session, f"t{GONE}..t9")
    assert (report.exit_code, len(report.tried), base(session)) == (3, 1, "old")


@pytest.mark.parametrize("range_", ["old", "old..", "..t1", "old...t1", ""])
def test_what_is_no_range(session: Session, range_: str) -> None:
    with pytest.raises(Usage, match="is no range"):
        sought(session, range_)


def test_ranges_with_nothing_in_them(session: Session) -> None:
    with pytest.raises(KpatchError, match=r"t3\.\.t1 has no commits"):
        sought(session, "t3..t1")
    with pytest.raises(KpatchError, match="has no 't99'"):
        sought(session, "old..t99")


def test_bases_on_branches_side_by_side(session: Session, around: Surroundings) -> None:
    assert session.kernel is not None
    apply.run(session, onto="t3", branch="kpatch/moved-3", dry_run=False)
    kept = around.git(session.kernel, "rev-parse", "kpatch/moved^", "kpatch/moved-3^")
    assert kept == around.git(session.kernel, "rev-parse", "old", "t3")
    with pytest.raises(KpatchError) as error:
        apply.run(session, onto="t3", branch="kpatch/moved/3/x", dry_run=False)
    assert error.value.hint == "give another branch: --branch kpatch/moved-3-x"
