"""Who moved it: conflicts and `show` name the commits, on a kernel with a history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, blaming, rebase, show
from tests.cli.test_moved import CODE, NEW, OLD, OTHER, desk, kernel_with
from tests.repos import Surroundings

BY = "(2023-11-14) move"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_conflict_names_who_made_it(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path, dry_run: bool
) -> None:
    kernel = kernel_with(around, kernel_repo, NEW, OTHER)
    session = desk(around, kernel, tmp_path)
    report = rebase.run(session, "new", check=False, dry_run=dry_run, range_diff=False)
    commit = around.git(kernel, "rev-parse", "new")
    assert f"    changed by: {commit[:12]} {BY}\n    hint: " in report.as_text()
    (edit,) = report.as_json()["steps"][0]["edits"]
    assert edit["changed-by"] == [{"commit": commit, "date": "2023-11-14", "subject": "move"}]


DIFF = f"""diff --git a/{OLD} b/{OLD}
--- a/{OLD}
+++ b/{OLD}
@@ -3,7 +3,8 @@
 \tint i;
{" "}
 \tfor (i = 0; i < ctu->count; i++)
-\t\tctu_reset_one(ctu, i);
+\t\trust_reset_one(ctu, i);
+\trust_all(ctu);
 \tctu_write_all(ctu, ctu->settings);
 \treturn ctu_enable(ctu);
 }}
"""


def test_a_patch_names_who_took_its_line(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    changed = CODE.replace(b"ctu_reset_one(ctu, i)", b"ctu_reset(ctu, i, true)")
    session = desk(around, kernel_with(around, kernel_repo, OLD, changed), tmp_path)
    (session.series_folder() / "call.diff").write_text(DIFF)
    recipe = session.series_folder() / "0001-call.toml"
    head = recipe.read_text().partition("[[edit]]")[0]
    recipe.write_text(f'{head}[[edit]]\nkind = "patch"\ndiff = "call.diff"\n')
    report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    assert "looked for 'ctu_reset_one(ctu, i);' at line 6, found it nowhere" in report.as_text()
    assert BY in report.as_text()


def test_no_longer_than_it_may_take(
    around: Surroundings,
    kernel_repo: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebase, "SECONDS", 0.0)
    session = desk(around, kernel_with(around, kernel_repo, NEW, OTHER), tmp_path)
    report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    assert report.exit_code == 3
    assert "changed by" not in report.as_text()
    assert f"Looking for who changed it took longer than {blaming.SECONDS:.0f} s." in (
        report.as_text()
    )


def test_show_names_who_moved_it(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, NEW, CODE), tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)
    assert "changed by" not in show.run(session, "call").as_text()
    rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    report = show.run(session, "call")
    assert f"{BY}\n" in report.as_text()
    assert [c["subject"] for c in report.as_json()["changed-by"]] == ["move"]
    recipe = session.series_folder() / "0001-call.toml"
    recipe.write_text(recipe.read_text().replace("rust_f", "rust_g"))
    assert "changed by" not in show.run(session, "call").as_text(), "another recipe by now"
