"""This statement runs in this function.

The function is found by its definition, wherever in the tree it lives now, and the place in it by
its structure; nothing hangs on line numbers or neighbours. Every place is checked against braces
and preprocessor before a byte changes, and a statement found where it does not belong is a
conflict, never a second call.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted
from kpatch_rs.kinds.c_added import Added, added_statements
from kpatch_rs.kinds.c_function import Lost, find, last_seen
from kpatch_rs.kinds.c_macros import read_body
from kpatch_rs.kinds.c_object import object_for
from kpatch_rs.kinds.c_placed import Placed
from kpatch_rs.model.outcome import Candidate, Outcome, Status
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.c_body import (
    Body,
    Statement,
    Unclear,
    body_of,
    called,
    calls,
    check_of,
    declarations_end,
    error_count,
    exits_below,
    returns,
    statement_around,
)
from kpatch_rs.syntax.c_functions import functions, returns_nothing
from kpatch_rs.syntax.c_gap import Gap, after, apart, at_end, at_entry, before
from kpatch_rs.syntax.c_locate import Definition, place_in
from kpatch_rs.syntax.c_locks import Difference, difference, taking_as
from kpatch_rs.syntax.c_reach import Reach, at_call, at_last_return
from kpatch_rs.syntax.c_statement import at_margin, functions_called, occurrences, statements
from kpatch_rs.syntax.c_text import c_text
from kpatch_rs.syntax.rust import exported_symbols

_NAMED_CALL = re.compile(rb"(guard|CLASS|ACQUIRE)\s*\(\s*(\w+)")
_LOOPS = ("while_statement", "for_statement", "do_statement")
_CANDIDATES = 5
_OTHER_PLACES = 'choose another place: at = "entry", "before-returns", "before-call", "after-call"'


@dataclass(frozen=True, slots=True, kw_only=True)
class CCallEdit(Edit):
    """`kind = "c-call"`."""

    kind = "c-call"
    file: RepoPath
    """Where the function is to be expected; found elsewhere it is `moved`."""
    function: str
    """Its name as it is called: `sys_open` for SYSCALL_DEFINE3(open, ...)."""
    statement: str
    """One C statement with its semicolon, or several, with comments and `#if`s around them."""
    at: Literal[
        "entry", "before-returns", "before-last-return", "before-call", "after-call", "after-check"
    ] = "entry"
    """entry: after the declarations at the top, before the first thing that does something, be it a
    guard(). before-returns: before every way out, the closing
    brace of a void function included. before-last-return: before the only way out at the top level
    of the body. before-call, after-call: next to the statement that has the call `call`;
    after-check: behind the `if` right below it that tests what it returned."""
    call: str | None = None
    """The called function next to which the statement goes; must be called exactly once there.

    `guard(mutex)`, `CLASS(fd)`: the one with that first argument."""
    blank: Literal["above", "below", "both"] | None = None
    """Blank lines that come with it, where none is there yet."""
    also: tuple[RepoPath, ...] = ()
    """Other files that the function is in, in other kernels; `rebase` adds what it found out."""
    names: tuple[str, ...] = ()
    """Other names that it has there, likewise."""


class _Elsewhere(KpatchError):
    """No certain place: the reason, the hint, and the offsets that come nearest."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = _OTHER_PLACES,
        near: Sequence[int] = (),
        at: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.near = tuple(near)
        self.at = at if at is not None or not near else near[0]


