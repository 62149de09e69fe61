"""Which file of a kernel tree defines a function now.

Nearest first: the file it is expected in, its folder, the rest of the tree. A header's inline stub
does not count beside a definition in a .c file: the two are the arms of one configuration.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kpatch_rs.model.outcome import Candidate, Place
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import (
    NOT_THE_KERNEL,
    BaseTree,
    TreeOverlay,
    architecture,
    part_of,
    parts,
)
from kpatch_rs.syntax.c_functions import Function, functions, functions_named, macros_named
from kpatch_rs.syntax.c_text import CText, c_text, words

_C = ("*.c", "*.h")

BULK = (b"drivers", b"sound")
"""78 % of the C source that is in Linux 7.2 otherwise than in 6.12 (measured)."""

_MARGIN = rb"(?m)^(?:\w.*)?"
"""Where a definition has its name, but for a few oddly broken heads: in a line that begins at the
left margin. It keeps ten thousand files that only call a macro from being read as C."""

_OF_EVERY_MODULE = (b"init_module", b"cleanup_module")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function and the file it is in."""

    path: RepoPath
    text: CText
    function: Function

    @property
    def place(self) -> Place:
        """Where its name stands."""
        return place_in(self.path, self.text, self.function.named)


def place_in(path: RepoPath, text: CText, offset: int) -> Place:
    """The line of `offset` in `path`."""
    return Place(path, text.data.count(b"\n", 0, offset) + 1)


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search for a function gave."""

    definitions: tuple[Definition, ...] = ()
    """Nearest first; those equally near are all given."""
    namesakes: tuple[Definition, ...] = ()
    """Of that name, but as likely another's: see :func:`_moved_there`."""
    recognised: bool = False
    """Whether another kernel was asked what tells the definitions from their namesakes."""
    holding: tuple[RepoPath, ...] = ()
    """Where nothing defines it: the kernel's files that have its name at all."""


def look_up(
    tree: TreeOverlay,
    file: RepoPath,
    name: bytes,
    also: Sequence[RepoPath] = (),
    old: Definition | None = None,
    was: BaseTree | None = None,
) -> Sought:
    """Who defines `name`: `file`, one of `also`, its folder, that above, its part, then any file.

    `old`, as it was on another kernel, perhaps by another name, tells it from others: where it had
    the name already, it is still. With all of that kernel, `was`, what else stood there before is
    not what moved, and files that are the same count for nothing.
    The whole tree is searched only where nothing nearer has it, for the first time takes seconds;
    and its headers only where no source has it, for they take as long again. What is no part of
    the kernel may have a function of the name, and never the one that was in the kernel.
    """
    stayed = (old.path,) if old and old.function.name == name else ()
    if here := defined_in(tree, (file, *also, *stayed), name):
        return Sought(here)
    search = _Search(tree, file, name, old, was if old else None)
    near = search.near()
    return near if near.definitions else search.far()


