"""The operation log of a series: a chain of commits at refs/kpatch/<series>/log.

Guarantees: this one ref is the truth about a series, and nothing has to agree with it; an operation
has as parents the one before it and every commit it names, so that no gc takes what undo needs;
branch and log move in one transaction. A log that cannot be read is an error that names the ref.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio import refs
from kpatch_rs.gitio.objects import Entry, RepositoryDamaged, read_commit
from kpatch_rs.gitio.writing import NewCommit, write_commits
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.operation import BranchMove, Operation, StepRecord, View
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Person
from kpatch_rs.model.tree import File

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository

FORMAT = 1
"""Version of operation.json. A reader refuses a newer one, and reads all older ones."""

_FILE = RepoPath(b"operation.json")
_WRITER = Person("kpatch-rs", "kpatch-rs@localhost")
_SERIES = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*(\.[A-Za-z0-9_+-]+)*")


class LogUnreadable(KpatchError):
    """The log ref holds something else than a log that this version can read."""


@dataclass(frozen=True, slots=True)
class OperationLog:
    """The log of one series in one repository."""

    repository: Repository
    series: str

    def __post_init__(self) -> None:
        """Refuse a series whose name cannot be part of a ref's."""
        if not _SERIES.fullmatch(self.series) or self.series.endswith(".lock"):
            raise KpatchError(
                f"'{self.series}' cannot name a series",
                hint="use letters, digits, '-', '_', '+' and single dots",
            )

    @property
    def ref(self) -> str:
        """The truth ref's full name."""
        return f"refs/kpatch/{self.series}/log"

    def entries(self, limit: int | None = None) -> tuple[Operation, ...]:
        """The operations, newest first. Raises LogUnreadable."""
        return tuple(islice(self._walk(refs.read(self.repository.git, self.ref)), limit))

    def standing(self, since: Oid | None = None) -> Iterator[Operation]:
        """The operations that are not undone, newest first; as `since` left them, with one.

        An undo puts back all that was before the operation it undoes, so the walk goes on there.
        Raises LogUnreadable.
        """
        at = since or refs.read(self.repository.git, self.ref)
        while at:
            operation, previous = self._read(at)
            if operation.undoes:
                previous = self._read(operation.undoes)[1]
            else:
                yield operation
            at = previous

    def current(self) -> View | None:
        """What the series was last rendered as; None where it is not. Raises LogUnreadable."""
        newest = self.entries(limit=1)
        return newest[0].after if newest else None

    def kept(self) -> Iterator[View]:
        """The newest rendering of each branch, the last one first. Raises LogUnreadable."""
        seen = set[str]()
        for operation in self.standing():
            if (view := operation.after) and view.branch not in seen:
                seen.add(view.branch)
                yield view

    def kept_on(self, branch: str) -> View | None:
        """The newest rendering on `branch`; None without one. Raises LogUnreadable."""
        return next((view for view in self.kept() if view.branch == branch), None)

    def tip_of(self, branch: str) -> Oid | None:
        """Where the newest operation that moved `branch` left it; None also where none did."""
        walk = self._walk(refs.read(self.repository.git, self.ref))
        return next((m.new for op in walk for m in op.moves if m.branch == branch), None)

    def others(self) -> Iterator[OperationLog]:
        """The logs of the other series in this repository."""
        out = self.repository.git.run("for-each-ref", "--format=%(refname)", "refs/kpatch/")
        for ref in out.decode(errors="replace").splitlines():
            name = ref.removeprefix("refs/kpatch/").removesuffix("/log")
            if name != self.series and _SERIES.fullmatch(name):
                yield OperationLog(self.repository, name)

    def record(
        self,
        verb: str,
        summary: str,
        after: View | None,
        *,
        time: int,
        branch_old: Oid | None,
        undoes: Oid | None = None,
        adopts: bool = False,
    ) -> Operation:
        """Take the branch to `after.tip` and write it down, both or neither.

        `branch_old` is where the branch was found before the work began. With `undoes`, the
        branches that operation moved go back to where it found them, too; `after` is then its
        `before`, and `branch_old` where its branch is now. With `adopts`, somebody else took the
        branch from `branch_old` to `after.tip` already: it stays there, and this is written down.
        Raises Refused where somebody has a branch checked out that is to move, RefMoved where one
        has moved since. A branch that is there already is only looked at.
        """
        newest = refs.read(self.repository.git, self.ref)
        before = self._read(newest)[0].after if newest else None
        moves = self._moves(before, after, branch_old, undoes)
        for move in moves:
            if move.old != move.new and not adopts:
                self.repository.refuse_if_checked_out(move.branch)
        body = {
            "format": FORMAT,
            "previous": newest,
            "verb": verb,
            "summary": summary,
            "time": time,
            "before": asdict(before) if before else None,
            "after": asdict(after) if after else None,
            "moves": [asdict(move) for move in moves],
            "undoes": undoes,
        }
        commit = self._write(body, newest, _named(before, after, moves))
        at = [replace(move, old=move.new) for move in moves] if adopts else moves
        self._publish(at, newest, commit, f"kpatch-rs: {verb}: {summary}")
        return _operation(commit, body)

    def _moves(
        self, before: View | None, after: View | None, old: Oid | None, undoes: Oid | None
    ) -> tuple[BranchMove, ...]:
        if undoes:
            undone = self._read(undoes)[0].moves
            return tuple(BranchMove(branch=m.branch, old=old, new=m.old) for m in undone)
        view = after or before
        new = after.tip if after else None
        return (BranchMove(branch=view.branch, old=old, new=new),) if view else ()

    def _write(self, body: Mapping[str, Any], newest: Oid | None, named: Sequence[Oid]) -> Oid:
        data = json.dumps(body, indent=1, ensure_ascii=True).encode() + b"\n"
        title = _one_line(f"{body['verb']}: {body['summary']}") + "\n"
        entry = NewCommit(
            message=title.encode(errors="replace"),
            author=_WRITER,
            date=f"{body['time']} +0000",
            changes={_FILE: File(data)},
            whole=True,
        )
        parents = tuple(dict.fromkeys(name for name in (newest, *named) if name))
        written = write_commits(self.repository.git, self.repository.objects, parents, [entry])
        return written[0].commit

    def _publish(
        self, moves: Sequence[BranchMove], newest: Oid | None, commit: Oid, why: str
    ) -> None:
        git = self.repository.git
        branches = [
            refs.Move(refs.branch_ref(m.branch), m.old, m.new) for m in moves if m.old or m.new
        ]
        refs.move(git, [*branches, refs.Move(self.ref, newest, commit)], _one_line(why))

    def _walk(self, newest: Oid | None) -> Iterator[Operation]:
        while newest:
            operation, newest = self._read(newest)
            yield operation

    def _read(self, commit: Oid) -> tuple[Operation, Oid | None]:
        """The operation `commit` holds, and the one before it."""
        objects = self.repository.objects
        try:
            entry: Entry | None = objects.entries(read_commit(objects, commit).tree).get(_FILE)
            if entry is None:
                raise self._unreadable(commit, "it holds no operation")
            body = json.loads(objects.blob(entry.oid))
            if (version := body["format"]) != FORMAT:
                raise LogUnreadable(
                    f"{self.ref} is in format {version}, and this kpatch-rs reads {FORMAT}",
                    hint="use the newer kpatch-rs that wrote it",
                )
            return _operation(commit, body), _maybe_oid(body["previous"])
        except RepositoryDamaged as error:
            raise self._unreadable(commit, error.message) from error
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._unreadable(commit, f"malformed ({error})") from error

    def _unreadable(self, commit: Oid, why: str) -> LogUnreadable:
        return LogUnreadable(
            f"{self.ref}: operation {commit[:12]} cannot be read: {why}",
            hint=f"branches are not affected; to start a new log: git update-ref -d {self.ref}",
        )