class CCall(Rooted[CCallEdit]):
    """See the module."""

    edit = CCallEdit
    example = """\
kind = "c-call"
file = "drivers/foo/main.c"
function = "foo_init"
statement = "foo_rust_init();"
at = "before-last-return"
"""

    def plan(self, edit: CCallEdit, ground: Ground) -> Outcome:
        statement, anchor = _statement(edit), f"{edit.function}()"
        try:
            found = find(ground, (edit.file, *edit.also), (edit.function, *edit.names))
        except Lost as why:
            return self.conflict(
                ground, why.message, hint=why.hint, anchor=anchor, candidates=why.candidates
            )
        there = found.definition
        try:
            placed = _put_in(edit, ground, read_body(ground.tree, there), statement)
            if placed.splices:
                _refuse_other_place(edit, ground, there, placed)
        except (Unclear, _Elsewhere) as unclear:
            return self._unclear(edit, ground, there, unclear)
        outcome = replace(self._ended(edit, ground, there, placed), learned=found.learned)
        if outcome.status is not Status.EXACT:
            return outcome
        where = f"in {show(there.path)} now, not in {show(edit.file)}"
        if found.name != edit.function:
            now = f"called {found.name}()" + (
                f" and {where}" if there.path != edit.file else " now"
            )
            return replace(outcome, status=Status.ADAPTED, reason=f"{anchor} is {now}")
        if there.path == edit.file:
            return outcome
        return replace(outcome, status=Status.MOVED, reason=f"{anchor} is {where}")

    def proofs(self, edit: CCallEdit, outcome: Outcome) -> Sequence[Proof]:
        path = outcome.place.path if outcome.place else edit.file
        target = object_for(outcome.tree, path)
        if isinstance(target, Unprovable):
            return (target,)
        uses = _from_rust(outcome.tree, path, functions_called(edit.statement))
        return (ObjectBuilds(target, uses=uses, off_too=True),)

    def lift(self, change: Change) -> Sequence[CCallEdit]:
        if change.created or not change.path.endswith((b".c", b".h")):
            return ()
        return tuple(edit for added in added_statements(change) for edit in _lifted(change, added))

    def _ended(self, edit: CCallEdit, ground: Ground, found: Definition, placed: Placed) -> Outcome:
        text, anchor = found.text, f"{edit.function}()"
        if not placed.splices:
            return self.present(ground, place_in(found.path, text, placed.there), anchor=anchor)
        return self.done(
            ground,
            found.path,
            placed.data,
            line=placed.line,
            anchor=anchor,
            text=b"\n".join(placed.statement for _ in placed.gaps),
        )

    def _unclear(
        self, edit: CCallEdit, ground: Ground, found: Definition, why: Unclear | _Elsewhere
    ) -> Outcome:
        near = (why.offset,) if isinstance(why, Unclear) else why.near
        at = why.offset if isinstance(why, Unclear) else why.at
        place = place_in(found.path, found.text, found.function.named if at is None else at)
        return self.conflict(
            ground,
            f'{place}: {edit.function}(), at = "{edit.at}": {why.message}',
            hint=why.hint or f"{_OTHER_PLACES}; or make it a patch edit",
            anchor=f"{edit.function}()",
            candidates=[_line(found, offset) for offset in near],
        )


def _put_in(edit: CCallEdit, ground: Ground, body: Body, statement: bytes) -> Placed:
    """The statement, in its places. Raises _Elsewhere, Unclear."""
    text = body.text
    there, beside = occurrences(body, statement), _beside(edit, ground, body)
    wanted = _gaps(edit, body, there, beside)
    gaps = [apart(text, gap, edit.blank or "") for gap in wanted]
    parted = [s for s, end in beside if any(s < gap.start < end for gap in gaps)]
    if parted:
        raise _Elsewhere(
            "that is amid another statement of the series, which would be whole no more",
            hint='make one statement of the two, or choose another place: at = "…"',
            near=parted,
        )
    if any(_in_arguments(body, gap) for gap in gaps):
        raise _Elsewhere("that is in the arguments of a macro", near=[wanted[0].start])
    holding = [s for s in there if any(gap.holds(text, *s, beside) for gap in gaps)]
    if there and len(holding) == len(gaps) == len(there):
        return Placed(statement, body, gaps, there=there[0][0])
    if there:
        raise _Elsewhere(
            "the statement is in the function already, but not (only) where it is wanted",
            hint="name the place where it is (at = …), or take this edit out of the recipe",
            near=[start for start, _ in there],
        )
    splices = sorted((s for gap in gaps for s in gap.splices(statement)), key=lambda s: s.start)
    placed = Placed(statement, body, gaps, splices=splices)
    if _parses_worse(body, placed.data):
        raise _Elsewhere("with the statement in, the file parses worse than before")
    return placed


def _lifted(change: Change, added: Added) -> Iterator[CCallEdit]:
    """What was added as an edit, in each place that could be meant."""
    edit = CCallEdit(
        where=change.where,
        file=change.path,
        function=added.function,
        statement=added.statement,
    )
    places = [edit, replace(edit, at="before-last-return")]
    for name in added.above:
        places.append(replace(edit, at="after-call", call=name))
        places.append(replace(edit, at="after-check", call=name))
    places += [replace(edit, at="before-call", call=name) for name in added.below]
    places.append(replace(edit, at="before-returns"))
    yield from places
    if added.apart:
        yield from (replace(place, blank="above") for place in places)
        yield from (replace(place, blank="below") for place in places)
        yield from (replace(place, blank="both") for place in places)


