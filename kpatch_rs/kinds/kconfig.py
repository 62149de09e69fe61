"""This symbol exists, with type, prompt, dependencies and help.

The anchor is another symbol's entry, or the end of a menu or `if` block. What a new entry names
must exist: Kconfig takes an unknown symbol for n without a word, and the new one never shows up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, line_of, splice
from kpatch_rs.model.outcome import Candidate, Outcome, Place, Status
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import Proof, Reachable, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.syntax.kconfig import Block, Entry, KconfigFile, read_kconfig, symbols_in
from kpatch_rs.syntax.kconfig_tree import anywhere, definitions, undefined
from kpatch_rs.syntax.line_ends import with_lf

_HELP_INDENT = "\t  "
_LINE_END = "\n"
_TYPED = re.compile(r'(?m)^\s+(?:def_)?(bool|tristate|int|hex|string)\b(?:\s+(")?)')
_PROMPTED = re.compile(r"(?m)^\s+prompt\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class KconfigEdit(Edit):
    """`kind = "kconfig"`."""

    kind = "kconfig"
    file: RepoPath
    symbol: str
    """Without CONFIG_."""
    type: Literal["bool", "tristate", "int", "hex", "string"] = "bool"
    prompt: str | None = None
    depends: tuple[str, ...] = ()
    """Each becomes one `depends on` line."""
    select: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    """Each becomes one `default` line: "y", "y if FOO"."""
    help: str = ""
    lines: str = ""
    """All of the entry below its first line, as the file is to have it, where its properties or
    their order are not the usual ones; type, prompt and the rest above are left out then."""
    after: str | None = None
    """Put it after this symbol's entry, wherever in `file` that is."""
    before: str | None = None
    """The same, right above that entry and its comment."""
    menu: str | None = None
    """Put it at the end of the menu with this title, or of the `if` block with this condition;
    with one of these: where more than one entry has that symbol, take the one in this block."""
    also: tuple[RepoPath, ...] = ()
    """Where the file is on other kernels; `rebase` adds what it found out."""

    @property
    def anchor(self) -> str:
        """What it holds on to, in words."""
        if self.beside:
            return f"config {self.beside}"
        return f'"{self.menu}"' if self.menu else f"the outermost block of {show(self.file)}"

    @property
    def beside(self) -> str:
        """The symbol next to whose entry it goes; empty for none."""
        return self.after or self.before or ""

    def entry(self) -> bytes:
        """The entry as the file holds it: in the order and form of the kernel's own."""
        if self.lines:
            return f"config {self.symbol}\n{self.lines.rstrip(_LINE_END)}\n".encode()
        quoted = self.prompt and self.prompt.replace("\\", "\\\\").replace('"', '\\"')
        lines = [f'{self.type} "{quoted}"' if self.prompt else self.type]
        lines += [f"default {value}" for value in self.default]
        lines += [f"depends on {condition}" for condition in self.depends]
        lines += [f"select {symbol}" for symbol in self.select]
        text = [f"{_HELP_INDENT}{line}".rstrip() for line in self.help.strip("\n").splitlines()]
        lines += ["help"] if text else []
        body = [f"\t{line}" for line in lines] + text
        return "\n".join([f"config {self.symbol}", *body, ""]).encode()


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the entry goes in `path`, between two blocks of lines."""

    path: RepoPath
    data: bytes
    offset: int


class _Unclear(KpatchError):
    """No certain place, with what could have been meant."""

    def __init__(self, message: str, *, hint: str, candidates: Sequence[Candidate] = ()) -> None:
        super().__init__(message, hint=hint)
        self.candidates = candidates


class Kconfig(Rooted[KconfigEdit]):
    """See the module."""

    edit = KconfigEdit
    example = """\
