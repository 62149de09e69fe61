"""Refs: read exactly, and moved all at once or not at all.

Guarantees: a move names the old value of every ref; success is git's `commit: ok` having been read
(`git update-ref --stdin` exits with 0 also where it dropped everything, measured on 2.39.5); a
Ctrl-C that comes while git commits waits until the answer is known.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError, Usage
from kpatch_rs.gitio.running import Conversation, Ended, Git, GitFailed
from kpatch_rs.gitio.writing import DURABLE
from kpatch_rs.model.oid import Oid, oid

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOCKED = re.compile(r"Unable to create '(.+?\.lock)': File exists")
_BLOCKED = re.compile(r"'([^']+)' exists; cannot create '([^']+)'")
_TEXT = re.compile("[^\0\ud800-\udfff]*")
"""What both an argument and the log can hold: UTF-8 without NUL."""


class RefMoved(KpatchError):
    """A ref is no longer where it was when the work began."""


@dataclass(frozen=True, slots=True)
class Move:
    """A ref's full name, where it must be now and where it goes; None: it does not exist.

    Where both are the same, the ref is only looked at.
    """

    ref: str
    old: Oid | None
    new: Oid | None


def branch_ref(branch: str) -> str:
    """The full name of `branch`."""
    return f"refs/heads/{branch}"


def read_branch(git: Git, branch: str) -> Oid | None:
    """Where `branch` is; None where it does not exist. Raises Usage where it never could."""
    ref = branch_ref(branch)
    # refs/heads/-x and refs/heads/HEAD may be refs, but no branches (git's object-name.c).
    misread = branch.startswith("-") or branch == "HEAD" or not _TEXT.fullmatch(branch)
    tip = None if misread else read(git, ref)
    if misread or (tip is None and git.attempt("check-ref-format", ref).code != 0):
        raise Usage(f"'{branch}' cannot name a branch", hint="see: git help check-ref-format")
    return tip


def refuse_beside(git: Git, branch: str, reserved: str) -> None:
    """Raises Usage where git could not keep `branch` beside one that is there, or is `reserved`.

    A ref is a file or a folder: a branch `a` and a branch `a/b` exclude each other.
    """
    wanted = branch_ref(branch)
    parts = wanted.split("/")
    above = ["/".join(parts[:end]) for end in range(3, len(parts))]
    out = git.run("for-each-ref", "--format=%(refname)", *above, f"{wanted}/")
    for there in (branch_ref(reserved), *out.decode(errors="surrogateescape").splitlines()):
        if there in above or there.startswith(f"{wanted}/"):
            raise _apart(wanted, there)


def read(git: Git, ref: str) -> Oid | None:
    """Where `ref` (a full name) is; None where it does not exist."""
    ended = git.attempt("show-ref", "--verify", "--hash", ref)
    if ended.code == 0:
        return oid(ended.out.decode().strip())
    if ended.out or b"not a valid ref" not in ended.err:
        raise ended.failure("show-ref")
    return None


def move(git: Git, moves: Sequence[Move], why: str) -> None:
    """Do all of `moves`, or none and raise; `why` goes into the reflogs.

    Raises RefMoved where a ref is elsewhere, KpatchError where git cannot write.
    """
    nobody = "0" * len(next(oid for m in moves for oid in (m.new, m.old) if oid))
    talk = Conversation(git, *DURABLE, "update-ref", "-m", why, "--stdin", "-z")
    try:
        talk.send(b"start\0" + b"".join(_update(m, nobody) for m in moves) + b"prepare\0")
        _expect(talk, b"start: ok")
        _expect(talk, b"prepare: ok")
        with _undisturbed():
            talk.send(b"commit\0")
            _expect(talk, b"commit: ok")
    except GitFailed as error:
        raise _explained(git, moves, error) from error
    finally:
        talk.close()


def _update(move: Move, nobody: str) -> bytes:
    new, old = (move.new or nobody).encode(), (move.old or nobody).encode()
    if new == old:
        return b"verify %s\0%s\0" % (move.ref.encode(), old)
    # A symbolic ref would take the update on to the ref it points to.
    return b"option no-deref\0update %s\0%s\0%s\0" % (move.ref.encode(), new, old)


def _expect(talk: Conversation, wanted: bytes) -> None:
    if (line := talk.line()) != wanted:
        raise Ended(1, b"", line).failure("update-ref")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals that end a program wait; git is told nothing of them (it has its own session).

    Blocking them would not do: another thread would take them, and Python would still act here.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    waiting: list[int] = []
    before = [(number, signal.getsignal(number)) for number in _STOPPING]
    for number in _STOPPING:
        signal.signal(number, lambda number, _: waiting.append(number))
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        for caught in waiting:
            signal.raise_signal(caught)


def _explained(git: Git, moves: Sequence[Move], error: GitFailed) -> KpatchError:
    """git's refusal, in the words of the one who asked."""
    if locked := _LOCKED.search(error.message):
        return KpatchError(
            f"{locked[1]} is in the way: another git is writing, or one was killed",
            hint="where no git runs in that repository any more, remove the file and try again",
        )
    if blocked := _BLOCKED.search(error.message):
        return _apart(blocked[2], blocked[1])
    for m in moves:
        if (now := read(git, m.ref)) != m.old:
            return RefMoved(
                f"{_short(m.ref)} has moved: it is {_at(now)} and was {_at(m.old)}",
                hint="somebody else wrote to it; look at it, then run the command again",
            )
    return error


def _apart(wanted: str, there: str) -> Usage:
    return Usage(
        f"{_short(wanted)} cannot stand beside {_short(there)}: git keeps a name and names below "
        "it apart",
        hint=f"give another branch: --branch {_beside(wanted, there)}",
    )


def _beside(wanted: str, there: str) -> str:
    """A branch's name like `wanted` that can stand beside `there`."""
    below = wanted.removeprefix(f"{there}/")
    name = f"{there}-{below.replace('/', '-')}" if below != wanted else f"{wanted}-series"
    return name.removeprefix("refs/heads/")


def _short(ref: str) -> str:
    name = ref.removeprefix("refs/heads/")
    return f"branch {name}" if name != ref else ref


def _at(where: Oid | None) -> str:
    return f"at {where[:12]}" if where else "not there"
