"""Calls at the entry of functions, put in on one kernel and wanted on another.

The sites are chosen by a seed, no two in one file, so that all of them stand in one commit and
every tool meets each on its own. What counts as right is judged here, from the text alone: the file
is the new kernel's and one call more, and the call stands in the function of the same name, behind
its declarations and before all that does something, under the locks that it had on the old kernel.
Where no such place is left, the right answer is a conflict: `asked`.
"""

from __future__ import annotations

import difflib
import itertools
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpatch_rs.engine.render import render
from kpatch_rs.gitio.repository import Repository
from kpatch_rs.kinds.base import History
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Recipe, Series, Where
from kpatch_rs.model.tree import BaseTree, EntryType, File, is_named
from tests.bench.survival.contenders import Files, git, merge_ort, patch, wiggle
from tests.bench.survival.kernels import Function, spans

Index = Mapping[bytes, Sequence[Function]]


@dataclass(frozen=True, slots=True)
class Site:
    """A function that both kernels have, once each."""

    name: bytes
    old: bytes
    """Its file in the old kernel,"""
    new: bytes
    """and in the new one."""

    @property
    def call(self) -> bytes:
        """What is put in; each site's is its own."""
        return b"bench_%b();" % self.name


def changed(old: Index, new: Index) -> list[Site]:
    """Functions in the file they were in, with another body."""
    return [s for s, same_body in _both(old, new) if s.old == s.new and not same_body]


def moved(old: Index, new: Index) -> list[Site]:
    """Functions in another file than they were in."""
    return [site for site, _ in _both(old, new) if site.old != site.new]


def _both(old: Index, new: Index) -> Iterable[tuple[Site, bool]]:
    for name in sorted(old):
        if len(old[name]) == len(new.get(name, ())) == 1:
            was, now = old[name][0], new[name][0]
            if was.path.endswith(b".c") and now.path.endswith(b".c"):
                yield Site(name, was.path, now.path), was.body == now.body


def shuffled(sites: Iterable[Site], seed: int) -> list[Site]:
    """By `seed`, and no two from or to one file."""
    pile = list(sites)
    random.Random(seed).shuffle(pile)  # noqa: S311  # a choice that can be repeated, no secret
    old: dict[bytes, Site] = {}
    new: dict[bytes, Site] = {}
    for site in pile:
        if site.old not in old and site.new not in new:
            old[site.old] = new[site.new] = site
    return list(old.values())


_MACRO = (
    rb"(?!(?:INIT_|guard|CLASS|ACQUIRE|(?:\w+_)?(?:BUG|WARN|ASSERT|KUNIT_\w+)(?:_|\s*\()))"
    rb"(?:\w*(?:DEFINE|DECLARE|LIST_HEAD|ONSTACK|ON_STACK)\w*|[A-Z][A-Z0-9_]+)\s*\("
)
"""What declares something, or may: a shouted macro can be anything, but for those known to act."""
_STATES = (
    rb"(?:if|for|while|switch|return|goto|else|case|do|delete|break|continue|(?:__)?asm(?:__)?)\b"
)
_NAMED = rb"(?:[A-Za-z_]\w*|\(\s*\*)"
_DECLARES = re.compile(
    rb"(?!%b)(?:%b|(?:[A-Za-z_]\w*\s+)*(?:typeof|__typeof__|typeof_unqual)\s*\("
    rb"|(?:struct|union|enum)\b"
    rb"|[A-Za-z_]\w*(?:\s+\**\s*|\s*\*+\s*)(?:[A-Za-z_]\w*[\s*]+)*%b)" % (_STATES, _MACRO, _NAMED)
)


def stands(site: Site, data: bytes) -> bool:
    """Whether the one call in `data` is in the function, between declarations and statements."""
    if data.count(site.call) != 1:
        return False
    at = data.index(site.call)
    held = [span for span in spans(data) if span.start <= at < span.end]
    if [span.name for span in held] != [site.name]:
        return False
    above = _statements(data[held[0].start : at])
    below = _statements(data[at + len(site.call) : held[0].end])
    return all(map(_declares, above)) and not (below and _certainly_declares(below[0]))


_LOCKS = re.compile(
    rb"\b(?:guard|ACQUIRE)\s*\(\s*\w+|\b(?:\w+_)?(?:un|try)?lock(?:_\w+)?\s*\("
    rb"|\b(?:percpu_)?(?:down|up)(?:_\w+)?\s*\(|\b(?:preempt|migrate)_(?:dis|en)able\w*\s*\("
    rb"|\blocal_(?:irq|bh)_\w+\s*\(|\b\w+_seqcount\w*_(?:begin|end)\s*\("
)


def locks(site: Site, data: bytes) -> list[bytes]:
    """What takes or gives up a lock above the call: at an entry, what variables start with."""
    (held,) = (span for span in spans(data) if span.name == site.name)
    return _locks(_statements(data[held.start : data.index(site.call)]))