kind = "kconfig"
file = "drivers/foo/Kconfig"
symbol = "FOO_RUST"
prompt = "Rust part of the foo driver"
depends = ["FOO && RUST"]
help = '''
Say what it does and who wants it, in four lines or more:
checkpatch asks for them.

If unsure, say N.
'''
after = "FOO"
"""

    def plan(self, edit: KconfigEdit, ground: Ground) -> Outcome:
        named = _refuse_malformed(edit)
        if there := definitions(ground.tree, edit.symbol, edit.file):
            return self._defined(edit, ground, there)
        try:
            spot = _spot(edit, ground)
        except _Unclear as unclear:
            return self.conflict(
                ground,
                unclear.message,
                hint=unclear.hint,
                anchor=edit.anchor,
                candidates=unclear.candidates,
            )
        if spot is None:
            return self.no_file(ground, edit.file)
        if unknown := undefined(ground.tree, named, spot.path):
            return self._unknown(edit, ground, unknown)
        return self._insert(edit, ground, spot)

    def proofs(self, edit: KconfigEdit, outcome: Outcome) -> Sequence[Proof]:
        typed = _TYPED.search(edit.entry().decode())
        kind_of_value = typed[1] if typed else "unknown"
        prompted = (typed and typed[2]) or _PROMPTED.search(edit.entry().decode())
        if not prompted:
            why = "has no prompt: only a select or its default sets it"
        elif kind_of_value not in ("bool", "tristate"):
            why = f"is of type {kind_of_value}: it has a value, and is not switched on and off"
        else:
            return [Reachable(edit.symbol)]
        return [Unprovable(f"{edit.symbol} {why}")]

    def lift(self, change: Change) -> Sequence[KconfigEdit]:
        if change.created or not _KCONFIG_FILE.search(change.path):
            return ()
        entries = read_kconfig(change.new).entries
        return tuple(
            edit
            for above, entry, below in zip(
                (None, *entries), entries, (*entries[1:], None), strict=False
            )
            if change.adds(entry.start)
            for edit in _lifted(change, above, entry, below)
        )

    def _insert(self, edit: KconfigEdit, ground: Ground, spot: _Spot) -> Outcome:
        before, behind, text = spot.data[: spot.offset], spot.data[spot.offset :], edit.entry()
        lead = b"" if before.endswith(b"\n") or not before else b"\n"
        lead += b"" if (before + lead).endswith(b"\n\n") or not before else b"\n"
        tail = b"\n" if behind and not behind.startswith(b"\n") else b""
        data = splice(spot.data, spot.offset, lead + text + tail)
        outcome = self.done(
            ground,
            spot.path,
            data,
            line=line_of(data, spot.offset + len(lead)),
            anchor=edit.anchor,
            text=text,
        )
        if spot.path == edit.file:
            return outcome
        why = f"{edit.anchor} stands in {show(spot.path)}, not in {show(edit.file)}"
        return replace(outcome, status=Status.MOVED, reason=why)

    def _defined(
        self, edit: KconfigEdit, ground: Ground, there: list[tuple[RepoPath, Entry]]
    ) -> Outcome:
        """The end for a symbol the tree has already: the same one, or another of that name."""
        for path, entry in there:
            data = _data(ground, path)
            if _told(data[entry.start : entry.end]) == _told(edit.entry()):
                return self.present(ground, _place(path, data, entry), anchor=edit.anchor)
        places = [_place(path, _data(ground, path), entry) for path, entry in there]
        return self.conflict(
            ground,
            f"{edit.symbol} is defined already, otherwise, at {places[0]}",
            hint="give the symbol another name, or write the entry as it stands there",
            anchor=edit.anchor,
            candidates=[Candidate(place, f"config {edit.symbol}") for place in places],
        )

    def _unknown(self, edit: KconfigEdit, ground: Ground, unknown: frozenset[str]) -> Outcome:
        lines = edit.entry().decode().splitlines()
        users = (line.strip() for line in lines if (symbols_in(_alone(line)) or set()) & unknown)
        names = ", ".join(sorted(unknown))
        return self.conflict(
            ground,
            f"{next(users, edit.symbol)}: no Kconfig of this kernel defines {names}",
            hint="name a symbol this kernel has, or give the edit a variant per kernel:"
            ' when = { min = "…" } and when = { max = "…" }',
            anchor=edit.anchor,
        )


_KCONFIG_FILE = re.compile(rb"(?:\A|/)Kconfig[^/]*\Z")
_PROPERTY = re.compile(
    r"\t(?:(?P<type>bool|tristate|int|hex|string)(?: \"(?P<prompt>(?:[^\"\\]|\\.)*)\")?"
    r"|default (?P<default>.+)|depends on (?P<depends>.+)|select (?P<select>.+))"
)


def _lifted(
    change: Change, above: Entry | None, entry: Entry, below: Entry | None
) -> Iterator[KconfigEdit]:
    """The entry as an edit, held by the entry above it, by its block, by the entry below it."""
    usual = _in_usual_form(change, entry)
    text = change.new[entry.start : entry.end].decode(errors="replace")
    lines = text.partition("\n")[2]
    bare = usual or KconfigEdit(
        where=change.where, file=change.path, symbol=entry.symbol, lines=lines
    )
    titles = (None, *(block.title for block in reversed(entry.blocks) if block.title))
    if above:
        yield from (replace(bare, after=above.symbol, menu=title) for title in titles)
    yield from (replace(bare, menu=title) for title in titles)
    if below:
        yield from (replace(bare, before=below.symbol, menu=title) for title in titles)


def _in_usual_form(change: Change, entry: Entry) -> KconfigEdit | None:
    """The entry by its properties; None where they do not give these very lines."""
    text = change.new[entry.start : entry.end]
    _, *lines = text.decode(errors="replace").split("\n")[:-1]
    head = lines.index("\thelp") if "\thelp" in lines else len(lines)
    found = [_PROPERTY.fullmatch(line) for line in lines[:head]]
    said = {
        key: tuple(match[key] for match in found if match and match[key] is not None)
        for key in ("type", "prompt", "default", "depends", "select")
    }
    if None in found or len(said["type"]) != 1:
        return None
    edit = KconfigEdit(
        where=change.where,
        file=change.path,
        symbol=entry.symbol,
        type=cast(Any, said["type"][0]),  # one of its five, as _PROPERTY has it
        prompt=re.sub(r"\\(.)", r"\1", said["prompt"][0]) if said["prompt"] else None,
        depends=said["depends"],
        select=said["select"],
        default=said["default"],
        help="".join(f"{line.removeprefix(_HELP_INDENT)}\n" for line in lines[head + 1 :]),
    )
    return edit if edit.entry().rstrip() == text.rstrip() else None


_NOTHING = (None, (), (), (), "")
"""prompt, depends, select, default and help of an edit that has none."""


def _refuse_malformed(edit: KconfigEdit) -> frozenset[str]:
    """The symbols the entry names. Raises KpatchError where the recipe makes no entry."""
    one_line = (edit.symbol, edit.prompt or "", *edit.depends, *edit.select, *edit.default)
    if (
        any(c < " " and c != "\t" for text in one_line for c in text)
        or "\0" in edit.help + edit.lines
    ):
        raise KpatchError(
            f"{edit.symbol}: a line break or control character in a value",
            hint='one line each; more conditions are more strings: depends = ["A", "B"]',
        )
    if edit.after and edit.before:
        raise KpatchError(
            f"{edit.symbol}: after and before exclude each other", hint="leave out one of them"
        )
    if edit.lines and (edit.prompt, edit.depends, edit.select, edit.default, edit.help) != _NOTHING:
        raise KpatchError(
            f"{edit.symbol}: lines says all of the entry",
            hint="leave out prompt, depends, select, default and help, or leave out lines",
        )
    kconfig = read_kconfig(edit.entry())
    entries = kconfig.entries
    named = symbols_in(edit.entry())
    if named is None or [e.symbol for e in entries] != [edit.symbol] or kconfig.blocks:
        shown = edit.entry().decode().splitlines()
        raise KpatchError(
            f"symbol, depends, select or default is no valid Kconfig: {' / '.join(shown[:4])}",
            hint='write conditions as Kconfig does: depends = ["FOO && !BAR"]',
        )
    if edit.symbol.startswith("CONFIG_"):
        raise KpatchError(
            f"symbol '{edit.symbol}': Kconfig adds CONFIG_ itself",
            hint=f'symbol = "{edit.symbol.removeprefix("CONFIG_")}"',
        )
    return named


def _spot(edit: KconfigEdit, ground: Ground) -> _Spot | None:
    """Where the entry goes; None where the file is not there. Raises _Unclear."""
    file = ground.tree.read(edit.file)
    if edit.beside:
        return _beside_entry(edit, ground, read_kconfig(with_lf(file.data)) if file else None)
    if file is None:
        return None
    data = with_lf(file.data)
    kconfig = read_kconfig(data)
    blocks = _titled(kconfig, edit.menu) if edit.menu else _outermost(kconfig)
    if len(blocks) == 1 and blocks[0].word != "choice":
        return _Spot(edit.file, data, blocks[0].close)
    offered = blocks or _outermost(kconfig)
    many = "more than one block" if blocks else "no block"
    raise _Unclear(
        f"{show(edit.file)} has {many} {f'titled {edit.menu!r}' if edit.menu else 'around it all'}",
        hint='say which symbol it follows: after = "…"',
        candidates=[
            Candidate(Place(edit.file, line_of(data, b.start)), f"{b.word} {b.title}".strip())
            for b in offered[:5]
        ],
    )


def _beside_entry(edit: KconfigEdit, ground: Ground, kconfig: KconfigFile | None) -> _Spot | None:
    """Behind the entry of `after` or above that of `before`, in the file or where it has moved."""
    other, key = edit.beside, "after" if edit.after else "before"
    found = [(edit.file, e) for e in kconfig.entries if e.symbol == other] if kconfig else []
    if edit.menu:
        title = " ".join(edit.menu.split())
        found = [(p, e) for p, e in found if title in {b.title for b in e.blocks}]
    found = found or definitions(ground.tree, other, edit.file)
    if not found:
        entries = anywhere(ground.tree, other, edit.file) if ground.offers else []
        elsewhere = _entries(ground, entries)
        if kconfig is None and not elsewhere:
            return None
        raise _Unclear(
            f"{show(edit.file)} has no config {other}",
            hint=f'name a symbol it has: {key} = "…", or the block it belongs in: menu = "…"',
            candidates=elsewhere or _similar(edit, ground, kconfig),
        )
    if len(found) > 1:
        raise _Unclear(
            f"config {other} is there {len(found)} times",
            hint='say in which menu or if block: menu = "…", or name another symbol',
            candidates=_entries(ground, found),
        )
    path, entry = found[0]
    data, entry = _data(ground, path), _checked(ground, path, entry)
    return _Spot(path, data, entry.end if edit.after else _above_comment(data, entry.start))


def _above_comment(data: bytes, start: int) -> int:
    """Where the comment that ends right above the line `start` begins; else `start`."""
    while (above := data.rfind(b"\n", 0, max(start - 1, 0)) + 1) < start:
        if not data[above:start].startswith(b"#"):
            break
        start = above
    return start


def _checked(ground: Ground, path: RepoPath, entry: Entry) -> Entry:
    """`entry`, where a new one behind it means what its own lines say. Raises _Unclear."""
    place = _place(path, _data(ground, path), entry)
    if any(block.word == "choice" for block in entry.blocks):
        raise _Unclear(
            f"config {entry.symbol} at {place} is one of a choice, and so would the new symbol be",
            hint='name a symbol outside the choice: after = "…"',
        )
    if not entry.readable:
        raise _Unclear(
            f"config {entry.symbol} at {place} stands in lines that are no Kconfig known here",
            hint='name another symbol: after = "…"',
        )
    return entry


def _titled(kconfig: KconfigFile, title: str) -> list[Block]:
    return [b for b in kconfig.blocks if b.title == " ".join(title.split())]


def _outermost(kconfig: KconfigFile) -> list[Block]:
    blocks = kconfig.blocks
    return [b for b in blocks if not any(o.start < b.start < o.close for o in blocks)]


def _similar(edit: KconfigEdit, ground: Ground, kconfig: KconfigFile | None) -> list[Candidate]:
    names = {e.symbol: (edit.file, e) for e in (kconfig.entries if kconfig else ())}
    close = difflib.get_close_matches(edit.beside, names, n=5)
    return _entries(ground, [names[name] for name in close])


def _entries(ground: Ground, found: list[tuple[RepoPath, Entry]]) -> list[Candidate]:
    return [
        Candidate(_place(path, _data(ground, path), entry), f"config {entry.symbol}")
        for path, entry in found[:5]
    ]


def _data(ground: Ground, path: RepoPath) -> bytes:
    file = ground.tree.read(path)
    return with_lf(file.data) if file else b""


def _place(path: RepoPath, data: bytes, entry: Entry) -> Place:
    return Place(path, line_of(data, entry.start))


def _told(entry: bytes) -> tuple[list[bytes], bytes]:
    """What an entry says, apart from order, blanks and comments: its properties and its help."""
    lines = [b" ".join(line.split()) for line in entry.splitlines()]
    head = lines.index(b"help") if b"help" in lines else len(lines)
    properties = sorted(line for line in lines[:head] if line and not line.startswith(b"#"))
    return properties, b" ".join(line for line in lines[head + 1 :] if line)


def _alone(line: str) -> bytes:
    """One property as an entry of its own."""
    return f"config X\n\tbool\n\t{line.strip()}\n".encode()


KCONFIG = Kconfig()
