"""Every way through a function, with the locks that are held on it.

The body is walked statement by statement; where ways meet, all that may be held is kept. A lock
that is given up and was not taken here is the caller's.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import tree_sitter

from kpatch_rs.syntax.c_body import Body, Unclear
from kpatch_rs.syntax.c_lock_calls import LockCall, lock_calls
from kpatch_rs.syntax.c_lock_names import SWITCHES


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that was taken; or one of the caller's that was given up."""

    kind: bytes
    what: bytes
    """The argument, without blanks; empty where there is only one."""
    taken: bool
    said: bytes = field(compare=False)
    """The call, as it is written."""
    offset: int = field(compare=False)
    """Where the call stands in the file."""
    block: int | None = field(compare=False, default=None)
    """The block that a guard ends with."""


State = tuple[Lock, ...]
"""What is held on one way, in the order in which it was taken."""
States = frozenset[State]
_MOST = 12
"""Ways that differ; more are not followed."""
_PASSES = 4
"""Until all that jumps has arrived."""


@lru_cache(maxsize=16)
def walked(body: Body) -> dict[int, States]:
    """What may be held where each statement begins; empty where it cannot be followed."""
    walk = _Walk(body)
    try:
        for _ in range(_PASSES):
            before = dict(walk.jumps)
            walk.run(body.root, frozenset(((),)))
            if walk.jumps == before:
                return walk.seen
    except (Unclear, RecursionError):
        return {}
    return {}


