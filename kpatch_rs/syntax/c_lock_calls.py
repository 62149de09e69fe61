"""Where a function takes locks and gives them up, and which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kpatch_rs.syntax.c_body import Body
from kpatch_rs.syntax.c_lock_names import Taking, guarding, taking


@dataclass(frozen=True, slots=True)
class LockCall:
    """A call that takes a lock or gives it up."""

    offset: int
    end: int
    taking: Taking
    what: bytes
    guard: bool = False


_CALL = re.compile(rb"(?<!\w)([A-Za-z_]\w*)\s*\(")
"""Members as well: what `ops->lock(dev)` takes, `ops->unlock(dev)` gives up."""
_GUARDED = {b"guard": True, b"scoped_guard": True, b"scoped_cond_guard": True, b"ACQUIRE": True}
_GUARDED |= {b"CLASS": False, b"scoped_class": False}
"""include/linux/cleanup.h; the first argument is a class: always one of a lock, or perhaps."""


@lru_cache(maxsize=16)
def lock_calls(body: Body) -> tuple[LockCall, ...]:
    """All that does something to locks, in order."""
    inside = (body.function.open, body.function.close)
    found = (_lock_call(body, call) for call in _CALL.finditer(body.text.code, *inside))
    return tuple(call for call in found if call)


def _lock_call(body: Body, call: re.Match[bytes]) -> LockCall | None:
    does = None if call[1] in _GUARDED else taking(call[1])
    if does is None and call[1] not in _GUARDED:
        return None
    end = body.text.partner(call.end() - 1)
    if end < 0:
        return None
    arguments = _arguments(body.text.code[call.end() : end])
    if does:
        return LockCall(call.start(), end + 1, does, _bare(arguments[0]))
    does = guarding(_bare(arguments[0]), always=_GUARDED[call[1]])
    return _guard(body, call, end, arguments, does) if does else None


def _guard(
    body: Body, call: re.Match[bytes], end: int, arguments: list[bytes], does: Taking
) -> LockCall:
    """`guard(mutex)(&lock)`, `CLASS(x, name)(&lock)`, or `scoped_guard(mutex, &lock)`."""
    code = body.text.code
    if call[1].startswith(b"scoped"):
        what = arguments[2 if b"cond" in call[1] or b"class" in call[1] else 1 :]
        return LockCall(call.start(), end + 1, does, _bare(what[0] if what else b""), guard=True)
    second = re.compile(rb"\s*\(").match(code, end + 1)
    past = body.text.partner(second.end() - 1) if second else -1
    what = _arguments(code[second.end() : past]) if second and past > 0 else [b""]
    return LockCall(call.start(), max(past, end) + 1, does, _bare(what[0]), guard=True)


def _arguments(code: bytes) -> list[bytes]:
    """`code`, cut at its commas that are in no brackets."""
    parts, depth, past = [], 0, 0
    for found in re.finditer(rb"[\[({})\],]", code):
        depth += {b"(": 1, b"[": 1, b"{": 1, b",": 0}.get(found[0], -1)
        if found[0] == b"," and not depth:
            parts.append(code[past : found.start()])
            past = found.end()
    return [*parts, code[past:]]


def _bare(argument: bytes) -> bytes:
    return re.sub(rb"\s", b"", argument)
