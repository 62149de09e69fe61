"""What can go wrong, in the words the user reads, and the exit code that goes with it.

Guarantees: every error the package raises on purpose is a :class:`KpatchError`; its message names
what went wrong and where, its hint what to do next. Whatever else reaches ``cli.main`` is a bug.
Narrower classes stand beside the code that raises them and inherit one of these.
"""

from __future__ import annotations

from typing import ClassVar


class KpatchError(Exception):
    """An expected failure: one `error:` line and at most one `hint:` line."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Usage(KpatchError):
    """The command line itself is off."""

    exit_code = 2


class Conflict(KpatchError):
    """A recipe does not fit the kernel it was asked to be rendered on."""

    exit_code = 3


class CheckFailed(KpatchError):
    """A step did not build, or could not be proven."""

    exit_code = 4


class Refused(KpatchError):
    """Doing it could lose the user's work or run code nobody vouched for."""

    exit_code = 5
