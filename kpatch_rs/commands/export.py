"""export: a rendering as mails, proven twice before they are written.

Every step must have been built, unless told otherwise; and the mails themselves are applied the
way `git am` does it, and must give the very trees, messages and authors they were made from.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from shlex import quote
from typing import Any

from kpatch_rs.commands import branches
from kpatch_rs.commands.check import stored_verdicts
from kpatch_rs.commands.outbox import write_mails
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import CheckFailed, Conflict, KpatchError, Usage
from kpatch_rs.gitio.mails import AppliedMail
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import IdentityUnknown, Repository
from kpatch_rs.mail.letters import Change, Mail, letters
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.proof import Result, Verdict
from kpatch_rs.model.series import Person, Series
from kpatch_rs.report import clean, counted, table

VERSION_MAX = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """The mails that were written."""

    out: Path
    base_name: str
    mails: tuple[Mail, ...]
    trees: tuple[Oid, ...]
    """The steps' trees, in the order of their mails."""
    keep_cr: bool
    """Whether a file has CR at line ends, which `git am` drops unless told to keep them."""
    beside: bool = False
    """Whether files that are none of the mails stand in the folder too."""
    exit_code: int = 0

    def as_json(self) -> dict[str, Any]:
        """Folder, cover and mails; `keep-cr` says how to apply them."""
        patches = [mail for mail in self.mails if mail.recipe]
        return {
            "out": str(self.out),
            "cover": next((mail.file for mail in self.mails if not mail.recipe), None),
            "keep-cr": self.keep_cr,
            "mails": [
                {
                    "file": mail.file,
                    "subject": mail.subject,
                    "message-id": mail.message_id,
                    "step": mail.recipe.id if mail.recipe else None,
                    "tree": tree,
                }
                for mail, tree in zip(patches, self.trees, strict=True)
            ],
        }

    def as_text(self) -> str:
        """A line a mail, and how to go on."""
        keep = " --keep-cr" if self.keep_cr else ""
        to_send, to_try = quote(str(self.out)), f"{quote(str(self.out))}/*.patch"
        if self.beside:
            to_send = " ".join(quote(str(self.out / mail.file)) for mail in self.mails)
            to_try = " ".join(quote(str(self.out / m.file)) for m in self.mails if m.recipe)
        lines = [
            f"{counted(len(self.mails), 'mail')} in {self.out}; applied to {self.base_name} they "
            "give the rendered trees.",
            f"to send them:  git send-email {to_send}",
            f"to try them:   git am{keep} {to_try}",
        ]
        if self.keep_cr:
            lines.append("a file has CR at line ends: git am keeps them with --keep-cr only")
        mails = table(("file", "subject"), [(mail.file, mail.subject) for mail in self.mails])
        return "\n\n".join((mails, clean("\n".join(lines))))


def run(
    session: Session,
    *,
    out: Path,
    version: int | None,
    force: bool,
    unchecked: bool,
    branch: str | None = None,
) -> ExportReport:
    """Write the mails of the rendering on `branch`, else of the last one, into `out`.

    Raises KpatchError where there is no rendering of these recipes, Conflict where a step does not
    fit, CheckFailed where one is not proven, Refused where `out` holds something else.
    """
    series = session.load_series()
    number = series.version if version is None else version
    if not 1 <= number <= VERSION_MAX:
        raise Usage(f"version {number} is not in 1 to {VERSION_MAX}", hint="-v 2")
    folder = (session.cwd / out).resolve()
    with session.open_kernel() as repository:
        log = OperationLog(repository, series.name)
        view = _rendering(repository, log, series, branch)
        _refuse_unwritten(series)
        if not unchecked:
            _refuse_unproven(session, series, repository, view, branches.option(log, view))
        session.progress("writing the mails")
        changes = _changes(repository, series, view)
        mails = _letters(repository, series, view, changes, number)
        session.progress("applying the mails")
        trees = tuple(step.tree for step in view.steps if step.commit and step.tree)
        patches = [mail for mail in mails if mail.recipe]
        applied = repository.trees_of_mails(view.base, [mail.data for mail in patches])
        for made in zip(patches, changes, trees, applied, strict=True):
            _compare(*made)
    ours = re.sub(r"-v\d+-\d+-[0-9a-f]+@.*", "-v", mails[0].message_id)
    files = {mail.file: mail.data for mail in mails}
    beside = write_mails(folder, files, ours=ours, force=force)
    return ExportReport(
        out=folder,
        base_name=view.base_name,
        mails=mails,
        trees=trees,
        keep_cr=any(b"\r\n" in change.patch for change in changes),
        beside=beside,
    )