def _one_line(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())


def _named(before: View | None, after: View | None, moves: Sequence[BranchMove]) -> tuple[Oid, ...]:
    """Every commit an operation names, once each; a step's commit is an ancestor of its tip."""
    of_views = (oid for view in (before, after) if view for oid in (view.base, view.tip))
    of_moves = (oid for move in moves for oid in (move.old, move.new))
    return tuple(dict.fromkeys(oid for oid in (*of_views, *of_moves) if oid))


def _operation(commit: Oid, body: Mapping[str, Any]) -> Operation:
    return Operation(
        id=commit,
        verb=str(body["verb"]),
        summary=str(body["summary"]),
        time=int(body["time"]),
        before=_view(body["before"]),
        after=_view(body["after"]),
        moves=tuple(_branch_move(move) for move in body["moves"]),
        undoes=_maybe_oid(body["undoes"]),
    )


def _view(raw: Mapping[str, Any] | None) -> View | None:
    if raw is None:
        return None
    return View(
        branch=str(raw["branch"]),
        base_name=str(raw["base_name"]),
        base=oid(raw["base"]),
        tip=_maybe_oid(raw["tip"]),
        steps=tuple(_step(step) for step in raw["steps"]),
        digest=str(raw["digest"]),
    )


def _step(raw: Mapping[str, Any]) -> StepRecord:
    return StepRecord(
        id=str(raw["id"]),
        subject=str(raw["subject"]),
        status=str(raw["status"]),
        reason=str(raw["reason"]),
        commit=_maybe_oid(raw["commit"]),
        tree=_maybe_oid(raw["tree"]),
    )


def _branch_move(raw: Mapping[str, Any]) -> BranchMove:
    return BranchMove(
        branch=str(raw["branch"]), old=_maybe_oid(raw["old"]), new=_maybe_oid(raw["new"])
    )


def _maybe_oid(raw: Any) -> Oid | None:
    return None if raw is None else oid(raw)
