"""What there is to prove in a rendering, how its verdicts are named, and where it is built.

Guarantees: a plan is made without a checkout and without make; the build tree and the O= folder are
kpatch-rs's own, one pair per kernel line, so that most of what was built can be used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpatch_rs.build.case import Subject
from kpatch_rs.build.check import Check
from kpatch_rs.build.config import read_fragment
from kpatch_rs.build.make import Make
from kpatch_rs.build.store import VerdictStore, key_of
from kpatch_rs.build.toolchain import identity
from kpatch_rs.build.workspace import Workspace
from kpatch_rs.commands.session import Session
from kpatch_rs.engine.proofs import proofs_of, symbols_of
from kpatch_rs.engine.render import render
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.worktree import BuildTree
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.operation import View
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Verdict
from kpatch_rs.model.series import CheckSettings, Series
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import kernel_version, show_version

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that have a commit, as the build sees them."""

    subjects: tuple[Subject, ...]
    keys: Mapping[str, str]
    """The name of each step's verdict in the store, by step id."""
    store: VerdictStore
    tools: str
    """Names this machine's tools."""
    own: tuple[str, ...]
    """Every Kconfig symbol the series introduces."""

    def known(self, subjects: Sequence[Subject]) -> dict[str, Verdict]:
        """The verdicts that are stored, by step id."""
        found = ((s.id, self.store.get(self.keys[s.id])) for s in subjects)
        return {id_: replace(verdict, id=id_) for id_, verdict in found if verdict}


def plan_of(session: Session, series: Series, repository: Repository, view: View) -> Plan:
    """Render again in memory, for the proofs, and name each step's verdict."""
    steps = render(series, repository.tree(view.base), repository.history())
    stated = proofs_of(steps)
    symbols = symbols_of(stated)
    tools = identity(series.check.toolchain, session.environment)
    own = symbols[-1] if symbols else ()
    subjects = tuple(
        Subject(
            id=record.id,
            commit=record.commit,
            tree=record.tree,
            kconfig=_kconfig_state(step),
            proofs=proofs,
            symbols=there,
        )
        for record, step, proofs, there in zip(view.steps, steps, stated, symbols, strict=True)
        if record.commit and record.tree
    )
    keys = {s.id: _key(s, series.check, own, tools) for s in subjects}
    return Plan(subjects, keys, VerdictStore(session.cache / "verdicts"), tools, own)


def _key(subject: Subject, settings: CheckSettings, own: Sequence[str], tools: str) -> str:
    return key_of(
        tree=subject.tree,
        proofs=subject.proofs,
        symbols=(subject.symbols, own),
        arch=settings.arch,
        start=settings.start,
        fragment=settings.config.data if settings.config else b"",
        tools=tools,
    )


def _kconfig_state(step: Step) -> str:
    """Names the Kconfig files of the step's tree: the base's, and what the series made of them.

    scripts/ is in it because Kconfig files ask scripts what the tools can do.
    """
    changed = sorted((p, f) for p, f in step.after.changes.items() if _steers_kconfig(p))
    return hashlib.sha256(repr((step.after.base.oid, changed)).encode()).hexdigest()


def _steers_kconfig(path: RepoPath) -> bool:
    return b"Kconfig" in path.rpartition(b"/")[2] or path.startswith(b"scripts/")


def build(
    session: Session,
    series: Series,
    repository: Repository,
    view: View,
    plan: Plan,
    left: Sequence[Subject],
) -> dict[str, Verdict]:
    """The verdicts of `left` by step id, each stored as soon as it is known.

    Raises KpatchError for what no verdict can say: a fragment that is none, a busy folder.
    """
    fragment = read_fragment(series.check.config)
    with in_cache(session):
        tree, workspace = open_workspace(session, series.check, repository, view.base, plan.tools)
        check = Check(
            workspace=workspace,
            fragment=fragment,
            own=plan.own,
            checkout=lambda commit: tree.checkout(oid(commit)),
            watch=session.progress,
            done=lambda subject, verdict: plan.store.put(plan.keys[subject.id], verdict),
        )
        return {verdict.id: verdict for verdict in check.run(left)}


@contextmanager
def in_cache(session: Session) -> Iterator[None]:
    """Raises KpatchError where the cache cannot be written: the disk is full, say."""
    try:
        yield
    except OSError as error:
        where = error.filename or session.cache
        raise KpatchError(
            f"{where}: {error.strerror or error}",
            hint=f"see that there is room in {session.cache}, and that it is yours; then again: "
            "what was built and proven so far is kept",
        ) from error


def open_workspace(
    session: Session, settings: CheckSettings, repository: Repository, base: Oid, tools: str
) -> tuple[BuildTree, Workspace]:
    """The build tree for kernels of `base`'s line, and the O= folder for these settings in it."""
    base_tree = repository.tree(base)
    version = kernel_version(TreeOverlay(base_tree))
    line = show_version(version[:2]) if version else "unknown"
    tree = BuildTree.open(repository, session.cache / "trees", line)
    fragment = settings.config.data if settings.config else b""
    config = key_of(start=settings.start, fragment=fragment, toolchain=settings.toolchain)
    out = session.cache / "out" / f"{line}-{settings.arch}-{config[:12]}"
    make = Make(
        tree=tree.path,
        out=out,
        arch=settings.arch,
        toolchain=settings.toolchain,
        environment=session.environment,
    )
    return tree, Workspace(make=make, start=settings.start, identity=tools, base=base_tree.oid)
