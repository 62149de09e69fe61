"""demo: the whole way on the embedded miniature kernel, with the very verbs a maintainer types.

Guarantees: everything happens in one new folder, which is gone at the end unless it is to be kept;
a machine without compilers sees the same way, with `not built` and the reason where a proof stood.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from kpatch_rs import demo
from kpatch_rs.commands import apply, check, export, rebase
from kpatch_rs.commands.check import CheckReport
from kpatch_rs.commands.export import ExportReport
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import Refused
from kpatch_rs.gitio.create import create_repository
from kpatch_rs.model.proof import Result, Verdict
from kpatch_rs.report import Report, table

KERNEL, MAILS = "linux.git", "out"

_OPENING = """\
A kernel in miniature with two releases, and a series that puts Rust into a C module of the first.
Between the two releases, the function that calls Rust went to another file and was rewritten; the
object list was reflowed, a script rewritten, Kconfig, a header and MAINTAINERS rearranged."""

_AUTHOR = {"GIT_AUTHOR_NAME": "A Maintainer", "GIT_AUTHOR_EMAIL": "maintainer@example.org"}
"""Who sends the mails, also on a machine where git knows nobody."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One command of the way, and what it answered."""

    typed: str
    """As the maintainer types it."""
    report: Report
    text: str
    """The part of the answer that is worth reading here."""


@dataclass(frozen=True, slots=True)
class AmReport:
    """What `git am` makes of the mails."""

    base_name: str
    trees: tuple[str, ...]
    """After each mail."""
    rendered: tuple[str, ...]
    """Of each step."""

    @property
    def exit_code(self) -> int:
        """0 where each mail gives its step's tree."""
        return int(self.trees != self.rendered)

    def as_json(self) -> dict[str, Any]:
        """Both lists."""
        return {"trees": list(self.trees), "rendered": list(self.rendered)}

    def as_text(self) -> str:
        """One line."""
        if self.exit_code:
            return f"The mails give other trees on {self.base_name} than the recipes."
        return (
            f"{len(self.trees)} mails on {self.base_name} give the {len(self.trees)} trees"
            f" of the steps; the last is {self.trees[-1][:12]}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """The whole way."""

    kept: Path | None
    """The folder it happened in, where that stays."""
    scenes: tuple[Scene, ...]

    @property
    def exit_code(self) -> int:
        """That of the scene the way ended at, else 0; a missing compiler is no failure."""
        return _exit_code(self.scenes[-1].report)

    def as_json(self) -> dict[str, Any]:
        """Each command with its own document."""
        return {
            "folder": str(self.kept) if self.kept else None,
            "scenes": [{"typed": s.typed, "report": s.report.as_json()} for s in self.scenes],
        }

    def as_text(self) -> str:
        """The commands and their answers, and where to go on from here."""
        shown = [f"$ {scene.typed}\n{scene.text}" for scene in self.scenes]
        return "\n\n".join([_OPENING, *shown, self._end()])

    def _end(self) -> str:
        if self.kept is None:
            return "All of it is gone again; `kpatch-rs demo --keep DIR` leaves it there to try."
        return (
            f"To go on: cd {self.kept} &&"
            f" export KPATCH_RS_KERNEL={KERNEL} KPATCH_RS_SERIES={demo.SERIES}"
        )


def run(session: Session, *, keep: Path | None) -> DemoReport:
    """Go the whole way; `keep` is a new or empty folder that stays.

    Raises Refused where `keep` holds something already, and KpatchError as the verbs do.
    """
    with _folder(session, keep) as folder:
        session.progress("making the miniature kernel")
        create_repository(folder / KERNEL, demo.kernel_stream(), session.environment)
        demo.write_series(folder / "series")
        mini = replace(
            session,
            kernel=folder / KERNEL,
            series=demo.SERIES,
            cwd=folder,
            cache=folder / "cache",
            state=folder / "state",
            environment={**session.environment, **_AUTHOR},
        )
        return DemoReport(kept=folder if keep else None, scenes=tuple(_scenes(mini)))


@contextmanager
def _folder(session: Session, keep: Path | None) -> Iterator[Path]:
    if keep is None:
        below = session.environment.get("TMPDIR")
        with tempfile.TemporaryDirectory(prefix="kpatch-rs-demo-", dir=below) as made:
            yield Path(made).resolve()
        return
    folder = (session.cwd / keep).resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already", hint="name a folder that is not, or is empty")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _scenes(mini: Session) -> Iterator[Scene]:
    """The verbs in order, up to the first that does not end well."""
    for scene in _way(mini):
        yield scene
        if _exit_code(scene.report):
            return


def _way(mini: Session) -> Iterator[Scene]:
    applied = apply.run(mini, onto=demo.FIRST_RELEASE, branch=None, dry_run=False)
    yield Scene(f"kpatch-rs apply --onto {demo.FIRST_RELEASE}", applied, _short(applied, 1))
    yield _check(mini)
    rebased = rebase.run(mini, demo.SECOND_RELEASE, check=False, dry_run=False, range_diff=False)
    yield Scene(f"kpatch-rs rebase {demo.SECOND_RELEASE}", rebased, _short(rebased, 2))
    checked = _check(mini)
    yield checked
    proven = not checked.report.exit_code
    sent = export.run(mini, out=Path(MAILS), version=None, force=False, unchecked=not proven)
    typed = f"kpatch-rs export -o {MAILS}{'' if proven else ' --unchecked'}"
    yield Scene(typed, sent, "\n".join(mail.file for mail in sent.mails))
    received = _am(mini, sent)
    yield Scene(f"git am {MAILS}/*.patch", received, received.as_text())


def _short(report: RenderReport, blocks: int) -> str:
    """The summary, and with two blocks the table; where a step does not fit, all that is said."""
    said = report.as_text().split("\n\n")
    if report.conflicts:
        return "\n\n".join(said)
    return "\n\n".join([*said[:1], *said[-1:]][-blocks:])


def _check(mini: Session) -> Scene:
    report = check.run(mini, step=None, fresh=False, trust=False)
    return Scene("kpatch-rs check", report, _verdicts(report))


def _verdicts(report: CheckReport) -> str:
    """A line for each thing that was shown or could not be; everything, where a step failed."""
    full = report.as_text()
    if _exit_code(report):
        return full
    rows = [
        row
        for verdict in (v for _, v in report.rows if v)
        for row in zip_longest([verdict.id], [_how(verdict)], verdict.proofs, fillvalue="")
    ]
    return f"{table(('step', 'verdict', 'shown'), rows)}\n\n{full.split(chr(10) * 2)[-1]}"


def _how(verdict: Verdict) -> str:
    return f"{verdict.result}: {verdict.reason}" if verdict.reason else verdict.result


def _am(mini: Session, sent: ExportReport) -> AmReport:
    """Apply the files that were written: what arrives is what counts."""
    mails = [path.read_bytes() for path in sorted(sent.out.glob("*.patch"))]
    with mini.open_kernel() as kernel:
        applied = kernel.trees_of_mails(kernel.resolve(sent.base_name), mails)
    return AmReport(sent.base_name, tuple(mail.tree for mail in applied), sent.trees)


def _exit_code(report: Report) -> int:
    """Its own, but for a check in which nothing failed and something could not be built."""
    if isinstance(report, CheckReport):
        failed = any(v.result is Result.FAILED for _, v in report.rows if v)
        return report.exit_code if failed else 0
    return report.exit_code
