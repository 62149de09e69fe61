"""Prototypes: what one says, which of them a file has, and the stub that stands in for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from kpatch_rs.syntax.c_body import blank_attributes, parse_c
from kpatch_rs.syntax.c_functions import functions, last_of_head
from kpatch_rs.syntax.c_text import CText, c_text

_QUALIFIERS = frozenset((b"const", b"notrace", b"volatile"))
_NOT_IN_A_STUB = frozenset(
    (b"extern", b"static", b"inline", b"asmlinkage", b"__init", b"__exit", b"__must_check")
)
_INTEGER = re.compile(
    rb"(?:(?:un)?signed|char|short|int|long|[su](?:8|16|32|64)|__(?:[su]|le|be)(?:8|16|32|64)|"
    rb"u?int(?:8|16|32|64|ptr)_t|s?size_t|ptrdiff_t|loff_t|off_t|gfp_t|pgoff_t|phys_addr_t|"
    rb"dma_addr_t|resource_size_t|sector_t|umode_t|fmode_t|dev_t|pid_t|ktime_t|time64_t|cycles_t|"
    rb"blk_status_t|uint|ulong|ushort)\Z"
)
_WIDTH = 80
_TAB = 8


@dataclass(frozen=True, slots=True)
class Prototype:
    """`head name(parameters)`, each with single blanks."""

    name: bytes
    head: bytes
    """Storage class, attributes and type: all that stands before the name."""
    parameters: tuple[bytes, ...]
    tail: bytes
    """Attributes behind the parameters, with the blank before them."""
    signature: tuple[bytes, ...]
    """Its types, token by token; equal ones declare the same function."""
    named: bool
    """Whether every parameter has a name, as a definition needs it."""

    def written(self, head: bytes, end: bytes) -> bytes:
        """`head name(parameters)` and `end`, broken before column 80 and aligned for checkpatch."""
        start = head + (b"" if head.endswith(b"*") else b" ") + self.name + b"("
        done: list[bytes] = []
        line = start
        for parameter in self.parameters[:-1]:
            line = _continued(done, line, start, parameter + b",") + b" "
        last = self.parameters[-1] + b")" + end
        line = _continued(done, line, start, last)
        return b"\n".join((*done, line))

    def declaration(self) -> bytes:
        """The prototype itself, with its semicolon."""
        return self.written(self.head, self.tail + b";")

    def stub(self, body: tuple[bytes, ...]) -> bytes:
        """A static inline function of this name; an empty one stands on one line if it fits."""
        head = b" ".join((b"static", b"inline", *self._type()))
        short = self.written(head, b" { }")
        if not body and b"\n" not in short:
            return short
        lines = b"".join(b"\t" + line + b"\n" for line in body)
        return self.written(head, b"") + b"\n{\n" + lines + b"}"

    def nothing_done(self) -> tuple[bytes, ...] | None:
        """The stub's body that the type tells; None where it tells none."""
        words = [w for w in self._type() if w not in _QUALIFIERS]
        if words[-1:] and words[-1].endswith(b"*"):
            return (b"return NULL;",)
        if words == [b"void"]:
            return ()
        if words in ([b"bool"], [b"_Bool"]):
            return (b"return false;",)
        if words == [b"irqreturn_t"]:
            return (b"return IRQ_NONE;",)
        return (b"return 0;",) if words and all(map(_INTEGER.match, words)) else None

    def _type(self) -> list[bytes]:
        """The head without what a static inline function cannot have."""
        return [w for w in self.head.split() if w not in _NOT_IN_A_STUB]


def prototype(source: bytes) -> Prototype | None:
    """Read one prototype, with its semicolon; None where `source` is anything else."""
    text = c_text(source.strip())
    if not text.code.endswith(b";") or text.directives or b"{" in text.code:
        return None
    as_definition = c_text(text.code[:-1] + b"{}")
    found = functions(as_definition)
    if len(found) != 1 or found[0].start or b";" in text.code[:-1]:
        return None
    opened = as_definition.code.find(b"(", found[0].named)
    if opened < 0:  # EXPORT_SYMBOL(name): the name is a macro's argument
        return None
    closed = as_definition.partner(opened)
    head, inside = text.code[: found[0].named], text.code[opened + 1 : closed]
    parameters = tuple(_one_line(p) for p in _split(inside))
    if not head.strip() or not all(parameters):
        return None
    tail = _one_line(text.code[closed + 1 : -1])
    return Prototype(
        name=found[0].name,
        head=_one_line(head),
        parameters=parameters,
        tail=b" " + tail if tail else b"",
        signature=_signature(text.code),
        named=parameters == (b"void",) or all(_has_name(p) for p in parameters),
    )


def prototypes_named(text: CText, name: bytes) -> Iterator[tuple[int, Prototype]]:
    """The prototypes of `name` in `text`, and where the name stands in each."""
    for match in re.finditer(rb"(?<!\w)%s\s*\(" % re.escape(name), text.code):
        if any(opened < match.start() < text.closing.get(opened, 0) for opened in text.outer):
            continue
        start = max(text.code.rfind(mark, 0, match.start()) for mark in (b";", b"}", b"{")) + 1
        edge = max((d.end for d in text.directives if d.start < match.start()), default=0)
        end = text.code.find(b";", match.end())
        head = last_of_head(text.code[max(start, edge) : match.start()])
        found = prototype(head + text.code[match.start() : end + 1]) if end > 0 else None
        if found and found.name == name:
            yield match.start(), found


def _one_line(code: bytes) -> bytes:
    return b" ".join(code.split())


def _split(inside: bytes) -> Iterator[bytes]:
    """The parameters between the parentheses: parted by the commas that are in no others."""
    depth, start = 0, 0
    for at, char in enumerate(inside):
        depth += (char == ord("(")) - (char == ord(")"))
        if char == ord(",") and not depth:
            yield inside[start:at]
            start = at + 1
    yield inside[start:]


def _leaves(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    if not node.children:
        yield node
    for child in node.children:
        yield from _leaves(child)


def _signature(code: bytes) -> tuple[bytes, ...]:
    """The tokens that make the type: all but names of parameters, attributes and `extern`."""
    leaves = _leaves(parse_c(blank_attributes(code)))
    away = (b"extern", b"asmlinkage", b"__init", b"__exit")
    kept = (n.text or b"" for n in leaves if n.type != "identifier")
    return tuple(token for token in kept if token not in away)


def _has_name(parameter: bytes) -> bool:
    if parameter == b"...":
        return True
    leaves = _leaves(parse_c(b"void f(" + blank_attributes(parameter) + b");"))
    return sum(n.type == "identifier" for n in leaves) > 1


def _continued(done: list[bytes], line: bytes, start: bytes, piece: bytes) -> bytes:
    """`line` with `piece`, or a new line with it where it would get too long."""
    if _columns(line + piece) <= _WIDTH or line == start:
        return line + piece
    done.append(line.rstrip())
    return _aligned(len(start)) + piece


def _columns(line: bytes) -> int:
    return len(line.replace(b"\t", b" " * _TAB))


def _aligned(column: int) -> bytes:
    return b"\t" * (column // _TAB) + b" " * (column % _TAB)
