"""What can go wrong, in the words the user reads, and the exit code that goes with it.

Guarantees: every error the package raises on purpose is a :class:`KpatchError`; its message names
what went wrong and where, its hint what to do next. Whatever else reaches ``cli.main`` is a bug.
Narrower classes stand beside the code that raises them and inherit one of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

BUG = 70
_PACKAGE = __name__.partition(".")[0]


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


class Gathered:
    """What is wrong with the members of a list: said at once, not one a run."""

    def __init__(self) -> None:
        self.errors: list[KpatchError] = []

    @contextmanager
    def each(self) -> Iterator[None]:
        """Keep the error raised inside, and go on behind the block."""
        try:
            yield
        except KpatchError as error:
            self.errors.append(error)

    def check(self) -> None:
        """Raise what was kept, if anything was: the one error, or all in one."""
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            lines = "\n  ".join(error.message for error in self.errors)
            hints = dict.fromkeys(error.hint for error in self.errors if error.hint)
            raise KpatchError(
                f"{len(self.errors)} things stand in the way:\n  {lines}", hint="\n  ".join(hints)
            )


def unexpected(error: Exception) -> tuple[str, str, int]:
    """Message, hint and exit code for what nobody raised on purpose.

    A package that is not installed is no bug: a checkout may be newer than what is set up for it.
    """
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith(_PACKAGE):
        said = f"the Python package {error.name} is not installed, and kpatch-rs needs it"
        return said, "set up again what it runs from: .ci/setup in its checkout", 1
    said = f"a bug in kpatch-rs: {type(error).__name__}: {error}"
    return said, "please report it with what `kpatch-rs -v …` prints", BUG
