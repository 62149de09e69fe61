"""C can see this prototype, with an empty stub when CONFIG is off.

The switch is `#if IS_ENABLED(CONFIG_X)`: for a bool symbol it says what `#ifdef CONFIG_X` says, and
for a tristate one it holds for `=m` too, where `#ifdef` does not; <linux/kconfig.h>, which defines
it, is put in front of every file by the kernel's own Makefile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted, splice
from kpatch_rs.kinds.c_object import object_for
from kpatch_rs.model.outcome import Candidate, Outcome
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof, Unprovable
from kpatch_rs.model.series import Edit
from kpatch_rs.syntax.c_beside import above_comment, declared_around, extent
from kpatch_rs.syntax.c_body import Unclear, parse_c
from kpatch_rs.syntax.c_functions import functions_named, macros_named
from kpatch_rs.syntax.c_header import header_end
from kpatch_rs.syntax.c_includes import below_includes, guard_of
from kpatch_rs.syntax.c_locate import place_in, similar
from kpatch_rs.syntax.c_prototype import Prototype, prototype, prototypes_named
from kpatch_rs.syntax.c_text import CText, c_text
from kpatch_rs.syntax.defined import defined
from kpatch_rs.syntax.line_ends import with_lf

_NAMED = re.compile(rb"(?<![\w.>])([A-Za-z_]\w*)\s*\([^;{}]*\)[^;{}=]*;")
_TEST = re.compile(rb"IS_ENABLED\(CONFIG_(\w+)\)|(?:defined\s*\(?\s*)?CONFIG_(\w+)\s*\)?")
_NOT_FOR_CODE = re.compile(rb"(?:\A|/)(uapi|dt-bindings)/")


@dataclass(frozen=True, slots=True, kw_only=True)
class CDeclareEdit(Edit):
    """`kind = "c-declare"`."""

    kind = "c-declare"
    file: RepoPath
    """A header, or the .c file itself."""
    prototype: str
    """`int foo_rust_init(struct foo *foo);`"""
    config: str | None = None
    """The symbol, without CONFIG_, under which the function exists; left out: always, no stub."""
    stub: str | None = None
    """The stub's body where the return type does not tell it: `return -ENODEV;`"""
    block: str | None = None
    """The lines as the file is to have them, where they are not in the usual form: `#ifdef` for
    `IS_ENABLED()`, a stub on several lines, a comment. They must say what the keys above say."""
    after: str | None = None
    """The function below whose prototype or definition it goes; with `block`, its blank lines are
    the only ones that come along."""
    before: str | None = None
    """The function above whose prototype or definition it goes."""
    also: tuple[RepoPath, ...] = ()
    """Where the file is on other kernels; `rebase` adds what it found out."""


_ANOTHER_FILE = "name another header, or the .c file that calls it: file = …"
_ANOTHER_NEIGHBOUR = (
    'name another prototype or function of it: after = "…", before = "…"; without either it goes '
    "below all others"
)


