"""Blocks in blocks, in many languages; edits of them, and what two edits together must mean.

A file is a tree of our own, written in a language's words and read back line by line, by what
opens and closes a block or by the column: no grammar that kpatch-rs uses has a part in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

_NAMES = "abcdefg"


@dataclass(frozen=True, slots=True)
class Block:
    """A statement; one with something in it is a block."""

    name: str
    """What edits know it by."""
    of: tuple[Block, ...] = ()
    new: str = ""
    """What is written for the name."""

    @property
    def word(self) -> str:
        return self.new or self.name

    def each(self, change: Callable[[Block], tuple[Block, ...]]) -> tuple[Block, ...]:
        """What becomes of it when `change` is made to all in it, and then to itself."""
        return change(replace(self, of=tuple(n for b in self.of for n in b.each(change))))


@dataclass(frozen=True, slots=True)
class Language:
    """How a language writes blocks; `%s` is the name, what closes none goes by the column."""

    path: str
    head: str
    tail: str
    leaf: str
    opens: str
    closes: str = ""
    step: str = "\t"
    order: bool = True
    """Whether it means something."""

    def write(self, root: Block) -> bytes:
        depth = len(self.head) - len(self.head.rstrip(self.step))
        lines = self._lines(root.of, self.head[len(self.head) - depth :])
        return (self.head.rstrip(self.step) + "".join(lines) + self.tail).encode()

    def _lines(self, blocks: Sequence[Block], indent: str) -> Iterator[str]:
        for block in blocks:
            yield f"{indent}{(self.opens if block.of else self.leaf) % block.word}\n"
            if block.of:
                yield from self._lines(block.of, indent + self.step)
                yield f"{indent}{self.closes}\n" if self.closes else ""

    def read(self, data: bytes) -> Block | None:
        """None for what is no such file."""
        text, head = data.decode(), self.head.rstrip(self.step)
        if not (text.startswith(head) and text.endswith(self.tail)):
            return None
        inner = text[len(head) : len(text) - len(self.tail)].replace("\n\tbool\n", "\n")
        lines = [line for line in inner.splitlines() if line.strip()]
        indent = self.head[len(head) :]
        try:
            of = tuple(self._read(lines, indent if not self.closes else ""))
        except (ValueError, IndexError):
            return None
        return None if lines else Block("", of)

    def _read(self, lines: list[str], indent: str) -> Iterator[Block]:
        while lines:
            line = lines[0].lstrip() if self.closes else lines[0].removeprefix(indent)
            if line == self.closes or (not self.closes and not lines[0].startswith(indent)):
                return
            lines.pop(0)
            leaf, opened = (_match(form, line) for form in (self.leaf, self.opens))
            if opened is None:
                if leaf is None:
                    raise ValueError(line)
                yield Block(leaf)
                continue
            of = tuple(self._read(lines, indent + self.step))
            if not of or (self.closes and lines.pop(0).strip() != self.closes):
                raise ValueError(line)
            yield Block(opened, of)


def _match(form: str, line: str) -> str | None:
    before, after = form.partition("\n")[0].split("%s")
    found = re.fullmatch(f"{re.escape(before)}(\\w+){re.escape(after)}", line)
    return found[1] if found else None


def meaning(language: Language, root: Block | None) -> object:
    """What tells one tree from another."""
    if root is None:
        return None
    of = [meaning(language, block) for block in root.of]
    return (root.word, *(of if language.order else sorted(of, key=repr)))


def renamed(root: Block) -> dict[str, str]:
    """What is written for a name, and the name."""
    inner = {new: name for block in root.of for new, name in renamed(block).items()}
    return {**inner, root.new: root.name} if root.new else inner


def under(
    root: Block, was: Mapping[str, str], above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Each statement, behind all that is around it, by their old names."""
    for block in root.of:
        yield (*above, block.word)
        yield from under(block, was, (*above, was.get(block.word, block.word)))


@st.composite
def roots(draw: st.DrawFn) -> Block:
    """Some blocks, two deep at most."""
    of, names = list[Block](), list(_NAMES)
    while names and len(of) < 4:
        size = draw(st.sampled_from([0, 0, 1, 2, 3]))
        name, *inner = names[: size + 1]
        names = names[size + 1 :]
        of.append(Block(name, tuple(Block(n) for n in inner)))
    return Block("", tuple(of))


Edit = Callable[[Block], Block]


@st.composite
def two_edits(draw: st.DrawFn) -> tuple[Edit, Edit]:
    """What each of two sides does, near each other."""
    n = draw(st.integers(1, len(_NAMES) - 2))
    near = st.sampled_from(_NAMES[n - 1 : n + 2])
    return draw(_edits("O", near)), draw(_edits("T", near))


def _edits(mine: str, name: st.SearchStrategy[str]) -> st.SearchStrategy[Edit]:
    """What a side does; it is to mean the same whatever was done before."""
    return st.one_of(
        st.builds(_beside, name, st.just(mine), st.booleans()),
        st.builds(_beside, name, st.just(mine), st.booleans()),
        st.builds(_around, name, st.just(mine), st.integers(1, 2)),
        st.builds(_around, name, st.just(mine), st.integers(1, 2)),
        st.builds(_each, name, st.just(lambda b: (replace(b, new=mine),))),
        st.builds(_each, name, st.just(lambda b: b.of or (b,))),
    )


def _each(name: str, change: Callable[[Block], tuple[Block, ...]]) -> Edit:
    """`change` made to the block of that name."""
    return lambda root: root.each(lambda b: change(b) if b.name == name else (b,))[0]


def _beside(name: str, mine: str, above: bool) -> Edit:
    new = (Block(mine),)
    return _each(name, lambda b: (*new, b) if above else (b, *new))


def _around(name: str, mine: str, size: int) -> Edit:
    """A block around that one and those behind it."""

    def wrapped(block: Block) -> tuple[Block, ...]:
        names = [b.name for b in block.of]
        if name not in names:
            return (block,)
        n = names.index(name)
        last = max((i for i, b in enumerate(names) if b in _run(name, size)), default=n)
        of = (*block.of[:n], Block(mine, block.of[n : last + 1]), *block.of[last + 1 :])
        return (replace(block, of=of),)

    return lambda root: root.each(wrapped)[0]


def _run(name: str, size: int) -> str:
    return _NAMES[_NAMES.index(name) :][:size]


LANGUAGES = (
    Language("d/f.c", "int f(void)\n{\n\t", "\treturn 0;\n}\n", "%s();", "if (%s) {", "}"),
    Language("d/f.rs", "fn f() {\n    ", "    0\n}\n", "%s();", "if %s {", "}", "    "),
    Language("d/f.py", "def f(x):\n    ", "    return x\n", "%s()", "if %s:", step="    "),
    Language("d/go", "#!/usr/bin/python3\n", "end()\n", "%s()", "with %s:", step="    "),
    Language("d/go.sh", "#!/bin/sh\n", "exit 0\n", "%s", "if %s; then", "fi"),
    Language("d/f.yaml", "all:\n  ", "\nend: 1\n", "%s: 1", "%s:", step="  ", order=False),
    Language("d/f.dts", "/ {\n\t", "};\n", "%s;", "%s {", "};", order=False),
    Language("d/Kconfig", "", "source x\n", "config %s\n\tbool\n", "if %s\n", "endif", "", False),
    Language("d/Makefile", "", "end-y := e.o\n", "obj-y += %s.o", "ifdef %s", "endif", "", False),
)