def _rendering(
    repository: Repository, log: OperationLog, series: Series, branch: str | None
) -> View:
    """The rendering that is meant, if it is one of the recipes as they are now."""
    view = branches.rendering(log, branch)
    if view is None or view.tip is None:
        raise KpatchError(
            f"series {series.name} is not rendered in this repository",
            hint="render it first: kpatch-rs apply",
        )
    stuck = [step.id for step in view.steps if step.status == Status.CONFLICT]
    if stuck:
        raise Conflict(
            f"the last rendering has conflicts in: {', '.join(stuck)}",
            hint="kpatch-rs apply shows what each of them looked for",
        )
    if view.digest != series.digest():
        raise KpatchError(
            f"series {series.name} has changed since it was rendered on {view.base_name}",
            hint=f"render it again: kpatch-rs apply{branches.option(log, view)}",
        )
    if repository.branch(view.branch) not in (None, view.tip):
        raise KpatchError(
            f"branch {view.branch} was changed by hand since the series was rendered",
            hint="put the change into the recipes; the mails are made of them",
        )
    return view


def _refuse_unwritten(series: Series) -> None:
    """What `init` and `new` left to be written must not reach a mailing list."""
    cover = series.cover
    texts = {"cover.txt": f"{cover.subject}\n{cover.text}" if cover else ""}
    texts |= {str(recipe.where): recipe.message() for recipe in series.recipes}
    for where, text in texts.items():
        if left := re.search(r"\*\*\* [A-Z ]+ HERE \*\*\*", text):
            raise KpatchError(f"{where}: '{left[0]}' is still to be written", hint="write it")


def _refuse_unproven(
    session: Session, series: Series, repository: Repository, view: View, option: str
) -> None:
    verdicts = stored_verdicts(session, series, repository, view)
    said = [
        f"{step.id} ({_verdict(verdict)})"
        for step, verdict in zip(view.steps, verdicts, strict=True)
        if step.commit and not (verdict and verdict.result is Result.PASSED)
    ]
    if said:
        raise CheckFailed(
            f"not proven on {view.base_name}: {', '.join(said)}",
            hint=f"kpatch-rs check{option} builds them; export --unchecked writes the mails all "
            "the same",
        )


def _verdict(verdict: Verdict | None) -> str:
    return str(verdict.result) if verdict else "not checked"


def _changes(repository: Repository, series: Series, view: View) -> tuple[Change, ...]:
    """The steps that have a commit, each against the one before it."""
    recipes = {recipe.id: recipe for recipe in series.recipes}
    before, changes = view.base, []
    for step in view.steps:
        if step.commit is None:
            continue
        diff = repository.diff(before, step.commit)
        recipe = recipes[step.id]
        change = Change(
            recipe=recipe,
            commit=step.commit,
            author=recipe.author or repository.identity(),
            patch=diff.patch,
            stat=diff.stat + diff.summary,
        )
        changes.append(change)
        before = step.commit
    if not changes:
        raise KpatchError(
            f"{view.base_name} has all of series {series.name} already: there is nothing to mail",
            hint="kpatch-rs status shows the steps",
        )
    return tuple(changes)


def _letters(
    repository: Repository, series: Series, view: View, changes: Sequence[Change], version: int
) -> tuple[Mail, ...]:
    return letters(
        series,
        changes,
        stat=repository.series_stat(view.base, changes[-1].commit),
        base=view.base,
        sender=_sender(repository, changes),
        version=version,
        date=int(time.time()),
    )


def _sender(repository: Repository, changes: Sequence[Change]) -> Person:
    """Who git says mails; where it says nobody, the author, if all patches have the same one."""
    try:
        return repository.identity()
    except IdentityUnknown:
        authors = {change.author for change in changes}
        if len(authors) > 1:
            raise
        return authors.pop()


def _compare(mail: Mail, change: Change, tree: Oid, applied: AppliedMail) -> None:
    """Raises KpatchError where `git am` would make something else of the mail."""
    recipe = change.recipe
    where = f"{recipe.where}: {recipe.id}: its mail {mail.file}"
    if applied.tree != tree:
        raise KpatchError(
            f"{where} gives tree {applied.tree[:12]}, not {tree[:12]} as rendered",
            hint="send the branch itself: this change does not survive the mail",
        )
    if applied.author != str(change.author).encode():
        got = applied.author.decode(errors="replace")
        raise KpatchError(
            f"{where} gives the author as '{got}', not '{change.author}'",
            hint="git am takes names of 3 to 60 characters, with single spaces",
        )
    if applied.message != recipe.message().encode():
        wanted, got_ = recipe.message().encode().split(b"\n"), applied.message.split(b"\n")
        pairs = enumerate(zip_longest(wanted, got_), 1)
        line, want, got_line = next((n, a, b) for n, (a, b) in pairs if a != b)
        raise KpatchError(
            f"{where} gives another message: line {line} is {got_line!r}, not {want!r}",
            hint="git am cuts white space at line ends, double spaces in the subject and double "
            "blank lines: change them in the recipe",
        )
