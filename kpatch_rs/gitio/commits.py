"""The commits of a range, one after the other, as an import wants them.

Guarantees: the range is a line from its base to its tip, with nothing left out; messages are text
in UTF-8 whatever encoding the commit states; trees are told apart by git itself, renames as `git
format-patch` finds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpatch_rs.errors import Gathered, KpatchError, Usage
from kpatch_rs.gitio.objects import Objects, RepositoryDamaged
from kpatch_rs.gitio.running import Git
from kpatch_rs.model.oid import Oid, oid
from kpatch_rs.model.path import PathRefused, RepoPath, repo_path, show

_PERSON = re.compile(rb"(.*?) ?<([^>]*)> (-?\d+ [+-]\d{4})")
_RAW = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*")
_MODES = (b"100644", b"100755", b"120000", b"000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What a commit does to one path."""

    path: RepoPath
    was: RepoPath
    """The name it had, where it was renamed; else its own."""
    blob: Oid | None
    """None: the file goes away."""
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRead:
    """One commit."""

    oid: Oid
    author: bytes
    """Name <address>, in UTF-8."""
    date: str
    """Of the author, as git stores it: '1700000000 +0100'."""
    message: str
    changes: tuple[Changed, ...]


@dataclass(frozen=True, slots=True)
class _Object:
    """A commit object, taken apart."""

    parents: tuple[Oid, ...]
    author: bytes
    date: str
    message: str


def ends_of(range_: str) -> tuple[str, str]:
    """The two revisions of `A..B`; B is HEAD where it is left out. Raises Usage."""
    old, dots, new = range_.partition("..")
    if not old or not dots or new.startswith("."):
        raise Usage(
            f"'{show(range_.encode(errors='surrogateescape'))}' is no range of commits",
            hint="from the kernel they stand on to the last of them: import v6.12..my-branch",
        )
    return old, new or "HEAD"


def commits_between(
    git: Git, borrowed: Git, objects: Objects, base: Oid, tip: Oid, unfit: Gathered
) -> tuple[CommitRead, ...]:
    """The commits from `base`, which is not among them, to `tip`, the first one first.

    What no recipe can hold goes into `unfit`: commits that cannot be read, merges, a base that is
    not below the tip, submodules and paths that are none.
    """
    listed = git.run("rev-list", "--reverse", "--topo-order", tip, f"^{base}", "--")
    names = [oid(name) for name in listed.decode().split()]
    read = dict[Oid, _Object]()
    for name in names:
        with unfit.each():
            read[name] = _read(objects, name)
    _refuse_branching(read, base, unfit)
    changes = _changes(borrowed, names, unfit) if names else {}
    return tuple(
        CommitRead(
            oid=name,
            author=found.author,
            date=found.date,
            message=found.message,
            changes=changes.get(name, ()),
        )
        for name, found in read.items()
    )


def is_below(git: Git, base: Oid, tip: Oid) -> bool:
    """Whether `tip` is `base` or stands on it. Raises GitFailed."""
    ended = git.attempt("merge-base", "--is-ancestor", base, tip)
    if ended.code not in (0, 1):
        raise ended.failure("merge-base")
    return ended.code == 0


def named(name: Oid, message: str) -> str:
    """A commit, for people: its short name and its subject."""
    return f"commit {name[:12]} ({message.partition(chr(10))[0][:60]})"


def _refuse_branching(read: Mapping[Oid, _Object], base: Oid, unfit: Gathered) -> None:
    """Every merge; where there is none, the first commit that does not stand on the one before."""
    merges = [name for name, one in read.items() if len(one.parents) > 1]
    for name in merges:
        with unfit.each():
            raise KpatchError(
                f"{named(name, read[name].message)} is a merge: a recipe is one patch",
                hint="make the range a line first: git rebase, on a branch of its own",
            )
    for name, below in zip(read, (base, *read), strict=False):
        if not merges and not unfit.errors and read[name].parents != (below,):
            with unfit.each():
                raise KpatchError(
                    f"{named(name, read[name].message)} does not stand on {below[:12]}: the range"
                    " is no line",
                    hint=f"begin where the branch does: git merge-base {base[:12]} TIP",
                )


def _read(objects: Objects, name: Oid) -> _Object:
    head, _, body = objects.contents(name, "commit").partition(b"\n\n")
    lines = [line.partition(b" ")[::2] for line in head.split(b"\n") if line[:1] != b" "]
    fields = dict(reversed(lines))
    author = _PERSON.fullmatch(fields.get(b"author", b""))
    if not author:
        raise RepositoryDamaged(f"commit {name} names no author", hint="git fsck")
    encoding = fields.get(b"encoding", b"UTF-8").decode("ascii", "replace")
    try:
        person, text = (part.decode(encoding) for part in (b"%s <%s>" % author.group(1, 2), body))
    except (UnicodeDecodeError, LookupError) as error:
        raise KpatchError(
            f"commit {name[:12]}: its message is not {encoding}, which it says it is",
            hint="write it again: git commit --amend, with i18n.commitEncoding unset",
        ) from error
    parents = tuple(oid(value.decode()) for key, value in lines if key == b"parent")
    return _Object(parents, person.encode(), author[3].decode(), text)


def _changes(git: Git, names: Sequence[Oid], unfit: Gathered) -> dict[Oid, tuple[Changed, ...]]:
    """What each commit changes; one git for all of them."""
    args = ("diff-tree", "--stdin", "-r", "-z", "-M", "--raw", "--no-abbrev", "--root")
    fields = iter(git.run(*args, data="\n".join(names).encode() + b"\n").split(b"\0"))
    found: dict[Oid, list[Changed]] = {}
    commit = names[0]
    for field in fields:
        if raw := _RAW.fullmatch(field):
            first = next(fields)
            second = next(fields) if raw[5] in (b"R", b"C") else first
            with unfit.each():
                found[commit] += _changed(commit, raw, first, second)
        elif field:
            commit = oid(field.strip().decode())
            found[commit] = []
    return {name: tuple(changes) for name, changes in found.items()}


def _changed(commit: Oid, raw: re.Match[bytes], was: bytes, path: bytes) -> Iterator[Changed]:
    """One line of --raw; a rename is two changes: one name goes, the other comes."""
    for mode in raw.group(1, 2):
        if mode not in _MODES:
            what = "a submodule" if mode == b"160000" else f"of mode {mode.decode()}"
            raise KpatchError(
                f"commit {commit[:12]}: {show(path)} is {what}, which no recipe can hold",
                hint="leave it out of the commit",
            )
    try:
        old, new = repo_path(was), repo_path(path)
    except PathRefused as error:
        raise KpatchError(f"commit {commit[:12]}: {error.message}", hint=error.hint) from error
    if raw[5] == b"R":
        yield Changed(path=old, was=old, blob=None, mode="000000")
    blob = None if raw[5] == b"D" else oid(raw[4].decode())
    yield Changed(path=new, was=old, blob=blob, mode=raw[2].decode())