class CDeclare(Rooted[CDeclareEdit]):
    """See the module."""

    edit = CDeclareEdit
    example = """\
kind = "c-declare"
file = "drivers/foo/foo.h"
prototype = "void foo_rust_init(void);"
config = "FOO_RUST"
"""

    def plan(self, edit: CDeclareEdit, ground: Ground) -> Outcome:
        wanted = _wanted(edit)
        anchor = f"{wanted.name.decode()}()"
        file = ground.tree.read(edit.file)
        if file is None:
            return self.no_file(ground, edit.file)
        text = c_text(with_lf(file.data))
        if there := _already(edit, text, wanted):
            offset, why = there
            place = place_in(edit.file, text, offset)
            if not why:
                return self.present(ground, place, anchor=anchor)
            return self.conflict(
                ground,
                f"{place}: {why}",
                hint="write the prototype as the file has it, or take this edit out of the recipe",
                anchor=anchor,
                candidates=[Candidate(place, show(_line(text, offset)))],
            )
        try:
            start, lead, tail = _place(text, edit)
        except Unclear as why_not:
            place = place_in(edit.file, text, why_not.offset)
            near = [Candidate(place, show(_line(text, why_not.offset)))]
            beside = edit.after or edit.before
            if beside and not why_not.offset:  # nowhere
                near = [*similar(ground.tree, edit.file, beside.encode())]
            return self.conflict(
                ground,
                f"{place}: {why_not.message}",
                hint=_ANOTHER_NEIGHBOUR if beside else _ANOTHER_FILE,
                anchor=anchor,
                candidates=near,
            )
        block = _block(edit, wanted)
        return self.done(
            ground,
            edit.file,
            splice(text.data, start, lead + block + tail),
            line=(text.data[:start] + lead).count(b"\n") + 1,
            anchor=anchor,
            text=block,
        )

    def proofs(self, edit: CDeclareEdit, outcome: Outcome) -> Sequence[Proof]:
        target = object_for(outcome.tree, edit.file)
        if isinstance(target, Unprovable):
            return (target,)
        return (ObjectBuilds(target, off_too=True),)

    def lift(self, change: Change) -> Sequence[CDeclareEdit]:
        if change.created or not change.path.endswith((b".c", b".h")):
            return ()
        text = c_text(change.new)
        return tuple(
            edit for name in _declared(text, change) for edit in _lifted(text, name, change)
        )


def _declared(text: CText, change: Change) -> Sequence[bytes]:
    """The names that what was added at the top level may declare."""
    found = (m for start, end in change.added for m in _NAMED.finditer(text.code, start, end))
    bodies = [(opened, text.closing.get(opened, opened)) for opened in text.outer]
    outside = (m[1] for m in found if not any(a < m.start() < b for a, b in bodies))
    return tuple(dict.fromkeys(outside))


def _lifted(text: CText, name: bytes, change: Change) -> Iterator[CDeclareEdit]:
    """The prototype as an edit, with the stub that its type tells and with the one it has."""
    for offset, found in prototypes_named(text, name):
        if not change.adds(offset):
            continue
        tested = [m for d in text.enclosing(offset) if (m := _TEST.fullmatch(d.rest))]
        bare = CDeclareEdit(
            where=change.where,
            file=change.path,
            prototype=show(b" ".join(found.declaration().split())),
            config=show(tested[-1][1] or tested[-1][2]) if tested else None,
        )
        yield bare
        usual = [bare]
        for stub in functions_named(text, name) if bare.config else ():
            body = text.data[stub.open + 1 : stub.close].strip()
            lines = (show(line.strip()) for line in body.split(b"\n"))
            usual.append(replace(bare, stub="\n".join(lines)))
        yield from usual
        yield from _lifted_as_it_is(text, usual, change, offset)


def _lifted_as_it_is(
    text: CText, usual: Sequence[CDeclareEdit], change: Change, offset: int
) -> Iterator[CDeclareEdit]:
    """Beside a neighbour in the usual form; and in its own form, here and there."""
    start, end = next((a, b) for a, b in change.added if a <= offset < b)
    above, below = declared_around(text, start, end)
    if above:
        yield from (replace(edit, after=show(above)) for edit in usual)
    if below:
        yield from (replace(edit, before=show(below)) for edit in usual)
    bare = usual[0]
    yield replace(bare, block=change.new[start:end].strip(b"\n").decode() + "\n")
    if above:
        yield replace(bare, block=_turned(change.new, start, end, -1), after=show(above))
    if below:
        yield replace(bare, block=_turned(change.new, start, end, 1), before=show(below))


def _turned(data: bytes, start: int, end: int, by: int) -> str:
    """The added lines `start` to `end`, taken as far up (-1) or down (1) as blank lines let them.

    A line added between two blank ones may as well have come with the one above as with the other.
    """
    while by < 0 and data[:start].endswith(b"\n\n") and data[:end].endswith(b"\n\n"):
        start, end = start - 1, end - 1
    while by > 0 and data[start:].startswith(b"\n") and data[end:].startswith(b"\n"):
        start, end = start + 1, end + 1
    return data[start:end].decode()