def _refuse_other_place(edit: CCallEdit, ground: Ground, there: Definition, now: Placed) -> None:
    """Raises _Elsewhere where the place means something else than it did in the last kernel."""
    if ground.was is None or not ground.known:
        return
    old = last_seen(ground, (edit.file, *edit.also), (edit.function, *edit.names))
    if old is None or (old.function, old.text) == (there.function, there.text):
        return
    then, here = _reach(edit, old), _reach(edit, there)
    if then and here and (why := then.otherwise(here)):
        hint = (
            'behind the check: at = "after-check"; or' if here.tested else "if it is right there,"
        )
        hint = f"{hint} answer with rebase --edit; or {_OTHER_PLACES}"
        raise _Elsewhere(why, hint=hint, near=[here.offset])
    try:
        was = _put_in(edit, ground, read_body(TreeOverlay(ground.was), old), now.statement)
    except (Unclear, _Elsewhere):
        return
    then_held, here_held = was.held(), now.held()
    if other := difference(then_held, here_held):
        raise _under(other, now)
    if None in (then_held, here_held) and was.locks_above() != now.locks_above():
        raise _Elsewhere(
            "the function takes other locks above it than in the last kernel, and which are held "
            "there cannot be told",
            hint=f"if it is right there, answer with rebase --edit; or {_OTHER_PLACES}",
            near=[gap.start if gap.before is None else gap.before for gap in now.gaps],
        )


def _under(other: Difference, now: Placed) -> _Elsewhere:
    """The conflict of a place that is under other locks than it was."""
    above = other.more[0] if other.more else None
    hint = f"if it is right there, answer with rebase --edit; or {_OTHER_PLACES}"
    name = _name_of(above.said) if above else ""
    if above and len(calls(now.body, name.encode())) == 1:
        where = f'at = "before-call", call = "{name}"'
        hint = f"to run above that: {where}; if it is right there, answer with rebase --edit"
    locks = [now.origin(lock.offset) for lock in other.more]
    places = [gap.start if gap.before is None else gap.before for gap in now.gaps]
    return _Elsewhere(
        other.said("in the last kernel"), hint=hint, near=[*locks, *places], at=places[0]
    )


def _name_of(call: bytes) -> str:
    """How a recipe names a call: `mutex_lock`, `guard(mutex)`."""
    found = _NAMED_CALL.match(call)
    name = b"%b(%b)" % (found[1], found[2]) if found and found[2] else call.partition(b"(")[0]
    return name.strip().decode(errors="replace")


def _reach(edit: CCallEdit, definition: Definition) -> Reach | None:
    """How the place of the edit is reached there; None where that is not asked, or not clear."""
    try:
        body = body_of(definition.text, definition.function)
        if edit.at == "before-last-return":
            return at_last_return(body)
        found = calls(body, (edit.call or "").encode())
        behind = edit.at == "after-call"
        return at_call(body, found[0], behind=behind) if edit.call and len(found) == 1 else None
    except Unclear:
        return None


def _statement(edit: CCallEdit) -> bytes:
    """The statement, its lines at column 0. Raises KpatchError where it is none."""
    if not edit.file.endswith((b".c", b".h")):
        raise KpatchError(
            f"file = '{show(edit.file)}' is no C file",
            hint='for assembly and the rest write the change as a kind = "patch"',
        )
    names = (("function", edit.function, r"\w+"), ("call", edit.call, r"\w+(?:\(\w+\))?"))
    for key, name, form in names:
        if name is not None and not re.fullmatch(rf"(?!\d){form}", name):
            raise KpatchError(
                f"{key} = '{name}' is no C name", hint=f'the bare name: {key} = "foo_init"'
            )
    if re.search(r"SYSCALL\w*_DEFINE\w*$", edit.function):
        raise KpatchError(
            f"function = '{edit.function}' is the macro that all system calls are made with",
            hint='SYSCALL_DEFINE4(openat, …) makes one named: function = "sys_openat"',
        )
    if (edit.call is not None) != edit.at.endswith(("-call", "-check")):
        needs = "needs" if edit.call is None else "has no use for"
        raise KpatchError(
            f'at = "{edit.at}" {needs} call', hint='at = "before-call", call = "foo_register"'
        )
    if (lines := statements(edit.statement)) is None:
        raise KpatchError(
            f"statement = '{edit.statement}' is no statement of C, or not on a line of its own",
            hint='a statement with its semicolon: statement = "foo_rust_init();"',
        )
    return lines


_Spans = Sequence[tuple[int, int]]


def _gaps(edit: CCallEdit, body: Body, there: _Spans, beside: _Spans) -> list[Gap]:
    """The places the edit asks for; what is inside the statement itself, at `there`, is none.

    Nor is a return that belongs to another statement of the series, in `beside`.
    """
    if edit.at == "entry":
        return [at_entry(body)]
    if edit.call is not None:
        return [_by_call(edit, body, edit.call.encode(), there)]
    found = [s for s in returns(body) if not _within(s.start, (*there, *beside))]
    falls_out = returns_nothing(body.text, body.function) and exits_below(body)
    if edit.at == "before-last-return":
        found = [s for s in found if s.top]
        if len(found) + falls_out > 1:
            near = [s.start for s in found] + [body.function.close] * falls_out
            raise _Elsewhere(
                "its body has more than one way out, and the last may be the one for errors",
                hint='use at = "before-returns" for all of them, or at = "after-call" with the '
                "call that comes before the one that is meant",
                near=near,
            )
    if not found and not falls_out:
        raise _Elsewhere(
            "no return at the top level of its body" if "last" in edit.at else "no return"
        )
    return [before(body, s) for s in found] + [at_end(body)] * falls_out