def moved_away(
    tree: TreeOverlay, here: Definition, old: Definition, was: BaseTree
) -> tuple[Definition, ...]:
    """Where the body of `old` is now, if what has its name and file has nothing else of it."""
    if _alike(old, here) >= _NOTHING_LEFT or parameters(old) == parameters(here):
        return ()
    search = _Search(tree, here.path, here.function.name, old, was)
    found = search.near().definitions or search.far().definitions
    return tuple(d for d in found if same_body(old, d))


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for a function that its file does not define any more."""

    tree: TreeOverlay
    file: RepoPath
    name: bytes
    old: Definition | None
    was: BaseTree | None

    def near(self) -> Sought:
        """In the folder: whoever has it there has it from the file."""
        folder = RepoPath(self.file.rpartition(b"/")[0])
        under = (folder,) if folder else parts(self.tree)
        found = _in_files(
            self.tree, self.tree.files_declaring(_words(self.name), under, _C), self.name
        )
        fresh = self.fresh(found)
        return Sought(fresh, found, recognised=len(fresh) < len(found))

    def far(self) -> Sought:
        """In the rest of the kernel, from near to far."""
        kernel = parts(self.tree)
        for under, named, its_name_will_do in self.widening(kernel):
            found = _in_files(self.tree, self.holding(under, named), self.name)
            sought = self.sought(found)
            if sought.definitions and (its_name_will_do or self.told_by_body(sought)):
                return sought
        holding = self.holding(kernel, _C[:1])
        if not (found := _in_files(self.tree, holding, self.name)):
            headers = self.holding(kernel, _C[1:])
            holding = sorted({*holding, *headers})
            found = _in_files(self.tree, headers, self.name)
        if not found:
            outside = self.holding([RepoPath(top) for top in NOT_THE_KERNEL], _C[:1])
            namesakes = _in_files(self.tree, outside, self.name)
            return Sought(namesakes=namesakes, holding=tuple(holding))
        return replace(self.sought(found), holding=tuple(holding))

    def widening(
        self, kernel: Sequence[RepoPath]
    ) -> Iterator[tuple[Sequence[RepoPath], Sequence[str], bool]]:
        """What to search before all of the kernel, and whether a function of the name is it there.

        Most of a kernel is drivers, and most of what moves elsewhere does not move there; so the
        rest comes first, and the headers that all may include, but there the body has to tell, too.
        Another architecture comes last: it is asked only for those who have the name.
        """
        folder, part = RepoPath(self.file.rpartition(b"/")[0]), part_of(self.file)
        above = RepoPath(folder.rpartition(b"/")[0])
        for under in dict.fromkeys(filter(None, (above if len(above) > len(part) else part, part))):
            yield (under,), _C[:1], True
        arch = architecture(self.file)
        generic = tuple(p for p in kernel if architecture(p) in (b"", arch))
        yield tuple(p for p in generic if p not in BULK), _C[:1], False
        yield tuple(p for p in generic if p == b"include" or architecture(p)), _C[1:], False
        yield generic, _C[:1], True

    def told_by_body(self, sought: Sought) -> bool:
        """Whether not the name alone tells that it is the function that moved."""
        return (old := self.old) is not None and all(
            came_from(old, d) or _alike(old, d) >= _SAME_BODY for d in sought.definitions
        )

    def holding(self, under: Sequence[RepoPath], named: Sequence[str]) -> list[RepoPath]:
        return list(self.tree.files_declaring(_words(self.name), under, named, self.was))

    def sought(self, found: Sequence[Definition]) -> Sought:
        """Those of `found` that can only be the one that was in the file, the nearest of them."""
        old, arch = self.old, architecture(self.file)
        others = {d for d in found if arch and architecture(d.path) not in (b"", arch)}
        fresh = [d for d in self.fresh(found) if d not in others]
        moved = [d for d in fresh if _moved_there(d, self.file)]
        known = [] if moved or old is None else [d for d in fresh if came_from(old, d)]
        nearest = max((_shared(d.path, self.file) for d in moved or known), default=0)
        near = tuple(d for d in moved or known if _shared(d.path, self.file) == nearest)
        return Sought(near, tuple(found), recognised=bool(known or self.was))

    def fresh(self, found: Sequence[Definition]) -> tuple[Definition, ...]:
        """Those of `found` that did not stand where they are before."""
        before = TreeOverlay(self.was) if self.was else None
        return tuple(d for d in found if not before or not _in_file(before, d.path, self.name))


def _moved_there(definition: Definition, file: RepoPath) -> bool:
    """Whether a definition outside the folder of `file` can only be the one that was in `file`.

    A static or inline function of the name may be any other driver's, one of another architecture
    is its own variant, and every module may have an init_module().
    """
    return (
        definition.path.endswith(b".c")
        and not is_static(definition)
        and architecture(definition.path) in (b"", architecture(file))
        and definition.function.name not in _OF_EVERY_MODULE
    )


def is_static(definition: Definition) -> bool:
    """Whether only its own file can call it."""
    head = definition.text.code[definition.function.start : definition.function.named]
    return bool(re.search(rb"(?i)\b(?:static|inline)\b", head))


def defined_in(tree: TreeOverlay, files: Sequence[RepoPath], name: bytes) -> tuple[Definition, ...]:
    """What the first of `files` to have any defines as `name`."""
    return next(filter(None, (_in_file(tree, path, name) for path in files)), ())


def came_from(old: Definition, new: Definition) -> bool:
    """Whether `new`, of the same name, can only be what `old` has become."""
    if same_body(old, new):
        return True
    names = {f.name for f in functions(old.text)} & {f.name for f in functions(new.text)}
    return _alike(old, new) > 0 and len(names) > _NEIGHBOURS


def same_body(old: Definition, new: Definition) -> bool:
    """Whether the two bodies are too much alike, and too long, for chance."""
    return _alike(old, new) >= _SAME_BODY and sum(map(len, _body_lines(old))) >= _TELLING_BODY


def _alike(old: Definition, new: Definition) -> float:
    mine, theirs = _body_lines(old), _body_lines(new)
    return difflib.SequenceMatcher(None, mine, theirs, autojunk=False).ratio()


def parameters(definition: Definition) -> list[bytes]:
    """The words of what it takes."""
    function = definition.function
    code = definition.text.code[function.named + len(function.name) : function.open]
    return words(code)


def _body_lines(definition: Definition) -> list[bytes]:
    """The lines of its body that say something, without their indent."""
    function = definition.function
    lines = definition.text.data[function.open + 1 : function.close].split(b"\n")
    return [line.strip() for line in lines if line.strip()]


_SAME_BODY = 0.6
"""difflib ratio of lines."""
_NOTHING_LEFT = 0.2
"""The same, of a function that is a new one."""
_TELLING_BODY = 60
"""Bytes; below, bodies are alike by chance: `return dev->priv;`."""
_NEIGHBOURS = 3
"""Other functions that came along."""


def macros(tree: TreeOverlay, paths: Iterable[RepoPath], name: bytes) -> tuple[Place, ...]:
    """Where `paths` make `name` a macro."""
    made = re.compile(rb"#[ \t]*define[ \t]+%s(?!\w)" % re.escape(name))
    found = []
    for path in dict.fromkeys(paths):
        file = tree.read(path)
        text = read_c(tree, path) if file and made.search(file.data) else None
        if text and (at := macros_named(text, name)):
            found += [place_in(path, text, offset) for offset in at]
    return tuple(found)


def similar(tree: TreeOverlay, file: RepoPath, name: bytes) -> tuple[Candidate, ...]:
    """The functions of `file` whose names come close to `name`."""
    if (text := read_c(tree, file)) is None:
        return ()
    known = {f.name.decode(errors="replace"): f for f in functions(text)}
    close = difflib.get_close_matches(name.decode(errors="replace"), known, n=5)
    return tuple(Candidate(place_in(file, text, known[n].named), f"{n}()") for n in close)


def _words(name: bytes) -> tuple[bytes, ...]:
    """The words a definition of `name` may have: SYSCALL_DEFINE3(open, ...) makes sys_open."""
    bare = name.removeprefix(b"compat_").removeprefix(b"sys_")
    return (name,) if bare == name else (name, bare)


def read_c(tree: TreeOverlay, path: RepoPath) -> CText | None:
    """The C file at `path`; None where there is none."""
    file = tree.read(path) if path.endswith((b".c", b".h")) else None
    return c_text(file.data) if file and file.mode != "120000" else None


def _in_file(
    tree: TreeOverlay, path: RepoPath, name: bytes, line: bytes = b""
) -> tuple[Definition, ...]:
    """The definitions in `path`; none unless the name stands somewhere behind `line`."""
    file = tree.read(path) if path.endswith((b".c", b".h")) else None
    named, *made = map(re.escape, _words(name))
    forms = [named, *(rb"SYSCALL\w*_DEFINE\w*\s*\(\s*%s" % word for word in made)]
    if file is None or not re.search(line + rb"\b\w*(?:%s)\s*[(,)]" % b"|".join(forms), file.data):
        return ()
    text = c_text(file.data)
    return tuple(Definition(path, text, f) for f in functions_named(text, name))


def _in_files(tree: TreeOverlay, paths: Iterable[RepoPath], name: bytes) -> tuple[Definition, ...]:
    found = [d for path in paths for d in _in_file(tree, path, name, _MARGIN)]
    sources = [d for d in found if d.path.endswith(b".c")]
    return tuple(sources or found)


def _shared(one: bytes, other: bytes) -> int:
    """How many leading folders two paths share."""
    mine, theirs = one.split(b"/")[:-1], other.split(b"/")[:-1]
    return sum(
        1
        for _ in itertools.takewhile(
            lambda pair: pair[0] == pair[1], zip(mine, theirs, strict=False)
        )
    )
