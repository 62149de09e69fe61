"""Kconfig files: the entries they define, the blocks these stand in, the files they source.

Guarantees: offsets are into the bytes given; an entry's end is behind its last own line: no blank
line and no comment of the entry that follows.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from kpatch_rs.syntax.kconfig_grammar import below, conditions, parse, parse_condition, text_of
from kpatch_rs.syntax.lines import Part

_BLOCKS = {"if": "endif", "menu": "endmenu", "choice": "endchoice"}
_NUMBER = re.compile(r"-?\d+|0[xX][0-9a-fA-F]+")


@dataclass(frozen=True, slots=True)
class Block:
    """An `if`, `menu` or `choice` with its end."""

    word: str
    title: str
    """A menu's title, an if's condition with single blanks, '' for a choice."""
    start: int
    close: int
    """Where the line of its `end…` begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A `config` or `menuconfig`."""

    symbol: str
    start: int
    end: int
    blocks: tuple[Block, ...]
    """What it stands in, outermost first."""
    readable: bool
    """Whether nothing in or around it was a syntax error to the grammar."""


@dataclass(frozen=True, slots=True)
class KconfigFile:
    """What a Kconfig file says, in the order of its lines."""

    entries: tuple[Entry, ...]
    blocks: tuple[Block, ...]
    sources: tuple[str, ...]
    """Paths of `source` lines, `$(SRCARCH)` and the like unexpanded."""


def read_kconfig(data: bytes) -> KconfigFile:
    """Read a Kconfig file; what is no Kconfig leaves fewer entries, never an error."""
    root = parse(data)
    entries: list[Entry] = []
    blocks: list[Block] = []
    sources: list[str] = []
    for node, around, readable in _statements(root, (), True):
        if node.type in ("config", "menuconfig"):
            entries += _entry(node, data, around, readable)
        elif node.type == "source":
            sources += [text_of(n) for n in below(node, "string_content")]
        elif block := _block(node):
            blocks.append(block)
    return KconfigFile(tuple(entries), tuple(blocks), tuple(sources))


def entry_lines(data: bytes) -> dict[bytes, Part]:
    """The entries of a Kconfig file by symbol; one that it has twice is none."""
    entries = read_kconfig(data).entries
    times = Counter(entry.symbol for entry in entries)
    return {
        entry.symbol.encode(): Part(
            data.count(b"\n", 0, entry.start), data.count(b"\n", 0, entry.end)
        )
        for entry in entries
        if times[entry.symbol] == 1 and entry.readable
    }


def symbols_in(data: bytes) -> frozenset[str] | None:
    """The symbols the entries in `data` name in expressions and selects, their own names left out.

    Constants (y, m, n, numbers) and `$(…)` name none. None where `data` is not valid Kconfig.
    """
    root = parse(data)
    nodes = [root, *map(parse_condition, conditions(data).values())]
    if root.has_error or None in nodes:
        return None
    named = {text_of(n) for node in nodes if node for n in below(node, "symbol") if not _is_name(n)}
    return frozenset(s for s in named if s not in "ymn" and not _NUMBER.fullmatch(s))


def _statements(
    node: Node, around: tuple[Block, ...], readable: bool
) -> Iterator[tuple[Node, tuple[Block, ...], bool]]:
    """Every statement below `node` with its blocks; the insides of entries are not looked at."""
    for child in node.named_children:
        yield child, around, readable
        if child.type in _BLOCKS:
            block = _block(child)
            yield from _statements(child, (*around, block) if block else around, readable)
        elif child.type == "ERROR":
            yield from _statements(child, around, False)


def _entry(node: Node, data: bytes, around: tuple[Block, ...], readable: bool) -> list[Entry]:
    name = next((c for c in node.named_children if c.type == "name"), None)
    if name is None:
        return []
    own = [c for c in node.children if c.type != "comment"]
    text_end = node.start_byte + len(data[node.start_byte : own[-1].end_byte].rstrip())
    newline = data.find(b"\n", text_end)
    return [
        Entry(
            symbol=text_of(name),
            start=node.start_byte,
            end=newline + 1 if newline >= 0 else len(data),
            blocks=around,
            readable=readable and not node.has_error,
        )
    ]


def _block(node: Node) -> Block | None:
    last = node.children[-1] if node.type in _BLOCKS and node.children else None
    if last is None or last.type != _BLOCKS[node.type]:
        return None
    title = ""
    if node.type != "choice":
        title = (
            " ".join(text_of(node.named_children[0]).strip('"').split())
            if node.named_children
            else ""
        )
    return Block(node.type, title, node.start_byte, last.start_byte - last.start_point.column)


def _is_name(node: Node) -> bool:
    """Whether the symbol is the name an entry defines, not one it uses."""
    holder = node.parent
    return bool(
        holder
        and holder.type == "name"
        and holder.parent
        and holder.parent.type in ("config", "menuconfig", "choice")
    )
