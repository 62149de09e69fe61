"""refresh: what somebody changed on the rendered branch flows back into the recipes.

The branch stays where that somebody put it; the log takes its commits for the rendering, which they
are: loaded again from its files, the series gives their trees, step by step, or nothing is changed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.commands.given import of_commits
from kpatch_rs.commands.refreshed import FileChange, RefreshReport, Row
from kpatch_rs.commands.revising import Placed, Revised, Reviser, Turn, turns
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.refresh import woven
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.lock import lock
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.repository import IdentityUnknown, Repository
from kpatch_rs.loader.document import decoded, read_document
from kpatch_rs.loader.load import RECIPE_LIMIT, read_text
from kpatch_rs.loader.numbering import file_names
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.revise import parts
from kpatch_rs.loader.save import Rewrite, prepare
from kpatch_rs.loader.source import PAYLOAD_LIMIT, Unreadable, read_file
from kpatch_rs.loader.write import payloads
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.operation import StepRecord, View
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.path import show
from kpatch_rs.model.series import Payload, Person, Recipe, Series
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import kernel_version, show_version


def run(session: Session, *, dry_run: bool) -> RefreshReport:
    """Put the changes of the series' branch into its files.

    Raises KpatchError where there is no rendering, or a commit cannot be a recipe; Refused where
    the recipes changed, too, or the branch stands on another kernel. Then nothing is changed.
    """
    name = session.load_series().name
    with session.open_kernel() as repository, lock(repository, name, session.progress):
        series = session.load_recipes()
        log = OperationLog(repository, name)
        view, tip = _edited(repository, log, series)
        if view.tip is None or tip == view.tip:
            stale = view.digest != series.digest()
            return RefreshReport(branch=view.branch, tip=tip, dry_run=dry_run, stale=stale)
        _refuse_other_kernel(repository, view, tip)
        session.progress("reading the commits")
        before = _rendered(repository, series, view, view.tip)
        now = _placed(repository, view.base, tip)
        _refuse_empty(view, now)
        found = turns(series.recipes, before, now)
        plan = _plan(session, repository, series, [recipe for recipe, _ in before], found)
        session.progress("rendering the new recipes")
        fresh = plan.loaded(series)
        steps = render(fresh, repository.tree(view.base), repository.history())
        _must_give(steps, now)
        after = _view(repository, view, fresh, steps, now)
        report = plan.report(view.branch, tip, dry_run=dry_run)
        if not dry_run:
            _record(session, log, view, after, plan)
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The series as its files say now, and as they will."""

    old: Sequence[Recipe]
    texts: Mapping[str, bytes]
    """The recipes' files, by id."""
    order: Sequence[str]
    """The ids as they will be."""
    files: Mapping[str, str]
    """The name of each recipe's file, by id."""
    revised: Mapping[str, Revised]
    kept: Mapping[str, bytes]
    """Payloads that something else than a recipe names: they stay whatever becomes of recipes."""

    def loaded(self, series: Series) -> Series:
        """The series as it will be read. Raises KpatchError where two need one payload's name."""
        from dataclasses import replace

        known = {name: Payload(name, data) for name, data in self._payloads().items()}
        recipes = tuple(
            read_recipe(read_document(self.files[id_], self._text(id_)), known.__getitem__)
            for id_ in self.order
        )
        return replace(series, recipes=recipes)

    def changes(self) -> list[FileChange]:
        """What becomes of each file: recipes in their new order, dropped ones, payloads."""
        names = {recipe.id: recipe.where.file for recipe in self.old}
        found = [
            FileChange(names.get(id_), self.files[id_], self.texts.get(id_), self._text(id_))
            for id_ in self.order
        ]
        found += [
            FileChange(r.where.file, None, self.texts[r.id], None)
            for r in self.old
            if r.id not in self.files
        ]
        was = {p.name: p.data for recipe in self.old for p in payloads(recipe)}
        now = self._payloads()
        for name in sorted({*was, *now}):
            old, new = was.get(name), now.get(name, self.kept.get(name))
            found.append(
                FileChange(
                    name if old is not None else None, name if new is not None else None, old, new
                )
            )
        return [change for change in found if change.changes]

    def rewrites(self) -> list[Rewrite]:
        """The same for the disk: what comes first is written first, what goes, goes last."""
        before = {c.was: c.old for c in self.changes() if c.was}
        after = {c.name: c.new for c in self.changes() if c.name}
        names = [*reversed(after), *(name for name in before if name not in after)]
        return [Rewrite(n, before.get(n), after.get(n)) for n in names]

    def report(self, branch: str, tip: Oid, *, dry_run: bool) -> RefreshReport:
        """What was found, in the new order; what was dropped, last."""
        rows = [self._row(id_) for id_ in self.order]
        rows += [
            Row(id=r.id, file=r.where.file, subject=r.subject, news=("dropped",), commit=None)
            for r in self.old
            if r.id not in self.files
        ]
        return RefreshReport(
            branch=branch, tip=tip, dry_run=dry_run, rows=tuple(rows), files=tuple(self.changes())
        )

    def _row(self, id_: str) -> Row:
        old = next((recipe for recipe in self.old if recipe.id == id_), None)
        revised = self.revised.get(id_)
        recipe = revised.recipe if revised else old
        news = revised.news if revised else ()
        if old and old.where.file != self.files[id_]:
            news = (*news, "place")
        return Row(
            id=id_,
            file=self.files[id_],
            subject=recipe.subject if recipe else "",
            news=news,
            commit=revised.turn.placed.commit.oid if revised else None,
        )

    def _text(self, id_: str) -> bytes:
        revised = self.revised.get(id_)
        return revised.text.encode() if revised and revised.text else self.texts[id_]

    def _payloads(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        old = {recipe.id: recipe for recipe in self.old}
        for id_ in self.order:
            recipe = self.revised[id_].recipe if id_ in self.revised else old[id_]
            for payload in payloads(recipe):
                if found.setdefault(payload.name, payload.data) != payload.data:
                    raise KpatchError(
                        f"{recipe.id}: another recipe needs other bytes in {payload.name}",
                        hint="give one of them a file of its own, apply, and make the change again",
                    )
        return found


def _edited(repository: Repository, log: OperationLog, series: Series) -> tuple[View, Oid]:
    """The rendering that somebody edited, and where the branch is now."""
    view = log.current()
    if view is None:
        raise KpatchError(f"series {series.name} is not rendered yet", hint="kpatch-rs apply")
    tip = repository.branch(view.branch)
    if tip is None:
        raise KpatchError(
            f"branch {view.branch} is not there any more", hint="kpatch-rs apply makes it again"
        )
    digest = series.digest()
    if view.digest == digest:
        return view, tip
    # The files of the last refresh are not there: it was killed, or they were taken back.
    refreshed = (o.before for o in log.entries() if o.verb == "refresh" and o.after == view)
    for before in refreshed:
        if before and before.digest == digest:
            return before, tip
    if tip == view.tip:
        return view, tip
    raise Refused(
        f"both changed since series {series.name} was rendered: branch {view.branch}, and recipes",
        hint="put the recipes back as they were (git stash, where they are kept), refresh, "
        "and bring their changes back on top",
    )


def _refuse_other_kernel(repository: Repository, view: View, tip: Oid) -> None:
    """Raises Refused where the branch no longer stands on the kernel it was rendered on."""
    was, now = (
        kernel_version(TreeOverlay(repository.tree(commit))) for commit in (view.tip or tip, tip)
    )
    if was == now and repository.is_below(view.base, tip):
        return
    which = f" ({show_version(now)})" if now and now != was else ""
    raise Refused(
        f"branch {view.branch} stands on another kernel{which} than {view.base_name}, "
        "on which the series was rendered",
        hint=f"refresh there first: git rebase --onto {view.base_name} the commits of the series; "
        "then kpatch-rs rebase takes it to the other kernel",
    )


def _rendered(
    repository: Repository, series: Series, view: View, tip: Oid
) -> list[tuple[Recipe, Placed]]:
    """The recipes that had a commit, with it."""
    recipes = {recipe.id: recipe for recipe in series.recipes}
    ids = {step.commit: step.id for step in view.steps}
    return [(recipes[ids[p.commit.oid]], p) for p in _placed(repository, view.base, tip)]


def _placed(repository: Repository, base: Oid, tip: Oid) -> list[Placed]:
    commits = repository.commits_between(base, tip)
    if len(commits) > RECIPE_LIMIT:
        raise KpatchError(f"{len(commits)} commits, and a series has {RECIPE_LIMIT} at most")
    return [
        Placed(commit, given)
        for commit, given in zip(commits, of_commits(repository, base, commits), strict=True)
    ]


def _refuse_empty(view: View, now: Sequence[Placed]) -> None:
    if not now:
        raise Refused(
            f"branch {view.branch} holds no commit any more: every recipe would go",
            hint=f"to have its commits again: git branch -f {view.branch} {(view.tip or '')[:12]}",
        )


def _plan(
    session: Session,
    repository: Repository,
    series: Series,
    rendered: Sequence[Recipe],
    found: Sequence[Turn],
) -> _Plan:
    folder = session.series_folder()
    texts = {recipe.id: read_text(folder, recipe.where.file) for recipe in series.recipes}
    taken_apart = {r.id: parts(r, decoded(r.where.file, texts[r.id])) for r in series.recipes}
    silent = [recipe for recipe in series.recipes if recipe not in rendered]
    old = [recipe.id for recipe in series.recipes]
    order = woven(old, [turn.id for turn in found], [recipe.id for recipe in silent])
    names = {recipe.id: recipe.where.file for recipe in series.recipes}
    files = dict(zip(order, file_names([(names.get(i), i) for i in order]), strict=True))
    kept = {p.name: p.data for p in (series.check.config,) if p}
    reviser = Reviser(
        history=repository.history(),
        identity=_identity(repository),
        rendered=rendered,
        silent=silent,
        heads={id_: head for id_, (head, _) in taken_apart.items()},
        tables={w: table for _, tables in taken_apart.values() for w, table in tables.items()},
        foreign=kept | _foreign(folder, series),
    )
    revised = reviser.revised(found, files)
    return _Plan(
        old=series.recipes,
        texts=texts,
        order=order,
        files=files,
        revised={one.turn.id: one for one in revised},
        kept=kept,
    )


def _identity(repository: Repository) -> Person | None:
    try:
        return repository.identity()
    except IdentityUnknown:
        return None


def _foreign(folder: Path, series: Series) -> dict[str, bytes]:
    """Files where payloads go that no recipe names: they are not written over."""
    ours = {p.name for recipe in series.recipes for p in payloads(recipe)}
    found = {}
    for path in (folder / "files").glob("*"):
        name = f"files/{path.name}"
        if name not in ours:
            try:
                found[name] = read_file(folder, name, PAYLOAD_LIMIT)
            except Unreadable:
                found[name] = b""
    return found


def _must_give(steps: Sequence[Step], now: Sequence[Placed]) -> None:
    """Raises KpatchError where the new recipes would not give the commits' trees, one by one."""
    made = [step for step in steps if not step.empty]
    for step, placed in zip(made, now, strict=False):
        different = step.after.changed_since(placed.given.patch.after)
        if different:
            raise KpatchError(
                f"{placed.given.name}: recipe {step.recipe.id} would give another "
                f"{show(next(iter(different)))}",
                hint="a recipe that had nothing to do on this kernel may be in the way: "
                "kpatch-rs status shows them",
            )
    if len(made) != len(now):
        raise KpatchError(
            f"the new recipes give {len(made)} commits, and the branch has {len(now)}",
            hint="make the change in the recipes, and apply",
        )


def _view(
    repository: Repository,
    view: View,
    series: Series,
    steps: Sequence[Step],
    now: Sequence[Placed],
) -> View:
    commits = iter(placed.commit.oid for placed in now)
    records = []
    for step in steps:
        commit = None if step.empty else next(commits)
        records.append(
            StepRecord(
                id=step.recipe.id,
                subject=step.recipe.subject,
                status=str(step.status),
                reason=step.reason,
                commit=commit,
                tree=repository.tree(commit).oid if commit else None,
            )
        )
    return View(
        branch=view.branch,
        base_name=view.base_name,
        base=view.base,
        tip=now[-1].commit.oid,
        steps=tuple(records),
        digest=series.digest(),
    )


def _record(session: Session, log: OperationLog, view: View, after: View, plan: _Plan) -> None:
    """The log first: killed in between, refresh finds out, and does the files again."""
    with prepare(session.series_folder(), plan.rewrites()) as files:
        if after != log.current():
            summary = f"refresh from {view.branch}"
            now = int(time.time())
            log.record("refresh", summary, after, time=now, branch_old=view.tip, adopts=True)
        files.commit()