def asks(site: Site, old: bytes, now: bytes) -> bool:
    """Whether `now` has no place behind its declarations with the locks that `old` has there."""
    found = [span for span in spans(now) if span.name == site.name]
    top = itertools.takewhile(_declares, _statements(now[found[0].start : found[0].end]))
    return bool(found) and _locks(top) != locks(site, old)


def _locks(statements: Iterable[bytes]) -> list[bytes]:
    found = _LOCKS.findall(b"; ".join(statements))
    return sorted(re.sub(rb"\s", b"", call) for call in found)


def _statements(text: bytes) -> list[bytes]:
    """`text`, cut behind each `;` that is in no brackets; comments and directives left out."""
    text = re.sub(rb"(?s)/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", b" ", text)
    text = re.sub(rb"(?m)^[ \t]*#(?:\\\n|[^\n])*", b"", text)
    parts, depth, past = [], 0, 0
    for found in re.finditer(rb"[\[({})\];]", text):
        depth += {b"(": 1, b"[": 1, b"{": 1, b";": 0}.get(found[0], -1)
        if found[0] == b";" and depth == 0:
            parts.append(text[past : found.start()].strip())
            past = found.end()
    return [part for part in (*parts, text[past:].strip()) if part]


def _declares(statement: bytes) -> bool:
    return bool(_DECLARES.match(statement))


def _certainly_declares(statement: bytes) -> bool:
    """A shouted macro may do anything."""
    return _declares(statement) and not re.match(_MACRO, statement)


@dataclass(frozen=True, slots=True)
class Searched:
    """A tree that has looked for all the names of a bench in one go.

    Only time is won: one search of a whole tree takes seconds, and there would be hundreds.
    """

    tree: BaseTree
    holding: Mapping[bytes, Sequence[RepoPath]]

    @property
    def oid(self) -> Oid:
        return self.tree.oid

    def entry_type(self, path: RepoPath) -> EntryType | None:
        return self.tree.entry_type(path)

    def read(self, path: RepoPath) -> File | None:
        return self.tree.read(path)

    def names(self, folder: RepoPath | None) -> tuple[bytes, ...]:
        return self.tree.names(folder)

    def files_with(
        self, word: bytes, under: RepoPath | None, named: Sequence[str]
    ) -> tuple[RepoPath, ...]:
        if word not in self.holding:
            return self.tree.files_with(word, under, named)
        prefix = under + b"/" if under else b""
        found = (path for path in self.holding[word] if path.startswith(prefix))
        return tuple(path for path in found if is_named(path, named))

    def files_declaring(
        self,
        names: Sequence[bytes],
        under: Sequence[RepoPath],
        named: Sequence[str],
        since: BaseTree | None = None,
    ) -> tuple[RepoPath, ...]:
        return self.tree.files_declaring(names, under, named, since)

    def files_named(self, name: bytes) -> tuple[RepoPath, ...]:
        return self.tree.files_named(name)

    def renamed(self, path: RepoPath, since: BaseTree) -> tuple[RepoPath, ...]:
        return self.tree.renamed(path, since)


def searched(repository: Path, rev: str, tree: BaseTree, names: Iterable[bytes]) -> Searched:
    """`tree`, the one of `rev`, with the C files that hold each of `names`."""
    holding: dict[bytes, set[RepoPath]] = {name: set() for name in names}
    words = b"|".join(holding).decode()
    search = ("grep", "-zowPa", f"\\b(?:{words})\\b", rev, "--", "*.c", "*.h")
    for line in git(repository, *search, may=(0, 1)).splitlines():
        where, _, name = line.partition(b"\0")
        holding[name].add(RepoPath(where.partition(b":")[2]))
    return Searched(tree, {name: sorted(paths) for name, paths in holding.items()})


def rendered(
    sites: Sequence[Site], tree: BaseTree, history: History, was: BaseTree | None = None
) -> list[bytes | None]:
    """What kpatch-rs makes of each site's file in `tree`; None where it is a conflict.

    `was`: the kernel that the recipes were rendered on before, as `rebase` has it.
    """
    where = Where("bench.toml", 1)
    recipes = []
    for site in sites:
        edit = CCallEdit(
            where=where,
            file=RepoPath(site.old),
            function=site.name.decode(),
            statement=site.call.decode(),
        )
        recipes.append(Recipe(where=where, id=edit.function, subject="bench", edits=(edit,)))
    series = Series(name="bench", base="", change_id="", recipes=tuple(recipes))
    return [_only_file(step) for step in render(series, tree, history, was=was)]


def _only_file(step: Step) -> bytes | None:
    if step.status is Status.CONFLICT:
        return None
    (file,) = step.after.changed_since(step.before).values()
    return file.data if file else None


