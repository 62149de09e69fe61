"""The function an edit speaks of, wherever it lives and whatever it is called now.

Guarantees: one function, or none and the reason. What only the kernel the series comes from can
tell (that this static function, or this one of another name, is the one that was) comes with what
the recipe should keep of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from kpatch_rs.errors import Conflict
from kpatch_rs.kinds.base import Ground, names_like
from kpatch_rs.model.outcome import Candidate, Learned
from kpatch_rs.model.path import RepoPath, show
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.c_locate import (
    Definition,
    Sought,
    came_from,
    defined_in,
    look_up,
    macros,
    moved_away,
    similar,
)
from kpatch_rs.syntax.c_renamed import Renamed, renamed

_CANDIDATES = 5


class Lost(Conflict):
    """There is no such function, or more than one."""

    def __init__(self, reason: str, hint: str, candidates: Sequence[Candidate]) -> None:
        super().__init__(reason, hint=hint)
        self.candidates = tuple(candidates)


@dataclass(frozen=True, slots=True)
class Found:
    """The one function that is meant."""

    definition: Definition
    learned: tuple[Learned, ...] = ()

    @property
    def name(self) -> str:
        """As it is called on this kernel."""
        return show(self.definition.function.name)


def find(ground: Ground, files: Sequence[RepoPath], names: Sequence[str]) -> Found:
    """The function that one of `files` defines under one of `names`; the first of each are meant.

    Raises Lost with whatever comes near it.
    """
    named = [(name, defined_in(ground.tree, files, name.encode())) for name in names]
    if here := next((pair for pair in named if pair[1]), None):
        found = _one(files[0], *here, learned=False)
        _refuse_another(ground, files, found)
        return found
    old = last_seen(ground, files, names)
    sought = list[Sought]()
    for name in sorted(names, key=lambda name: not _is_name_of(old, name)):
        one = look_up(ground.tree, files[0], name.encode(), files[1:], old, ground.was)
        if one.definitions and _is_it(old, name, one.definitions):
            return _one(files[0], name, one.definitions, learned=one.recognised)
        sought.append(one)
    now = Renamed()
    if old and ground.was and not any(one.namesakes for one in sought):
        now = renamed(ground.tree, ground.was, files, old)
        if now.certain:
            return Found(now.certain, _called_now(files, now.certain))
    raise _none(ground, files[0], names[0], sought[0], now)


def _refuse_another(ground: Ground, files: Sequence[RepoPath], found: Found) -> None:
    """Raises Lost where a new function has the name and the file, and the old one is elsewhere."""
    was, there = ground.was, found.definition
    old = defined_in(TreeOverlay(was), files, there.function.name) if was and ground.known else ()
    if was and len(old) == 1 and (moved := moved_away(ground.tree, there, old[0], was)):
        raise Lost(
            f"{found.name}() in {show(there.path)} is another one than it was in the last kernel",
            f'name the file of the one that is meant: file = "{show(moved[0].path)}"',
            [Candidate(d.place, f"{found.name}(): the same body") for d in moved[:_CANDIDATES]],
        )


def _is_name_of(old: Definition | None, name: str) -> bool:
    """Whether it had that name in the last kernel."""
    return old is not None and old.function.name == name.encode()


def _is_it(old: Definition | None, name: str, found: Sequence[Definition]) -> bool:
    """Whether `found` can be `old`: what has another one of its names may be anyone."""
    return old is None or _is_name_of(old, name) or all(came_from(old, d) for d in found)


def last_seen(ground: Ground, files: Sequence[RepoPath], names: Sequence[str]) -> Definition | None:
    """The function as it was in the kernel the series comes from, wherever it was there."""
    if ground.was is None:
        return None
    was = TreeOverlay(ground.was)
    here = (defined_in(was, files, name.encode()) for name in names)
    anywhere = (look_up(was, files[0], n.encode(), files[1:]).definitions for n in names)
    found = next(filter(None, chain(here, anywhere)), ())
    return found[0] if len(found) == 1 else None


def _called_now(files: Sequence[RepoPath], there: Definition) -> tuple[Learned, ...]:
    """What the recipe keeps of a function under another name, and in another file perhaps."""
    where = (Learned("also", show(there.path)),) if there.path not in files else ()
    return (Learned("names", show(there.function.name)), *where)


def _one(file: RepoPath, name: str, found: Sequence[Definition], *, learned: bool) -> Found:
    """The only one of `found`. Raises Lost where there are more."""
    if len(found) > 1:
        raise _several(file, name, found)
    return Found(found[0], (Learned("also", show(found[0].path)),) if learned else ())


def _several(file: RepoPath, name: str, found: Sequence[Definition]) -> Lost:
    twins = len({d.path for d in found}) == 1
    return Lost(
        f"{name}() is defined {len(found)} times"
        + (f" in {show(found[0].path)}: the preprocessor chooses" if twins else ""),
        "make it a patch edit" if twins else 'say which one is meant: file = "…"',
        [Candidate(d.place, f"{name}()") for d in found[:_CANDIDATES]],
    )


def _none(ground: Ground, file: RepoPath, name: str, sought: Sought, now: Renamed) -> Lost:
    if made := macros(ground.tree, (file, *sought.holding), name.encode()):
        return Lost(
            f"{name} is a macro, not a function ({made[0]})",
            "name the function it expands to, or one that uses it: function = …",
            [Candidate(place, f"#define {name}") for place in made],
        )
    if others := sought.namesakes:
        return Lost(
            f"no function {name}() in {show(file)}, nor beside it; who else has one of"
            " that name may have another",
            'name the file of the one that is meant: file = "…"',
            [Candidate(d.place, f"{name}()") for d in others[:_CANDIDATES]],
        )
    near = dict.fromkeys((*now.bodies, *now.called), "called where it was")
    near |= dict.fromkeys(now.bodies, "the same body")
    alike = [Candidate(d.place, f"{show(d.function.name)}(): {why}") for d, why in near.items()]
    if ground.tree.read(file) is None:
        return Lost(
            f"{show(file)}: the tree has no such file",
            'name the file that took its place: file = "…"',
            [*alike, *names_like(ground.tree, file)][:_CANDIDATES],
        )
    return Lost(
        f"no function {name}() in {show(file)}, nor anywhere in the tree",
        "name the function that took its place: function = …",
        [*alike, *similar(ground.tree, file, name.encode())][:_CANDIDATES],
    )
