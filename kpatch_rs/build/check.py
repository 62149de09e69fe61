"""Every step of a series, proven in the cheapest order.

All steps are built in order with the series' symbols on; then those that also say something about
the kernel without them are built with the symbols off, backwards, so that the configuration is
flipped once and each checkout changes what one step changes. Verdicts come per step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kpatch_rs.build.case import Case, Subject
from kpatch_rs.build.config import Lost, Settings, lost, wanted_settings
from kpatch_rs.build.failure import Failure, MakeFailed
from kpatch_rs.build.make import NoMake
from kpatch_rs.build.prove import prove_off, prove_on, refuse_odd_names, says_something_off
from kpatch_rs.build.sight import Sight
from kpatch_rs.build.toolchain import rust_available
from kpatch_rs.build.unmet import unmet_in_tree
from kpatch_rs.build.workspace import Workspace
from kpatch_rs.model.proof import Verdict

Checkout = Callable[[str], None]
"""Puts a commit's files into the workspace's tree."""

Watch = Callable[[str], None]
"""Shows one line of progress."""

Done = Callable[[Subject, Verdict], None]
"""Takes a verdict that is about the series, as soon as it is known."""


@dataclass(slots=True)
class Check:
    """One run over the steps that have no verdict yet."""

    workspace: Workspace
    fragment: Settings
    own: tuple[str, ...]
    """All Kconfig symbols the series introduces."""
    checkout: Checkout
    watch: Watch
    done: Done
    no_rust: str = ""
    """Why Rust cannot be built here; '' where it can, or where nothing asks for it."""

    def run(self, subjects: Sequence[Subject]) -> tuple[Verdict, ...]:
        """A verdict for each of `subjects`, which stand in the series' order.

        Raises KpatchError for what no verdict can say: a busy folder; a refused name, and then
        nothing was built.
        """
        for subject in subjects:
            refuse_odd_names(subject)
        cases = [Case(subject) for subject in subjects]
        if cases:
            with self.workspace.held():
                self._run(cases)
        return tuple(case.verdict() for case in cases)

    def _run(self, cases: list[Case]) -> None:
        self._enter(cases[0], "looking at the tools")
        if reason := self._cannot_configure():
            for case in cases:
                case.gap(reason)
            return
        self.no_rust = self._find_rust()
        for n, case in enumerate(cases, 1):
            self._enter(case, f"{n}/{len(cases)} {case.subject.id}")
            with _timed(case):
                self._on(case)
            if not self._wants_off(case):
                self._settle(case)
        for case in reversed([c for c in cases if self._wants_off(c)]):
            self._enter(case, f"{case.subject.id} with {' '.join(case.subject.symbols)} off")
            with _timed(case):
                self._off(case)
            self._settle(case)

    def _enter(self, case: Case, doing: str) -> None:
        self.watch(f"check: {doing}")
        self.checkout(case.subject.commit)
        self.workspace.kconfig = case.subject.kconfig

    def _settle(self, case: Case) -> None:
        if case.lasting:
            self.done(case.subject, case.verdict())

    def _wants_off(self, case: Case) -> bool:
        return not case.failures and says_something_off(case.subject)

    def _cannot_configure(self) -> str:
        """The tools without which not even a .config can be made; '' where it can be.

        Any other trouble is left to the steps: it comes up there again, with its lines.
        """
        try:
            self.workspace.configure(self._wanted((), on=True))
        except NoMake:
            return "no make"
        except MakeFailed as failed:
            return failed.failure.reason if failed.failure.lacks else ""
        return ""

    def _find_rust(self) -> str:
        """Why the kernel's own Rust does not build here; '' where it does or nobody wants it."""
        if self.fragment.get("RUST", "n") == "n":
            return ""
        available = rust_available(self.workspace.make)
        if not available.usable:
            return available.lacks or f"Rust cannot be built here: {available.remarks}"
        if not available.pinned:
            return ""
        self.watch("check: trying the kernel's own Rust")
        failed = self.workspace.build("prepare").get("prepare")
        if failed is None:
            return ""
        return f"Rust cannot be built here: {available.remarks} (tried: {failed.reason})"

    def _wanted(self, symbols: tuple[str, ...], *, on: bool) -> Settings:
        wanted = wanted_settings(self.fragment, self.own, symbols, on=on)
        return wanted | {"RUST": "n"} if self.no_rust else wanted

    def _on(self, case: Case) -> None:
        if sight := self._sight(case, on=True):
            prove_on(sight)

    def _off(self, case: Case) -> None:
        if sight := self._sight(case, on=False):
            prove_off(sight)

    def _sight(self, case: Case, *, on: bool) -> Sight | None:
        """The configured folder; None where the series' own wishes are not met, which fails."""
        wanted = self._wanted(case.subject.symbols, on=on)
        try:
            kept = self.workspace.configure(wanted)
        except MakeFailed as failed:
            case.fail(failed.failure)
            return None
        missed = lost(wanted, kept)
        if foreign := [m for m in missed if m.symbol not in case.subject.symbols]:
            case.fail(self._not_kept(foreign, kept))
            return None
        blocked = self._not_kept(missed, kept) if missed else None
        return Sight(case, self.workspace, kept, blocked, self.no_rust)

    def _not_kept(self, missed: Sequence[Lost], kept: Settings) -> Failure:
        lines = [f"{each}: {self._why_not(each, kept)}" for each in missed]
        return Failure(
            target="olddefconfig",
            reason=lines[0],
            hint="give the series' Kconfig fragment what it depends on",
            errors=tuple(lines),
        )

    def _why_not(self, missed: Lost, kept: Settings) -> str:
        if missed.got != "n":
            return "something selects it, or limits it to m"
        unmet = unmet_in_tree(self.workspace.tree, missed.symbol, kept)
        return "; ".join(unmet) or "no prompt lets one set it, or a choice took another"


@contextmanager
def _timed(case: Case) -> Iterator[None]:
    start = time.monotonic()
    yield
    case.seconds += time.monotonic() - start
