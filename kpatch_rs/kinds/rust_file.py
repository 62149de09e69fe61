"""This Rust source exists at this path.

What compiles in silence and is wrong all the same is refused here, as no compiler of the kernel's
says a word about it (each measured on 6.12.117 and 7.2.12): a stem that a C file has already, two
crates of one stem, a `__LOG_PREFIX` that printing reads past, a function without a symbol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Change, Ground, Rooted
from kpatch_rs.model.outcome import Candidate, Outcome, Place
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.proof import ObjectBuilds, Proof
from kpatch_rs.model.series import Edit, Payload
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.diff import read_diff
from kpatch_rs.syntax.diff_place import Uncertain, place, put
from kpatch_rs.syntax.rust import flaws, submodules, unconditional_symbols, uses_export

_BUILD = RepoPath(b"scripts/Makefile.build")
_INIT = RepoPath(b"init/Kconfig")
_MACROS = RepoPath(b"rust/macros/lib.rs")
_SPDX = re.compile(rb"// SPDX-License-Identifier: \S")
_TAKEN = frozenset((b"alloc", b"bindings", b"core", b"kernel", b"macros", b"std", b"uapi"))
"""The kernel's own crates: rustc takes a second one of the name for the first (E0519)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RustFileEdit(Edit):
    """`kind = "rust-file"`."""

    kind = "rust-file"
    path: RepoPath
    """Where it goes in the tree; ends in .rs."""
    source: Payload
    """The file in the series that holds it, byte for byte."""


@dataclass(frozen=True, slots=True)
class _Objection:
    """Why the file cannot go in, what to do, and what stands in the way."""

    reason: str
    hint: str
    candidates: tuple[Candidate, ...] = ()


class RustFile(Rooted[RustFileEdit]):
    """See the module."""

    edit = RustFileEdit
    example = """\
kind = "rust-file"
path = "drivers/foo/rust_foo.rs"
source = "files/rust_foo.rs"
"""

    def plan(self, edit: RustFileEdit, ground: Ground) -> Outcome:
        if not edit.path.endswith(b".rs"):
            raise KpatchError(
                f"path = '{show(edit.path)}' does not end in .rs",
                hint='path = "drivers/foo/foo.rs"',
            )
        there = ground.tree.read(edit.path)
        if there and there.data in _patched(edit, ground.edits):
            return self.present(ground, Place(edit.path, 1), anchor=show(edit.path))
        for objection in _objections(edit, ground.tree):
            return self.conflict(
                ground,
                objection.reason,
                hint=objection.hint,
                anchor=show(edit.path),
                candidates=objection.candidates,
            )
        if there:
            return self.present(ground, Place(edit.path, 1), anchor=show(edit.path))
        data = edit.source.data
        return self.done(ground, edit.path, data, line=1, anchor=show(edit.path), text=data)

    def proofs(self, edit: RustFileEdit, outcome: Outcome) -> Sequence[Proof]:
        root = crate_root(outcome.tree, edit.path)
        return (ObjectBuilds(RepoPath(root[:-3] + b".o"), unconditional_symbols(edit.source.data)),)

    def lift(self, change: Change) -> Sequence[RustFileEdit]:
        if not (change.created and change.path.endswith(b".rs")):
            return ()
        source = Payload("files/" + change.path.rpartition(b"/")[2].decode(), change.new)
        return (RustFileEdit(where=change.where, path=change.path, source=source),)


def _patched(edit: RustFileEdit, others: Sequence[Edit]) -> Iterator[bytes]:
    """What the file becomes by the diffs that the series has for it, one after the other."""
    data = edit.source.data
    diffs = [diff for e in others if isinstance(diff := getattr(e, "diff", None), Payload)]
    for file in (file for diff in diffs for file in read_diff(diff.name, diff.data)):
        if file.old == file.new == edit.path:
            with suppress(Uncertain):
                data = put(data, place(data, file))
                yield data


def _objections(edit: RustFileEdit, tree: TreeOverlay) -> Iterator[_Objection]:
    """What speaks against the file in this tree, the most fundamental first."""
    yield from _no_rust(tree)
    yield from _other_content(edit, tree)
    yield from _stem(edit, tree)
    yield from _source(edit, tree)


def _no_rust(tree: TreeOverlay) -> Iterator[_Objection]:
    hint = 'guard the recipe: when = { min = "6.1" }'
    if not re.search(rb"(?m)^config\s+RUST\s*$", _text(tree, _INIT)):
        yield _Objection("this kernel has no Rust support: init/Kconfig has no config RUST", hint)
    elif not re.search(rb"(?m)^\$\(obj\)/%\.o:.*/%\.rs\b", _text(tree, _BUILD)):
        yield _Objection(
            "this kernel has no Rust support: scripts/Makefile.build has no rule for %.rs", hint
        )