def _wanted(edit: CDeclareEdit) -> Prototype:
    """The prototype, fit for what is asked. Raises KpatchError for what no tree makes right."""
    wanted = prototype(edit.prototype.encode())
    if wanted is None:
        raise KpatchError(
            f"prototype = '{edit.prototype}' is not one C prototype",
            hint='with its semicolon: prototype = "int foo_rust_init(struct foo *foo);"',
        )
    if edit.after is not None and edit.before is not None:
        raise KpatchError("after and before exclude each other", hint="keep the nearer one")
    if edit.block is not None:
        _refuse_other_block(edit, wanted)
    if edit.config is None:
        if edit.stub is not None:
            raise KpatchError("stub needs config", hint='config = "FOO_RUST"')
        return wanted
    if not re.fullmatch(r"(?!CONFIG_)\w+", edit.config):
        raise KpatchError(
            f"config = '{edit.config}' is no Kconfig symbol", hint='without CONFIG_: "FOO_RUST"'
        )
    if not wanted.named:
        raise KpatchError(
            f"prototype = '{edit.prototype}': the stub needs names for its parameters",
            hint='name each: prototype = "int foo_rust_init(struct foo *foo);"',
        )
    if edit.stub is not None and not _is_body(edit.stub.encode()):
        raise KpatchError(
            f"stub = '{edit.stub}' is not the body of a C function",
            hint='statements with their semicolons: stub = "return -ENODEV;"',
        )
    if edit.stub is None and edit.block is None and wanted.nothing_done() is None:
        raise KpatchError(
            f"what the stub of {wanted.name.decode()}() returns is not plain from its type",
            hint='write its body: stub = "return …;"',
        )
    return wanted


def _refuse_other_block(edit: CDeclareEdit, wanted: Prototype) -> None:
    """Refuse a block that does not say what prototype and config say. Raises KpatchError."""
    if edit.stub is not None:
        raise KpatchError("block has the stub in it", hint="leave out stub")
    there = _already(edit, c_text((edit.block or "").encode()), wanted)
    if there is None or there[1]:
        why = there[1].replace(" there", " in it") if there else "it has no such prototype"
        raise KpatchError(
            f"block does not say what prototype and config say: {why}",
            hint="make the three say the same, or leave out block for the usual form",
        )


def _is_body(stub: bytes) -> bool:
    root = parse_c(b"void f(void) {\n" + stub + b"\n}\n")
    return len(root.children) == 1 and not root.has_error


def _block(edit: CDeclareEdit, wanted: Prototype) -> bytes:
    if edit.block is not None:
        beside = edit.after is not None or edit.before is not None
        return (edit.block if beside else edit.block.strip("\n") + "\n").encode()
    if edit.config is None:
        return wanted.declaration() + b"\n"
    lines = [line.strip().encode() for line in (edit.stub or "").splitlines()]
    body = tuple(filter(None, lines)) if edit.stub is not None else wanted.nothing_done() or ()
    return b"#if IS_ENABLED(CONFIG_%s)\n%s\n#else\n%s\n#endif\n" % (
        edit.config.encode(),
        wanted.declaration(),
        wanted.stub(body),
    )


def _already(edit: CDeclareEdit, text: CText, wanted: Prototype) -> tuple[int, str] | None:
    """Where the file knows the name already, and what is wrong with that; '' for nothing."""
    name = wanted.name.decode()
    if made := macros_named(text, wanted.name):
        return made[0], f"{name} is a macro there"
    stubs = functions_named(text, wanted.name)
    for offset, found in prototypes_named(text, wanted.name):
        if found.signature != wanted.signature:
            return offset, f"{name}() is declared otherwise there"
        return offset, _otherwise_guarded(edit, text, offset, name, bool(stubs))
    if stubs:
        return stubs[0].named, f"{name}() is defined there"
    other = _other_thing(edit, text, wanted.name)
    return None if other is None else (other, f"{name} is declared otherwise there")


