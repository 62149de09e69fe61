"""Where in a function a statement can go, and what the text around it then looks like.

A :class:`Gap` keeps to kernel style: one statement a line, a blank line after declarations and
never two, braces around what used to be the only statement of an `if`. Raises Unclear where a
place on a line of its own cannot be had with certainty.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kpatch_rs.syntax.c_body import Body, Statement, Unclear, declarations_end
from kpatch_rs.syntax.c_text import CText
from kpatch_rs.syntax.line_ends import with_lf

_CONDITION = re.compile(rb"(?:if|while|for|switch)\Z|\w*for_?each\w*\Z")
_FOLLOWS = re.compile(rb"\s*(else|while)\b")


@dataclass(frozen=True, slots=True)
class Splice:
    """Bytes `start` to `end` of the file become `text`."""

    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """A place for a statement; bytes `start` to `end` (blanks, if any) give way to it."""

    start: int
    end: int
    indent: bytes
    lead: bytes = b""
    """What goes before the statement's own indent."""
    tail: bytes = b"\n"
    """What goes behind it."""
    also: tuple[Splice, ...] = ()
    """Braces it makes necessary."""
    after: int | None = None
    """The offset it comes right after; or"""
    before: int | None = None
    """the offset it comes right before."""

    def splices(self, statement: bytes) -> tuple[Splice, ...]:
        """The changes that put `statement` (lines at column 0) here."""
        lines = (self._indented(line) for line in statement.split(b"\n"))
        text = self.lead + b"\n".join(lines) + self.tail
        return (Splice(self.start, self.end, text), *self.also)

    def _indented(self, line: bytes) -> bytes:
        return self.indent + line if line.strip() and not line.startswith(b"#") else line

    def holds(
        self, text: CText, start: int, end: int, beside: Sequence[tuple[int, int]] = ()
    ) -> bool:
        """Whether the statement at `start` to `end` of the file is already in this place.

        Statements that are to stand in the same place, `beside`, may come between.
        """
        edge = (self.after, start) if self.after is not None else (end, self.before)
        low, high = edge[0] or 0, edge[1] or 0
        between = sorted(span for span in beside if low <= span[0] and span[1] <= high)
        edges = [low, *(at for span in between for at in span), high]
        rest = zip(edges[::2], edges[1::2], strict=True)
        return low <= high and all(text.blank(a, b) and not text.between(a, b) for a, b in rest)


def at_entry(body: Body) -> Gap:
    """Behind the declarations at the top."""
    text, opened = body.text, body.function.open
    end = declarations_end(body)
    start = _line_after(text, end)
    indent = _body_indent(body, end)
    if end == opened + 1:
        return Gap(start, start, indent, after=end)
    below = start
    while below < body.function.close and not text.data[below : text.line_end(below)].strip():
        below = text.line_end(below)
    lead = b"" if below > start else b"\n"
    return Gap(below, below, indent, lead=lead, after=end)


def at_end(body: Body) -> Gap:
    """Before the closing brace."""
    text, close = body.text, body.function.close
    start = text.line_start(close)
    if text.data[start:close].strip():
        raise Unclear(close, "the closing brace shares its line with other code")
    if _token_before(text, close)[1] not in b";{}:":
        raise Unclear(close, "what comes before the closing brace is no whole statement")
    if _right_below_declarations(body, close):
        return replace(at_entry(body), after=None, before=close)
    return Gap(start, start, _body_indent(body, body.function.open + 1), before=close)


def before(body: Body, statement: Statement) -> Gap:
    """Right before `statement`, above the comment that belongs to it."""
    text = body.text
    last, token = _token_before(text, statement.start)
    if token not in b";{}:":
        return replace(_braced(body, statement, last), before=statement.start)
    if token != b":" and _right_below_declarations(body, statement.start):
        return replace(at_entry(body), after=None, before=statement.start)
    if _starts_line(text, statement.start):
        start = _above_comment(text, statement.start)
        return Gap(start, start, text.indent(statement.start), before=statement.start)
    if token == b":" and not text.data[last + 1 : statement.start].strip():
        inner = text.indent(statement.start) + b"\t"
        return Gap(
            last + 1,
            statement.start,
            inner,
            lead=b"\n",
            tail=b"\n" + inner,
            before=statement.start,
        )
    raise Unclear(statement.start, "it shares its line with other code")


def after(body: Body, statement: Statement) -> Gap:
    """Right after `statement`."""
    text = body.text
    last, token = _token_before(text, statement.start)
    if token not in b";{}:":
        return replace(_braced_behind(body, statement, last), after=statement.end)
    if not _starts_line(text, statement.start):
        raise Unclear(statement.start, "it shares its line with other code")
    start = _line_after(text, statement.end)
    return Gap(start, start, text.indent(statement.start), after=statement.end)


def apart(text: CText, gap: Gap, blank: str) -> Gap:
    """`gap` with a blank line "above", "below" or, "both", around it, where there is none yet."""
    above = with_lf((text.data[: gap.start] + gap.lead)[-4:])
    below = with_lf((gap.tail + text.data[gap.end :])[:4])
    if blank in ("above", "both") and gap.lead in (b"", b"\n") and not above.endswith(b"\n\n"):
        gap = replace(gap, lead=gap.lead + b"\n")
    if blank in ("below", "both") and gap.tail == b"\n" and not below.startswith(b"\n\n"):
        gap = replace(gap, tail=b"\n\n")
    return gap


