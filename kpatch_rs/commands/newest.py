"""rebase --newest-of: the newest kernel of a range on which every step fits.

Found by bisecting the range's first-parent line in memory: no commit is written on the way.
Guarantees: the kernel found is clean, and the next one tried after it on that line conflicts. Where
steps fit, then conflict, then fit again, a newer clean one may exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kpatch_rs.commands import rebase
from kpatch_rs.commands.rendering import RenderReport
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.model.oid import Oid
from kpatch_rs.report import table


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestReport:
    """What was tried, and the rebase onto the newest clean kernel."""

    tried: tuple[RenderReport, ...]
    """Dry runs, in the order of trying."""
    blocking: RenderReport | None
    """The first kernel on which something conflicts; None where all of the range is clean."""
    rebased: RenderReport

    @property
    def exit_code(self) -> int:
        """The rebase's; 3 where the range begins with a conflict."""
        return self.rebased.exit_code

    def as_json(self) -> dict[str, Any]:
        """The rebase's document, and what was tried."""
        return {
            **self.rebased.as_json(),
            "tried": [
                {"base": t.base, "conflicts": [s.recipe.id for s in t.conflicts]}
                for t in self.tried
            ],
            "blocking": self.blocking.as_json() if self.blocking else None,
        }

    def as_text(self) -> str:
        """A line for each kernel tried, the first conflict, the rebase."""
        rows = [(t.base[:12], _result(t)) for t in self.tried]
        blocks = [table(("tried", "result"), rows)]
        if self.blocking:
            blocks += [f"The first that conflicts is {self.blocking.base[:12]}:"]
            blocks += [*self.blocking.reasons()]
        return "\n\n".join([*blocks, self.rebased.as_text()])


def _result(tried: RenderReport) -> str:
    return ", ".join(s.recipe.id for s in tried.conflicts) or "clean"


def run(
    session: Session,
    range_: str,
    *,
    check: bool,
    dry_run: bool,
    range_diff: bool,
    branch: str | None = None,
) -> NewestReport:
    """Rebase onto the newest clean kernel of `range_`, `A..B`, A among them.

    Where A conflicts already, that is the answer, with exit code 3. Raises KpatchError.
    """
    start, dots, end = range_.partition("..")
    if not (start and dots and end) or end.startswith("."):
        raise Usage(f"'{range_}' is no range", hint="give --newest-of A..B")
    series = session.load_recipes()
    with session.open_kernel() as repository:
        first, last = repository.resolve(start), repository.resolve(end)
        line = [first, *repository.first_parents(first, last)]
        if len(line) == 1:
            raise KpatchError(f"{range_} has no commits", hint="give the older kernel first")
        tried: dict[Oid, RenderReport] = {}

        def clean(number: int) -> bool:
            course = rebase.Course.of(session, repository, series, line[number], branch)
            tried[line[number]] = course.report(series, ())
            return not tried[line[number]].conflicts

        good = _newest(len(line), clean)
    found = line[good or 0]
    blocking = line[good + 1 : good + 2] if good is not None else []
    said = [
        rebase.run(session, base, check=False, dry_run=True, range_diff=False, branch=branch)
        for base in blocking
    ]
    names = {first: start, last: end}
    return NewestReport(
        tried=tuple(tried.values()),
        blocking=said[0] if said else None,
        rebased=rebase.run(
            session,
            names.get(found, found),
            check=check,
            dry_run=dry_run,
            range_diff=range_diff,
            branch=branch,
        ),
    )


def _newest(count: int, clean: Callable[[int], bool]) -> int | None:
    """The last clean one of `count`; None where the first is not."""
    if not clean(0):
        return None
    if clean(count - 1):
        return count - 1
    good, bad = 0, count - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if clean(middle) else (good, middle)
    return good