class _Walk:
    """One way after the other through a body; what jumps is kept for where it lands."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.seen: dict[int, States] = defaultdict(frozenset)
        self.jumps: dict[bytes, States] = defaultdict(frozenset)
        """To each label."""
        self.leaving: list[dict[str, States]] = []
        """What goes out by `break` and on by `continue`, for each loop around."""
        self.cases: list[States] = []
        self.blocks: list[int] = []
        self.offsets = [call.offset for call in lock_calls(body)]

    def run(self, node: tree_sitter.Node, states: States) -> States:
        """What may be held behind `node`. Raises Unclear where that is too much."""
        if len(states) > _MOST:
            raise Unclear(self.at(node), "too many ways lead there")
        if node.type == "comment":
            return states
        self.seen[self.at(node)] |= states
        way: Callable[[tree_sitter.Node, States], States] | None
        way = getattr(self, f"_{node.type}", None)
        return way(node, states) if way else self.calls(node, states)

    def at(self, node: tree_sitter.Node) -> int:
        return node.start_byte + self.body.shift

    def each(self, nodes: Iterable[tree_sitter.Node], states: States) -> States:
        for node in nodes:
            states = self.run(node, states)
        return states

    def calls(self, node: tree_sitter.Node | None, states: States) -> States:
        """Behind all calls in `node`; one that may fail has its lock, or a test would follow."""
        for call in self.within(node):
            states = self.done(call, states)
        return states

    def within(self, node: tree_sitter.Node | None) -> tuple[LockCall, ...]:
        if node is None:
            return ()
        first = bisect_left(self.offsets, self.at(node))
        return lock_calls(self.body)[
            first : bisect_left(self.offsets, node.end_byte + self.body.shift)
        ]

    def done(self, call: LockCall, states: States) -> States:
        locks = [
            Lock(
                kind,
                b"" if kind in SWITCHES else call.what,
                taken=not call.taking.gives_up,
                said=self.body.text.data[call.offset : call.end],
                offset=call.offset,
                block=self.blocks[-1] if call.guard and self.blocks else None,
            )
            for kind in call.taking.locks
        ]
        for lock in locks:
            states = frozenset(_with(state, lock) for state in states)
        return states

    def kept(self, states: States) -> States:
        """`states` without the guards whose block has ended."""
        return frozenset(
            tuple(k for k in state if k.block is None or k.block in self.blocks) for state in states
        )

    def branches(self, node: tree_sitter.Node | None, states: States) -> tuple[States, States]:
        """Where the condition `node` is true, and where it is false."""
        true = false = states
        for call in self.within(node):
            got = call.taking.where
            if got is None or node is None:
                true, false = self.done(call, true), self.done(call, false)
                continue
            code = self.body.text.code
            denied = re.search(rb"!\s*\(?\s*\Z", code[self.at(node) : call.offset])
            if denied or re.compile(rb"\s*==\s*0\b").match(code, call.end):
                got = not got
            joined = self.body.text.code[self.at(node) : node.end_byte + self.body.shift]
            true, false = self.either(call, (true, false), got, joined)
        return true, false

    def either(
        self, call: LockCall, ways: tuple[States, States], got: bool, condition: bytes
    ) -> tuple[States, States]:
        """Where a call that may fail has its lock; beside others it may not have been asked."""
        true, false = ways
        if got:
            maybe = true if b"||" in condition else frozenset[State]()
            return self.done(call, true) | maybe, false
        maybe = false if b"&&" in condition else frozenset[State]()
        return true, self.done(call, false) | maybe

    def _compound_statement(self, node: tree_sitter.Node, states: States) -> States:
        self.blocks.append(self.at(node))
        states = self.each(node.named_children, states)
        self.seen[node.end_byte + self.body.shift - 1] |= states
        self.blocks.pop()
        return self.kept(states)

    def _if_statement(self, node: tree_sitter.Node, states: States) -> States:
        true, false = self.branches(node.child_by_field_name("condition"), states)
        consequence = node.child_by_field_name("consequence")
        alternative = node.child_by_field_name("alternative")
        true = self.run(consequence, true) if consequence else true
        return true | (self.run(alternative, false) if alternative else false)

    def _else_clause(self, node: tree_sitter.Node, states: States) -> States:
        return self.each(node.named_children, states)

    def _while_statement(self, node: tree_sitter.Node, states: States) -> States:
        word = re.compile(rb"\w*").match(self.body.text.code, self.at(node))
        if word and word[0].startswith(b"scoped_"):
            return self.scoped(node, states)
        return self.loop(node, states)

    def _for_statement(self, node: tree_sitter.Node, states: States) -> States:
        return self.loop(node, self.calls(node.child_by_field_name("initializer"), states))

    def _do_statement(self, node: tree_sitter.Node, states: States) -> States:
        condition = node.child_by_field_name("condition")
        once = re.fullmatch(rb"\(\s*(?:0|false)\s*\)", (condition and condition.text) or b"")
        out = self.body_of(node, states)
        true, false = self.branches(condition, out["end"])
        if not once and true - states:
            again = self.body_of(node, states | true)
            false |= self.branches(condition, again["end"])[1]
            out["break"] |= again["break"]
        return false | out["break"]

    def loop(self, node: tree_sitter.Node, states: States) -> States:
        condition = node.child_by_field_name("condition")
        forever = re.fullmatch(
            rb"\(?\s*(?:[1-9]|true)?\s*\)?", (condition and condition.text) or b""
        )
        true, false = self.branches(condition, states)
        out = self.body_of(node, true)
        if out["end"] - true:
            more = self.branches(condition, states | out["end"])
            out, false = self.body_of(node, true | more[0]), false | more[1]
        else:
            false |= self.branches(condition, out["end"])[1]
        return out["break"] | (frozenset() if forever else false)

    def scoped(self, node: tree_sitter.Node, states: States) -> States:
        """The body of a scoped_guard(), which is a loop to the compiler and runs once."""
        self.blocks.append(self.at(node))
        held_ = self.calls(node.child_by_field_name("condition"), states)
        first = [c for c in lock_calls(self.body) if c.offset == self.at(node)]
        for call in first:
            held_ = self.done(call, held_)
        out = self.body_of(node, held_)
        self.blocks.pop()
        return self.kept(out["end"] | out["break"])

    def body_of(self, node: tree_sitter.Node, states: States) -> dict[str, States]:
        """What leaves the body of a loop at its end, or by a jump."""
        self.leaving.append({"break": frozenset(), "continue": frozenset()})
        body = node.child_by_field_name("body")
        end = self.run(body, states) if body else states
        out = {way: self.kept(left) for way, left in self.leaving.pop().items()}
        return {"end": end | out["continue"], "break": out["break"]}

    def _switch_statement(self, node: tree_sitter.Node, states: States) -> States:
        states = self.calls(node.child_by_field_name("condition"), states)
        self.cases.append(states)
        self.leaving.append({"break": frozenset()})
        body = node.child_by_field_name("body")
        out = self.run(body, frozenset()) if body else states
        self.cases.pop()
        out |= self.kept(self.leaving.pop()["break"])
        cases = body.named_children if body else ()
        return out if any(_is_default(case) for case in cases) else out | states

    def _case_statement(self, node: tree_sitter.Node, states: States) -> States:
        if self.cases:
            states |= self.cases[-1]
        value = node.child_by_field_name("value")
        return self.each((n for n in node.named_children if n != value), states)

    def _labeled_statement(self, node: tree_sitter.Node, states: States) -> States:
        label, *rest = node.named_children
        return self.each(rest, states | self.kept(self.jumps[label.text or b""]))

    def _goto_statement(self, node: tree_sitter.Node, states: States) -> States:
        label = node.child_by_field_name("label")
        self.jumps[(label and label.text) or b""] |= states
        return frozenset()

    def _break_statement(self, node: tree_sitter.Node, states: States) -> States:
        return self.leave("break", states)

    def _continue_statement(self, node: tree_sitter.Node, states: States) -> States:
        return self.leave("continue", states)

    def leave(self, way: str, states: States) -> States:
        around = next((ways for ways in reversed(self.leaving) if way in ways), None)
        if around is not None:
            around[way] |= states
        return frozenset()

    def _return_statement(self, node: tree_sitter.Node, states: States) -> States:
        return frozenset()


def _is_default(case: tree_sitter.Node) -> bool:
    return case.type == "case_statement" and case.child_by_field_name("value") is None


def _with(state: State, lock: Lock) -> State:
    """`state` with `lock` in it: what is taken and given up is neither."""
    same = (
        n
        for n, other in reversed(list(enumerate(state)))
        if (other.kind, other.what) == (lock.kind, lock.what) and other.taken != lock.taken
    )
    undone = next(same, None)
    if undone is None:
        return (*state, lock)
    return (*state[:undone], *state[undone + 1 :])