class Survey:
    """Sites with a call on the old kernel, and what each tool makes of them on the new one."""

    def __init__(self, repository: Path, scratch: Path, old: str, new: str) -> None:
        self.repository, self.scratch, self.old, self.new = repository, scratch, old, new

    def sample(self, pile: Sequence[Site], count: int, trees: Repository) -> dict[Site, bytes]:
        """The first `count` sites that take a call on the old kernel, with their files there."""
        tree, history = trees.tree(trees.resolve(self.old)), trees.history()
        taken: dict[Site, bytes] = {}
        for at in range(0, len(pile), count):
            part = pile[at : at + count]
            for site, data in zip(part, rendered(part, tree, history), strict=True):
                if data is not None and stands(site, data) and len(taken) < count:
                    taken[site] = data
            if len(taken) == count:
                break
        return taken

    def by_kpatch_rs(self, taken: Mapping[Site, bytes], trees: Repository) -> list[str]:
        tree = trees.tree(trees.resolve(self.new))
        names = [site.name for site in taken if site.old != site.new]
        ready = searched(self.repository, self.new, tree, names)
        was = trees.tree(trees.resolve(self.old))
        made = rendered(list(taken), ready, trees.history(), was)
        return [self.verdict(s, data, taken[s]) for s, data in zip(taken, made, strict=True)]

    def by_merge_ort(self, taken: Mapping[Site, bytes]) -> list[str]:
        merged = merge_ort(self.scratch, self.old, self.new, self.with_calls(taken))
        names = git(self.scratch, "diff-tree", "-r", "-z", "--name-only", self.new, merged.tree)
        found: dict[bytes, bytes | None] = {}
        for path in filter(None, names.split(b"\0")):
            data = self.read(merged.tree, path) or b""
            for name in re.findall(rb"\bbench_(\w+)\(\);", data):
                clean = path not in merged.conflicted and name not in found
                found[name] = data if clean else None
        return [self.verdict(site, found.get(site.name), old) for site, old in taken.items()]

    def with_calls(self, taken: Mapping[Site, bytes]) -> str:
        """The old kernel's tree with every call in it."""
        lines = []
        for site, data in taken.items():
            blob = git(self.scratch, "hash-object", "-w", "--stdin", data=data).strip()
            lines.append(b"100644 %b\t%b\n" % (blob, site.old))
        index = {"GIT_INDEX_FILE": str(self.scratch / "bench-index")}
        git(self.scratch, "read-tree", self.old, env=index)
        git(self.scratch, "update-index", "--index-info", data=b"".join(lines), env=index)
        return git(self.scratch, "write-tree", env=index).decode().strip()

    def by_file(self, taken: Mapping[Site, bytes], tool: ByFile) -> list[str]:
        """The tools that know nothing but the file of the name that was."""
        verdicts = []
        for site, after in taken.items():
            before, now = (self.read(rev, site.old) for rev in (self.old, self.new))
            made = None
            if before is not None and now is not None:
                made = tool({site.old: before}, {site.old: after}, {site.old: now})
            verdicts.append(self.verdict(site, made.get(site.old) if made else None, after))
        return verdicts

    def verdict(self, site: Site, made: bytes | None, old: bytes) -> str:
        there = self.read(self.new, site.new) or b""
        if made is None:
            return "asked" if asks(site, old, there) else "conflict"
        want = there.splitlines(keepends=True)
        rest = [line for line in made.splitlines(keepends=True) if line.strip() != site.call]
        same = [line for line in rest if line.strip()] == [line for line in want if line.strip()]
        right = same and stands(site, made) and locks(site, made) == locks(site, old)
        return "right" if right else "wrong"

    def read(self, rev: str, path: bytes) -> bytes | None:
        spec = b"%b:%b\n" % (rev.encode(), path)
        about, _, data = git(self.scratch, "cat-file", "--batch", data=spec).partition(b"\n")
        return None if about.endswith(b" missing") else data[:-1]


ByFile = Callable[[Files, Files, Files], Files | None]


def by_patch(before: Files, after: Files, now: Files) -> Files | None:
    """`patch -F2` of the difference."""
    diff: list[str] = []
    for path, data in after.items():
        name = path.decode()
        old, new = (text.decode("latin-1").splitlines(True) for text in (before[path], data))
        diff += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return patch("".join(diff).encode("latin-1"), now)


def verdicts(
    survey: Survey, taken: Mapping[Site, bytes], trees: Repository, only: str | None = None
) -> dict[str, list[str]]:
    """Each tool, or the one asked for; `right`, `asked`, `conflict` or `wrong` for each site."""
    tools: dict[str, Callable[[], list[str]]] = {
        "kpatch-rs": lambda: survey.by_kpatch_rs(taken, trees),
        "git merge-ort": lambda: survey.by_merge_ort(taken),
        "patch -F2": lambda: survey.by_file(taken, by_patch),
        "wiggle": lambda: survey.by_file(taken, wiggle),
    }
    return {tool: verdict() for tool, verdict in tools.items() if only in (None, tool)}
