"""This statement runs in this function.

The function is found by its definition, wherever in the tree it lives now, and the place in it by
its structure; nothing hangs on line numbers or neighbours. Every place is checked against braces
and preprocessor before a byte changes, and a statement found where it does not belong is a
conflict, never a second call.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import tree_sitter

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted
from kpatch_rs.kinds.c_function import Lost, find
from kpatch_rs.kinds.c_object import object_for
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
    parse_c,
    returns,
    statement_around,
)
from kpatch_rs.syntax.c_functions import Function, functions, returns_nothing
from kpatch_rs.syntax.c_gap import Gap, Splice, after, apart, at_end, at_entry, before
from kpatch_rs.syntax.c_locate import Definition, place_in
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.rust import exported_symbols

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
    """One C statement with its semicolon."""
    at: Literal[
        "entry", "before-returns", "before-last-return", "before-call", "after-call", "after-check"
    ] = "entry"
    """entry: after the declarations at the top. before-returns: before every way out, the closing
    brace of a void function included. before-last-return: before the only way out at the top level
    of the body. before-call, after-call: next to the statement that has the call `call`;
    after-check: behind the `if` right below it that tests what it returned."""
    call: str | None = None
    """The called function next to which the statement goes; must be called exactly once there."""
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
            outcome = self._placed(edit, ground, there, statement)
        except (Unclear, _Elsewhere) as unclear:
            return self._unclear(edit, ground, there, unclear)
        outcome = replace(outcome, learned=found.learned)
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
        uses = _from_rust(outcome.tree, path, _called(parse_c(_in_function(edit.statement))))
        return (ObjectBuilds(target, uses=uses, off_too=True),)

    def lift(self, change: Change) -> Sequence[CCallEdit]:
        if change.created or not change.path.endswith((b".c", b".h")):
            return ()
        found = [
            match
            for start, end in change.added
            for match in _CALL_LINES.finditer(change.new, start, end)
        ]
        if len(found) > _MOST:
            return ()
        defined = functions(c_text(change.new)) if found else ()
        return tuple(
            edit
            for match in found
            for function in defined
            if function.open < match.start() < function.close
            for edit in _lifted(change, function, match)
        )

    def _placed(
        self, edit: CCallEdit, ground: Ground, found: Definition, statement: bytes
    ) -> Outcome:
        text, anchor = found.text, f"{edit.function}()"
        body = body_of(text, found.function)
        there, beside = _occurrences(body, statement), _beside(edit, ground, body)
        gaps = [apart(text, gap, edit.blank or "") for gap in _gaps(edit, body, there)]
        holding = [s for s in there if any(gap.holds(text, *s, beside) for gap in gaps)]
        if there and len(holding) == len(gaps) == len(there):
            return self.present(ground, place_in(found.path, text, there[0][0]), anchor=anchor)
        if there:
            raise _Elsewhere(
                "the statement is in the function already, but not (only) where it is wanted",
                hint="name the place where it is (at = …), or take this edit out of the recipe",
                near=[start for start, _ in there],
            )
        splices = sorted((s for gap in gaps for s in gap.splices(statement)), key=lambda s: s.start)
        data = _spliced(text.data, splices)
        if _parses_worse(body, data):
            raise _Elsewhere("with the statement in, the file parses worse than before")
        return self.done(
            ground,
            found.path,
            data,
            line=_first_line(text, gaps),
            anchor=anchor,
            text=b"\n".join(statement for _ in gaps),
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


_CALLEE = rb"(?!(?:return|if|for|while|switch|sizeof)\b)[A-Za-z_]*[a-z]\w*"
"""Whoever is called: no shouted macro, which may declare something, or stand for a condition."""
_CALL_LINES = re.compile(rb"(?m)^([ \t]*)(%s\([^;{}]*\);)$" % _CALLEE)
"""A call and nothing else, on lines of its own."""
_CALLED = re.compile(rb"(?<![\w.>])(%s)\s*\(" % _CALLEE)
_MOST = 8
"""Calls in one file; a patch with more of them writes the file anew, and is best kept as it is."""
_AROUND = 400
"""How far from the statement, in bytes, a call to hold on to is looked for, and"""
_NEIGHBOURS = 3
"""how many of them are tried on either side."""


def _lifted(change: Change, function: Function, match: re.Match[bytes]) -> Iterator[CCallEdit]:
    """The call as an edit, in each place that could be meant."""
    code = c_text(change.new).code
    edit = CCallEdit(
        where=change.where,
        file=change.path,
        function=show(function.name),
        statement=match[2].replace(b"\n" + match[1], b"\n").decode(errors="replace"),
    )
    above = _CALLED.findall(code, max(function.open, match.start() - _AROUND), match.start())
    below = _CALLED.findall(code, match.end(), min(function.close, match.end() + _AROUND))
    places = [edit, replace(edit, at="before-last-return")]
    for name in above[::-1][:_NEIGHBOURS]:
        places.append(replace(edit, at="after-call", call=show(name)))
        places.append(replace(edit, at="after-check", call=show(name)))
    places += [replace(edit, at="before-call", call=show(name)) for name in below[:_NEIGHBOURS]]
    places.append(replace(edit, at="before-returns"))
    yield from places
    if any(change.adds(at) for at in (match.start() - 1, match.end() + 1)):
        yield from (replace(place, blank="above") for place in places)
        yield from (replace(place, blank="below") for place in places)
        yield from (replace(place, blank="both") for place in places)


def _statement(edit: CCallEdit) -> bytes:
    """The statement, its lines at column 0. Raises KpatchError where it is not exactly one."""
    if not edit.file.endswith((b".c", b".h")):
        raise KpatchError(
            f"file = '{show(edit.file)}' is no C file",
            hint='for assembly and the rest write the change as a kind = "patch"',
        )
    for key, name in (("function", edit.function), ("call", edit.call)):
        if name is not None and not re.fullmatch(r"[A-Za-z_]\w*", name):
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
    lines = textwrap.dedent(edit.statement.strip("\n")).strip()
    if [node.type[-10:] for node in _block(lines)] != ["_statement"]:
        raise KpatchError(
            f"statement = '{edit.statement}' is not one C statement",
            hint='a statement with its semicolon: statement = "foo_rust_init();"',
        )
    return lines.encode()


def _block(lines: str) -> list[tree_sitter.Node]:
    """What stands in a function made of `lines` alone; nothing where that is no C."""
    root = parse_c(_in_function(lines))
    body = root.children[0].child_by_field_name("body")
    sound = body is not None and len(root.children) == 1 and not root.has_error
    return body.named_children if body and sound else []


def _in_function(statement: str) -> bytes:
    return b"void f(void) {\n" + statement.encode() + b"\n}\n"


def _gaps(edit: CCallEdit, body: Body, there: Sequence[tuple[int, int]]) -> list[Gap]:
    """The places the edit asks for; what is inside the statement itself, at `there`, is none."""
    if edit.at == "entry":
        return [at_entry(body)]
    if edit.call is not None:
        return [_by_call(edit, body, edit.call.encode(), there)]
    found = [s for s in returns(body) if not _within(s.start, there)]
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


def _by_call(edit: CCallEdit, body: Body, call: bytes, there: Sequence[tuple[int, int]]) -> Gap:
    found = [at for at in calls(body, call) if not _within(at, there)]
    if len(found) != 1:
        times = f"called {len(found)} times" if found else "not called"
        raise _Elsewhere(
            f"{edit.call}() is {times}",
            hint='name a function that is called exactly once in it: call = "…"',
            near=found or _like(body, call),
            at=found[0] if found else body.function.named,
        )
    statement = statement_around(body, found[0])
    if edit.at == "after-check":
        check = check_of(body, statement)
        if check is None:
            raise _Elsewhere(
                f"no if right below the call of {edit.call}() tests what it returned", near=found
            )
        return after(body, check)
    if why := _no_neighbour(edit, body, statement):
        raise _Elsewhere(why, near=found)
    if statement.type == "declaration":
        return at_entry(body)
    return before(body, statement) if edit.at == "before-call" else after(body, statement)


def _like(body: Body, call: bytes) -> list[int]:
    """Where functions of a name like `call` are called, those that are called once."""
    names = [name.decode(errors="replace") for name in called(body)]
    close = difflib.get_close_matches(call.decode(), names, n=_CANDIDATES)
    found = (calls(body, name.encode()) for name in close)
    return [at[0] for at in found if len(at) == 1]


def _no_neighbour(edit: CCallEdit, body: Body, statement: Statement) -> str:
    """Why nothing can stand next to the call in `statement`; empty where it can."""
    if statement.type in _LOOPS:
        return f"{edit.call}() is in the head of a loop and called more than once"
    if statement.type == "declaration":
        if edit.at == "after-call" and statement.end == declarations_end(body):
            return ""
        return f"{edit.call}() is called in a declaration"
    if edit.at == "after-call" and statement.type == "return_statement":
        return f"the function is left with what {edit.call}() returns: nothing comes after it"
    return ""


def _within(offset: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= offset < end for start, end in spans)


def _occurrences(body: Body, statement: bytes) -> list[tuple[int, int]]:
    """Where `statement` stands in the body already, whatever blanks are between its tokens."""
    tokens = re.findall(rb'"(?:\\.|[^"\\])*"|\w+|\S', statement)
    joined = rb"\s*".join(map(re.escape, tokens))
    wanted = re.compile(rb"(?<![\w.>])" + joined)
    text, function = body.text, body.function
    return [
        match.span()
        for match in wanted.finditer(text.data, function.open, function.close)
        if text.code[match.start() : match.start() + 1].strip()
    ]


def _beside(edit: CCallEdit, ground: Ground, body: Body) -> list[tuple[int, int]]:
    """Where the series' other statements for the function stand: they may share a place."""
    others = {
        e.statement.strip().encode()
        for e in ground.edits
        if isinstance(e, CCallEdit) and e.function == edit.function
    }
    return [span for other in others for span in _occurrences(body, other)]