def _other_content(edit: RustFileEdit, tree: TreeOverlay) -> Iterator[_Objection]:
    there = tree.read(edit.path)
    if there and there.data != edit.source.data:
        yield _Objection(
            f"{show(edit.path)} is there already, with other content",
            "give it another path, or keep it from this kernel: when = { max = … }",
            (Candidate(Place(edit.path, 1), show(there.data.split(b"\n", 1)[0])),),
        )
    if tree.entry_type(edit.path) not in (None, "file"):
        yield _Objection(
            f"{show(edit.path)} is a {tree.entry_type(edit.path)}", "give the file another path"
        )


def _stem(edit: RustFileEdit, tree: TreeOverlay) -> Iterator[_Objection]:
    folder, _, name = edit.path.rpartition(b"/")
    stem = name[:-3]
    if not re.fullmatch(rb"[A-Za-z_]\w*", stem.replace(b"-", b"_")) or (
        b"-" in stem and b"--crate-name" in _text(tree, _BUILD)
    ):
        yield _Objection(
            f"'{show(stem)}' is the name of the crate, and this kernel's rustc takes no such name",
            "name the file with letters, digits and _ only",
        )
    if _parent(tree, edit.path):
        return
    if stem in _TAKEN:
        yield _Objection(
            f"'{show(stem)}' is the name of a crate of the kernel's own",
            "give the file another name",
        )
    for ending in (b".c", b".S"):
        other = RepoPath((folder + b"/" if folder else b"") + stem + ending)
        if tree.entry_type(other):
            yield _Objection(
                f"{show(stem)}.o is built from {show(other)}: the Rust file would be ignored "
                "without a word",
                f'give the file another name: path = "{show(folder)}/rust_{show(stem)}.rs"',
                (Candidate(Place(other, 1), "has the same stem"),),
            )
    yield from _same_crate(edit.path, tree)


def _same_crate(path: RepoPath, tree: TreeOverlay) -> Iterator[_Objection]:
    """Another crate root of the same stem: one crate id, and symbols that are there twice.

    Looked for where it is likely to end up in the same module: among what the series adds, and in
    the folder above.
    """
    folder, _, name = path.rpartition(b"/")
    above = folder.rpartition(b"/")[0]
    places = [*tree.changes, RepoPath(above + b"/" + name)] if above else [*tree.changes]
    for other in places:
        if other == path or other.rpartition(b"/")[2] != name or _parent(tree, other):
            continue
        if tree.read(other):
            yield _Objection(
                f"{show(other)} makes a crate of the same name: linked, their symbols clash",
                "give one of the two files another name",
                (Candidate(Place(other, 1), "has the same stem"),),
            )


def _source(edit: RustFileEdit, tree: TreeOverlay) -> Iterator[_Objection]:
    data, name = edit.source.data, edit.source.name
    if not _SPDX.match(data):
        yield _Objection(
            f"{name}:1: the first line names no licence",
            "begin the file with: // SPDX-License-Identifier: GPL-2.0",
        )
    line = uses_export(data)
    if line and b"fn export(" not in _text(tree, _MACROS):
        yield _Objection(
            f"{name}:{line}: this kernel has no #[export] (6.15 has)",
            'use #[no_mangle], or keep the file from it: when = { min = "6.15" }',
        )
    for flaw in flaws(data):
        yield _Objection(f"{name}:{flaw.line}: {flaw.what}", flaw.cure)


def _text(tree: TreeOverlay, path: RepoPath) -> bytes:
    file = tree.read(path)
    return file.data if file else b""


def _parent(tree: TreeOverlay, path: RepoPath) -> RepoPath | None:
    """The file whose `mod x;` makes `path` a part of its crate; None for a crate's root."""
    folder, _, name = path.rpartition(b"/")
    stem = name[:-3]
    if stem == b"mod":
        folder, _, stem = folder.rpartition(b"/")
    inside = folder + b"/" if folder else b""
    beside = tree.names(RepoPath(folder) if folder else None)
    candidates = [inside + n for n in beside if n.endswith(b".rs")]
    candidates += [folder + b".rs"] if folder else []
    for candidate in candidates:
        file = tree.read(RepoPath(candidate)) if candidate != path else None
        if file and stem in file.data and stem.decode(errors="replace") in submodules(file.data):
            return RepoPath(candidate)
    return None


def crate_root(tree: TreeOverlay, path: RepoPath) -> RepoPath:
    """The file that is compiled when `path` is; rust/kernel/lib.rs makes rust/kernel.o."""
    seen = {path}
    while (parent := _parent(tree, path)) and parent not in seen:
        seen.add(path := parent)
    if path.startswith(b"rust/") and path.endswith(b"/lib.rs"):
        return RepoPath(path[: -len(b"/lib.rs")] + b".rs")
    return path


RUST_FILE = RustFile()
