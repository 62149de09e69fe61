"""When a place in a function is reached: under which conditions, and on which way out.

A place that is found again by its structure may mean something else meanwhile: the last return was
for success and is for failure now, what a call returned is tested right behind it, the call moved
into an `if`. Two readings of one place, on two kernels, tell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from kpatch_rs.syntax.c_body import Body, check_of, returns, statement_around, walk
from kpatch_rs.syntax.c_text import words

_CONDITIONS = {
    "if_statement": "if",
    "else_clause": "else",
    "switch_statement": "switch",
    "while_statement": "loop",
    "for_statement": "loop",
    "do_statement": "loop",
}
_NO_CONDITION = re.compile(rb"\w*guard\w*\Z")
"""`scoped_guard(mutex, &lock) { }` is read as a loop, and always runs."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a place is reached."""

    offset: int
    """Of the call, or the return."""
    under: tuple[str, ...]
    """The conditions around it, the innermost first: if, else, switch, loop."""
    tested: bool = False
    """Whether an `if` right below tests what the call there returned."""
    returned: bytes | None = None
    """What the return there gives, empty for none at all; None where it is no return."""
    labelled: bool = False
    """Whether a `goto` may lead there."""

    def otherwise(self, now: Reach) -> str:
        """What makes of `now` another place; empty where nothing does."""
        if self.under != now.under:
            was, is_ = (" in ".join(reach.under) or "no condition" for reach in (self, now))
            return f"it was under other conditions in the last kernel ({was}, now {is_})"
        if now.tested and not self.tested:
            return "what the call returns is tested right behind it now, and was not before"
        if self.labelled and not now.labelled:
            return "a goto led there, and does not any more"
        if now.labelled and not self.labelled:
            return "a goto leads there, and did not in the last kernel"
        if not _same_way_out(self.returned, now.returned):
            return f"the return there was '{_shown(self.returned)}' in the last kernel"
        return ""


_GOTO = re.compile(rb"\bgoto\s+(\w+)\s*;")
_LABEL = re.compile(rb"(?m)(?:^|(?<=[;{}:]))\s*(\w+)\s*:")


def nowhere(code: bytes) -> frozenset[bytes]:
    """The labels that each `goto` of a function asks for, and none of its lines has."""
    return frozenset(_GOTO.findall(code)) - frozenset(_LABEL.findall(code))


def at_call(body: Body, offset: int, *, behind: bool) -> Reach:
    """How the call at `offset` is reached, or what comes right `behind` it. Raises Unclear."""
    statement = statement_around(body, offset)
    return Reach(
        offset, _under(body, offset), tested=behind and check_of(body, statement) is not None
    )


def at_last_return(body: Body) -> Reach:
    """How the end of the body is reached: its only return at the top level, or its `}`."""
    last = [statement for statement in returns(body) if statement.top]
    end = last[-1].start if last else body.function.close
    labelled = any(n.type == "labeled_statement" for n in body.root.named_children)
    given = body.text.code[end : last[-1].end] if last else b""
    expression = re.sub(rb"\Areturn\b|;\s*\Z", b"", given).strip()
    return Reach(
        end,
        under=(),
        returned=b" ".join(words(expression)),
        labelled=labelled,
    )


_LEAVING = ("return_statement", "goto_statement", "break_statement", "continue_statement")


def never_reached(body: Body) -> int:
    """How many statements come right behind one that leaves, where no label leads to them."""
    text, shift = body.text, body.shift
    return sum(
        one.type in _LEAVING
        and other.type not in ("labeled_statement", "case_statement")
        and not text.between(one.end_byte + shift, other.start_byte + shift)
        for block in walk(body.root)
        if block.type in ("compound_statement", "case_statement")
        for one, other in pairwise(n for n in block.named_children if n.type != "comment")
    )


def _under(body: Body, offset: int) -> tuple[str, ...]:
    at = offset - body.shift
    node = body.root.descendant_for_byte_range(at, at)
    found = []
    while node is not None and node.parent is not None and node != body.root:
        parent = node.parent
        condition = _CONDITIONS.get(parent.type)
        if condition and node.type.endswith(("_statement", "_clause")):
            word = re.match(rb"\w*", body.text.code[parent.start_byte + body.shift :])
            is_else = parent.type == "if_statement" and node.type == "else_clause"
            if not is_else and not (word and _NO_CONDITION.match(word[0])):
                found.append(condition)
        node = parent
    return tuple(found)


def _same_way_out(was: bytes | None, now: bytes | None) -> bool:
    """Whether both returns can be the same one: for success, or for what a variable says."""
    if was == now or was is None or now is None:
        return True
    if not was or not now:  # a function that returns nothing, and one that always succeeds
        return (was or now) == b"0"
    names = (re.fullmatch(rb"[a-z_]\w*", given) for given in (was, now))
    return all(names) and not {was, now} & {b"true", b"false"}


def _shown(returned: bytes | None) -> str:
    return f"return {(returned or b'').decode(errors='replace')[:60]}".strip()