def _spliced(data: bytes, splices: Sequence[Splice]) -> bytes:
    """`data` with `splices`, sorted by place and apart from each other, carried out."""
    out, at = [], 0
    for splice in splices:
        out += [data[at : splice.start], splice.text]
        at = splice.end
    return b"".join((*out, data[at:]))


def _parses_worse(old: Body, data: bytes) -> bool:
    """Whether `data` has other functions than before, or more errors in this one.

    Errors are counted in the one body: in a whole file, one line more moves the errors of others.
    """
    text = c_text(data)
    now, then = functions(text), functions(old.text)
    if [f.name for f in now] != [f.name for f in then]:
        return True
    return error_count(body_of(text, now[then.index(old.function)])) > error_count(old)


def _first_line(text: CText, gaps: Sequence[Gap]) -> int:
    """The line of the result in which the first statement put in begins."""
    first = min(gaps, key=lambda gap: gap.start)
    extra = sum(s.text.count(b"\n") for s in first.also if s.start < first.start)
    above = text.data.count(b"\n", 0, first.start)
    dropped = sum(
        text.data.count(b"\n", s.start, s.end) for s in first.also if s.start < first.start
    )
    return above + extra - dropped + first.lead.count(b"\n") + 1


def _line(found: Definition, offset: int) -> Candidate:
    text = found.text
    line = text.data[text.line_start(offset) : text.line_end(offset)]
    return Candidate(place_in(found.path, text, offset), show(line.strip()[:100]))


def _called(node: tree_sitter.Node) -> Iterator[str]:
    """The names of the functions called below `node`."""
    callee = node.child_by_field_name("function") if node.type == "call_expression" else None
    if callee is not None and callee.type == "identifier" and callee.text:
        yield callee.text.decode()
    for child in node.children:
        yield from _called(child)


def _from_rust(tree: TreeOverlay, path: RepoPath, names: Iterator[str]) -> tuple[str, ...]:
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
