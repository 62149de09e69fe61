"""Why a make did not do what it was asked, and whether that says anything about the series."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kpatch_rs.build.diagnosis import diagnose, first_errors
from kpatch_rs.build.make import Make
from kpatch_rs.build.process import Ran
from kpatch_rs.build.toolchain import lacking

_PASSING = re.compile(
    r"No space left on device|Disk quota exceeded|Input/output error|"
    r"Cannot allocate memory|out of memory: |Killed(?:$| signal)|signal: 9, SIGKILL",
    re.MULTILINE,
)
"""The machine's trouble, not the series'; Killed is mostly the kernel's out-of-memory killer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A make that did not do what it was asked."""

    target: str
    reason: str
    hint: str = ""
    errors: tuple[str, ...] = ()
    passing: bool = False
    """Whether it says nothing about the series: the time was up, the disk full, the make killed."""
    lacks: bool = False
    """Whether a tool is not there, so that nothing was tried: `reason` names it."""


class MakeFailed(Exception):
    """Carries a Failure to where a step's verdict is made."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def failure(target: str, ran: Ran, make: Make) -> Failure:
    """Why `target` was not made, in the tree's own paths."""
    text = ran.text.replace(f"{make.tree}/", "").replace(f"{make.out}/", "")
    errors = first_errors(text)
    if ran.timed_out:
        return Failure(
            target=target,
            reason=f"make {target} was stopped after {ran.seconds:.0f} s",
            errors=errors,
            passing=True,
        )
    if absent := lacking("\n".join(errors), make.toolchain, make.environment):
        return Failure(target=target, reason=absent, errors=errors, lacks=True)
    known = diagnose(text)
    return Failure(
        target=target,
        reason=known.cause if known else (errors[0].strip() if errors else f"make: {ran.code}"),
        hint=known.cure if known else "",
        errors=errors,
        passing=not ran.ended or bool(_PASSING.search(text)),
    )
