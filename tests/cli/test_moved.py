"""A static function that moved far: found by rebase, remembered in the recipe, never guessed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.commands import apply, rebase
from kpatch_rs.commands.session import Session
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.model.outcome import Status
from tests.repos import Surroundings
from tests.unit.test_kind_patch import diff

CODE = b"""static int ctu_init(struct ctu *ctu)
{
	int i;

	for (i = 0; i < ctu->count; i++)
		ctu_reset_one(ctu, i);
	ctu_write_all(ctu, ctu->settings);
	return ctu_enable(ctu);
}
"""
OTHER = b"static int ctu_init(struct pci_dev *pdev)\n{\n\treturn pci_enable_device(pdev);\n}\n"
OLD, NEW = "sound/soc/sh/rcar/ctu.c", "sound/codecs/renesas/ctu.c"
MAKEFILE = b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\nEXTRAVERSION =\n"

SERIES = """format = 1
name = "moved"
base = "old"
change-id = "20260101-moved-0123456789ab"
"""
RECIPE = f"""id = "call"
subject = "ASoC: Call Rust"

# as in the old kernel
[[edit]]
kind = "c-call"
file = "{OLD}"      # and on
function = "ctu_init"
statement = "rust_f();"
"""


def desk(around: Surroundings, kernel: Path, tmp_path: Path) -> Session:
    folder = tmp_path / "series/moved"
    folder.mkdir(parents=True)
    (folder / "series.toml").write_text(SERIES)
    (folder / "0001-call.toml").write_text(RECIPE)
    return Session(
        kernel=kernel,
        series="moved",
        cwd=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment=dict(around.environment),
        progress=lambda _: None,
    )


def kernel_with(around: Surroundings, make: Callable[..., Path], path: str, code: bytes) -> Path:
    """Tag `old` has CODE where it was; `new`, on top of it, has `code` at `path`."""
    kernel = make({OLD: CODE, "Makefile": MAKEFILE})
    around.git(kernel, "tag", "old")
    (kernel / OLD).unlink()
    (kernel / path).parent.mkdir(parents=True, exist_ok=True)
    (kernel / path).write_bytes(code)
    around.git(kernel, "add", "-A")
    around.git(kernel, "commit", "-q", "-m", "move")
    around.git(kernel, "tag", "new")
    return kernel


def statuses(report: object) -> list[Status]:
    return [step.status for step in report.steps]  # type: ignore[attr-defined]  # of two verbs


def test_what_rebase_finds_out_stays(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    moved = CODE.replace(b"ctu_write_all(ctu, ", b"ctu_write(ctu, ")
    session = desk(around, kernel_with(around, kernel_repo, NEW, moved), tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)
    report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    assert statuses(report) == [Status.MOVED]
    recipe = session.series_folder() / "0001-call.toml"
    learned = recipe.read_text()
    assert learned == f'{RECIPE}also = ["{NEW}"]\n', "comments and order stay"
    with session.open_kernel() as repository:
        view = OperationLog(repository, "moved").current()
    assert view is not None
    assert view.digest == session.load_series().digest(), "what stands in the log is the series"
    again = apply.run(session, onto=None, branch=None, dry_run=False)
    assert again.commits == report.commits, "the same without the old kernel"
    back = rebase.run(session, "old", check=False, dry_run=False, range_diff=False)
    assert statuses(back) != [Status.CONFLICT]
    assert recipe.read_text() == learned
    assert (session.series_folder() / "series.toml").read_text() == SERIES


def test_a_later_file_of_a_patch_that_went_elsewhere_is_told(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, NEW, CODE), tmp_path)
    new = {
        "Makefile": MAKEFILE + b"NAME = x\n",
        OLD: CODE.replace(b"_enable(ctu)", b"_enable(ctu, 1)"),
    }
    folder = session.series_folder()
    (folder / "x.diff").write_bytes(diff({"Makefile": MAKEFILE, OLD: CODE}, new))
    edit = '[[edit]]\nkind = "patch"\ndiff = "x.diff"\n'
    (folder / "0001-call.toml").write_text(RECIPE[: RECIPE.index("[[edit]]")] + edit)
    apply.run(session, onto=None, branch=None, dry_run=False)
    report = rebase.run(session, "new", check=False, dry_run=True, range_diff=False)
    (step,) = report.steps
    assert step.edits[0].was == step.edits[0].outcome.place, "that of Makefile, which stayed"
    assert statuses(report) == [Status.MOVED]
    assert f"moved: {OLD} is {NEW} now" in report.as_text()


def test_anothers_function_of_the_name_is_not_it(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, NEW, OTHER), tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)
    report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    assert statuses(report) == [Status.CONFLICT]
    assert (session.series_folder() / "0001-call.toml").read_text() == RECIPE


def test_a_dry_run_learns_nothing(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, NEW, CODE), tmp_path)
    report = rebase.run(session, "new", check=False, dry_run=True, range_diff=False)
    assert statuses(report) == [Status.MOVED]
    assert (session.series_folder() / "0001-call.toml").read_text() == RECIPE


RENAMED = CODE.replace(b"ctu_init(", b"ctu_setup(")


def test_a_function_of_another_name_is_known_by_its_body(
    around: Surroundings, kernel_repo: Callable[..., Path], tmp_path: Path
) -> None:
    session = desk(around, kernel_with(around, kernel_repo, OLD, RENAMED), tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)
    report = rebase.run(session, "new", check=False, dry_run=False, range_diff=False)
    (step,) = report.steps
    assert (step.status, step.reason) == (Status.ADAPTED, "ctu_init() is called ctu_setup() now")
    recipe = session.series_folder() / "0001-call.toml"
    learned = recipe.read_text()
    assert learned == f'{RECIPE}names = ["ctu_setup"]\n'
    again = apply.run(session, onto=None, branch=None, dry_run=False)
    assert again.commits == report.commits, "the same without the old kernel"
    back = rebase.run(session, "old", check=False, dry_run=False, range_diff=False)
    assert statuses(back) != [Status.CONFLICT]
    assert recipe.read_text() == learned


@pytest.mark.parametrize(
    ("code", "candidates"),
    [
        pytest.param(
            RENAMED + RENAMED.replace(b"ctu_setup(", b"ctu_start("),
            ["ctu_setup(): the same body", "ctu_start(): the same body"],
            id="two of that body",
        ),
        pytest.param(RENAMED, ["ctu_init()"], id="one of the old name in a tool"),
        pytest.param(
            b"static int ctu_begin(struct ctu *ctu)\n{\n\treturn ctu_enable(ctu);\n}\n",
            ["ctu_begin()"],
            id="another body",
        ),
    ],
)
def test_what_is_not_certain_is_offered(
    around: Surroundings,
    kernel_repo: Callable[..., Path],
    tmp_path: Path,
    code: bytes,
    candidates: list[str],
) -> None:
    kernel = kernel_with(around, kernel_repo, OLD, code)
    if candidates == ["ctu_init()"]:
        (kernel / "tools").mkdir()
        (kernel / "tools/ctu.c").write_bytes(CODE)
        around.git(kernel, "add", "tools")
        around.git(kernel, "commit", "-q", "-m", "a tool")
        around.git(kernel, "tag", "-f", "new")
    session = desk(around, kernel, tmp_path)
    apply.run(session, onto=None, branch=None, dry_run=False)
    (step,) = rebase.run(session, "new", check=False, dry_run=False, range_diff=False).steps
    assert step.status is Status.CONFLICT
    assert [c.what for c in step.edits[0].outcome.candidates][: len(candidates)] == candidates
    assert (session.series_folder() / "0001-call.toml").read_text() == RECIPE