def _other_thing(edit: CDeclareEdit, text: CText, name: bytes) -> int | None:
    """Where the file makes something else of `name`, or declares it along with others."""
    if not re.search(rb"\b%s\b" % re.escape(name), text.code):
        return None
    found = (
        at[0]
        for what, at in defined(edit.file, text.data).items()
        if what.name == name and what.kind in ("variable", "declaration", "typedef", "enumerator")
        if not what.scope
    )
    return min(found, default=None)


def _otherwise_guarded(edit: CDeclareEdit, text: CText, offset: int, name: str, stub: bool) -> str:
    """What is wrong with the conditions the prototype at `offset` stands under; '' for nothing."""
    guard = guard_of(text)
    conditions = [
        d
        for d in text.enclosing(offset)
        if re.search(rb"\bCONFIG_", d.rest) and not (guard and d == guard.opening)
    ]
    if edit.config is None:
        rest = show(conditions[-1].rest) if conditions else ""
        return f"{name}() is declared there only under: {rest}" if conditions else ""
    symbol = re.compile(rb"\bCONFIG_%s\b" % edit.config.encode())
    if not any(symbol.search(d.rest) for d in conditions):
        return f"{name}() is declared there, but not under CONFIG_{edit.config}"
    return "" if stub else f"{name}() is declared there, but without a stub for when it is off"


def _place(text: CText, edit: CDeclareEdit) -> tuple[int, bytes, bytes]:
    """Where the block goes, and the blank lines before and behind it. Raises Unclear."""
    if shared := _NOT_FOR_CODE.search(edit.file):
        raise Unclear(0, f"what is in {shared[1].decode()} is not read by the kernel's C code only")
    if edit.after is not None or edit.before is not None:
        return _beside(text, edit)
    if edit.file.endswith(b".h"):
        end = header_end(text)
        start = len(text.data[:end].rstrip())
        start = text.line_end(start) if start else 0
        newline = b"" if text.data[:start].endswith(b"\n") or not start else b"\n"
        joins = edit.config is None and _ends_in_prototype(text, start)
        closes = bool(text.data[start : text.line_end(start)].strip()) and not joins
        return start, newline + (b"" if joins or not start else b"\n"), b"\n" * closes
    below = below_includes(text)
    if below is None:
        raise Unclear(0, "no #include stands above the first line of code")
    nothing_follows = text.data[below : text.line_end(below)].strip() == b""
    return below, b"\n", b"" if nothing_follows else b"\n"


def _beside(text: CText, edit: CDeclareEdit) -> tuple[int, bytes, bytes]:
    """The same right above or below another declaration. Raises Unclear."""
    start, end = extent(text, (edit.after or edit.before or "").encode())
    at = end if edit.after is not None else above_comment(text, start)
    if edit.block is not None:
        return at, b"" if not at or text.data[:at].endswith(b"\n") else b"\n", b""
    blank_above = text.data[:at].endswith(b"\n\n") or not at
    blank_below = not text.data[at : text.line_end(at)].strip()
    joins = edit.config is None and _ends_in_prototype(text, at)
    return at, b"" if blank_above or joins else b"\n", b"" if blank_below or joins else b"\n"


def _ends_in_prototype(text: CText, start: int) -> bool:
    """Whether the code above `start` ends, on the line above, in `);` and not in a directive."""
    above = text.code[:start].rstrip(b"\n")
    return above.endswith(b");") and not text.between(text.line_start(len(above)), start)


def _line(text: CText, offset: int) -> bytes:
    return text.data[text.line_start(offset) : text.line_end(offset)].strip()[:100]


C_DECLARE = CDeclare()