def _by_call(edit: CCallEdit, body: Body, call: bytes, there: _Spans) -> Gap:
    found = [at for at in calls(body, call) if not _within(at, there)]
    if len(found) != 1:
        times = f"called {len(found)} times" if found else "not called"
        raise _Elsewhere(
            f"{_called(call)} is {times}",
            hint='name a function that is called exactly once in it: call = "…"',
            near=found or _like(body, call),
            at=found[0] if found else body.function.named,
        )
    statement = statement_around(body, found[0])
    if edit.at == "after-check":
        check = check_of(body, statement)
        if check is None:
            raise _Elsewhere(
                f"no if right below the call of {_called(call)} tests what it returned", near=found
            )
        return after(body, check)
    if why := _no_neighbour(edit, body, statement):
        raise _Elsewhere(why, near=found)
    if statement.type == "declaration":
        return at_entry(body)
    return before(body, statement) if edit.at == "before-call" else after(body, statement)


def _called(call: bytes) -> str:
    """`g()`; but `guard(mutex)`, which is written so."""
    name = call.decode()
    return name if name.endswith(")") else f"{name}()"


def _like(body: Body, call: bytes) -> list[int]:
    """Where functions of a name like `call` are called, those that are called once."""
    if call.endswith(b")"):
        return list(taking_as(body, call[:-1].partition(b"(")[2]))
    names = [name.decode(errors="replace") for name in called(body)]
    close = difflib.get_close_matches(call.decode(), names, n=_CANDIDATES)
    found = (calls(body, name.encode()) for name in close)
    return [at[0] for at in found if len(at) == 1]


def _no_neighbour(edit: CCallEdit, body: Body, statement: Statement) -> str:
    """Why nothing can stand next to the call in `statement`; empty where it can."""
    call = _called((edit.call or "").encode())
    if statement.type in _LOOPS:
        return f"{call} is in the head of a loop and called more than once"
    if statement.type == "declaration":
        if edit.at == "after-call" and statement.end == declarations_end(body):
            return ""
        return f"{call} is called in a declaration"
    if edit.at == "after-call" and statement.type == "return_statement":
        return f"the function is left with what {call} returns: nothing comes after it"
    return ""


def _in_arguments(body: Body, gap: Gap) -> bool:
    above = body.text.code[body.function.open : gap.start]
    return above.count(b"(") != above.count(b")")


def _within(offset: int, spans: _Spans) -> bool:
    return any(start <= offset < end for start, end in spans)


def _beside(edit: CCallEdit, ground: Ground, body: Body) -> list[tuple[int, int]]:
    """Where the series' other statements for the function stand: they may share a place."""
    others = {
        at_margin(e.statement).encode()
        for e in ground.edits
        if isinstance(e, CCallEdit) and e.function == edit.function
    }
    return [span for other in others for span in occurrences(body, other)]


def _parses_worse(old: Body, data: bytes) -> bool:
    """Whether `data` has other functions than before, or more errors in this one.

    Errors are counted in the one body: in a whole file, one line more moves the errors of others.
    """
    text = c_text(data)
    now, then = functions(text), functions(old.text)
    if [f.name for f in now] != [f.name for f in then]:
        return True
    return error_count(body_of(text, now[then.index(old.function)])) > error_count(old)


def _line(found: Definition, offset: int) -> Candidate:
    text = found.text
    line = text.data[text.line_start(offset) : text.line_end(offset)]
    return Candidate(place_in(found.path, text, offset), show(line.strip()[:100]))


def _from_rust(tree: TreeOverlay, path: RepoPath, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that a Rust file of the tree defines: only they must come from outside.

    A macro or an inline function of C leaves no symbol, so that asking for one would prove nothing.
    """
    return tuple(n for n in dict.fromkeys(names) if _defined_in_rust(tree, n))


def _defined_in_rust(tree: TreeOverlay, name: str) -> bool:
    """The series' own files first: searching a whole kernel takes seconds."""
    ours = (p for p, file in tree.changes.items() if file and p.endswith(b".rs"))
    return _exported_in(tree, ours, name) or _exported_in(
        tree, tree.files_with(name.encode(), None, ["*.rs"]), name
    )


def _exported_in(tree: TreeOverlay, paths: Iterable[RepoPath], name: str) -> bool:
    files = (tree.read(path) for path in paths)
    return any(file and name in exported_symbols(file.data) for file in files)


C_CALL = CCall()