def _braced(body: Body, statement: Statement, last: int) -> Gap:
    """Before the only statement of an `if`, a loop or an `else`, which gets braces."""
    text = body.text
    outer = _arm_indent(body, statement, last)
    inner = outer + b"\t"
    return Gap(
        last + 1,
        statement.start,
        inner,
        lead=b" {\n",
        tail=b"\n" + inner,
        also=(_closing(text, statement, last, outer, b""),),
    )


def _braced_behind(body: Body, statement: Statement, last: int) -> Gap:
    outer = _arm_indent(body, statement, last)
    inner = outer + b"\t"
    closing = _closing(body.text, statement, last, outer, inner)
    return Gap(
        closing.start,
        closing.end,
        inner,
        lead=b"\n",
        tail=closing.text,
        also=(Splice(last + 1, statement.start, b" {\n" + inner),),
    )


def _arm_indent(body: Body, statement: Statement, last: int) -> bytes:
    """The indent of the `if`, loop or `else` that ends at `last` and governs `statement`."""
    text = body.text
    head, word = _governor(text, body.function.open, last)
    if not (word in (b"else", b"do") or _CONDITION.match(word)):
        raise Unclear(statement.start, "what comes before it is neither a statement nor an if")
    if text.data[last + 1 : statement.start].strip():
        raise Unclear(statement.start, "a comment or an #if stands before it and it has no braces")
    return text.indent(head)


def _governor(text: CText, floor: int, last: int) -> tuple[int, bytes]:
    """The word that governs what follows `last`, and where it is: `if` of `if (...)`, `else`."""
    at = last
    if text.code[last : last + 1] == b")":
        depth = 0
        for at in range(last, floor, -1):
            depth += (text.code[at] == ord(")")) - (text.code[at] == ord("("))
            if not depth:
                break
        at = len(text.code[:at].rstrip()) - 1
    word = re.search(rb"\w*\Z", text.code[max(floor, at - 80) : at + 1])
    found = word[0] if word else b""
    return at + 1 - len(found), found


def _closing(text: CText, statement: Statement, last: int, outer: bytes, behind: bytes) -> Splice:
    """The `}` for the brace opened at `last`, joined to an `else` or `while` that follows."""
    word = _governor(text, 0, last)[1]
    follows = _FOLLOWS.match(text.code, statement.end)
    joined = follows and (
        (follows[1] == b"else" and word == b"if") or (follows[1] == b"while" and word == b"do")
    )
    if follows and joined:
        if text.data[statement.end : follows.start(1)].strip():
            raise Unclear(statement.start, f"a comment or an #if stands before the {word.decode()}")
        return Splice(statement.end, follows.start(1), b"\n" + outer + b"} ")
    if follows and follows[1] == b"else":
        raise Unclear(statement.start, "an else follows that may belong to more than one if")
    end = _line_after(text, statement.end)
    end -= text.data[:end].endswith(b"\n")
    return Splice(end, end, b"\n" + outer + b"}")


def _token_before(text: CText, offset: int) -> tuple[int, bytes]:
    """The last byte of code before `offset`."""
    low = offset
    while low > 0 and text.code[low - 1 : low].isspace():
        low -= 1
    return low - 1, text.code[low - 1 : low]


def _starts_line(text: CText, offset: int) -> bool:
    return not text.data[text.line_start(offset) : offset].strip()


def _line_after(text: CText, offset: int) -> int:
    """The line after the one `offset` is in, where nothing but a comment follows it there."""
    end = text.line_end(offset)
    if not text.blank(offset, end):
        raise Unclear(offset, "other code follows on its line")
    if b"/*" in (rest := text.data[offset:end]) and b"*/" not in rest:
        raise Unclear(offset, "a comment begins on its line and goes on below")
    return end


def _above_comment(text: CText, offset: int) -> int:
    """The first line of the comment that stands above the line of `offset`; else that line.

    Blank lines may part the two, as in net/ipv4: a comment is about what follows it.
    """
    start = text.line_start(offset)
    above = text.data[:start].rstrip()
    if not above.endswith(b"*/"):
        return start
    opened = text.line_start(above.rfind(b"/*"))
    lone = text.blank(opened, start) and not text.between(opened, start)
    return opened if lone and text.data[opened:start].lstrip().startswith(b"/*") else start


def _right_below_declarations(body: Body, offset: int) -> bool:
    """Whether nothing stands between the declarations at the top and `offset`."""
    try:
        end = declarations_end(body)
    except Unclear:
        return False
    below = end <= offset  # a guard() is one of them
    return below and body.text.blank(end, offset) and not body.text.between(end, offset)


def _body_indent(body: Body, end: int) -> bytes:
    """The indent of the body's statements: the first one's that has some, else one tab more."""
    text, function = body.text, body.function
    for line in re.finditer(rb"(?m)^([ \t]+)\S", text.code[end : function.close]):
        return line[1]
    return text.indent(function.open) + b"\t"
