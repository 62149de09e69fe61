"""Which commit of an edited branch is which recipe, and what went from one to another.

Guarantees: where commits were squashed or split, their edits go only where they are meant for the
kernels they were meant for; anything else is refused, with the recipe and its line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from kpatch_rs.commands.given import Given, naming
from kpatch_rs.commands.import_ import free_id
from kpatch_rs.engine.refresh import Lines, Made, partners, took_over
from kpatch_rs.engine.render import rendered
from kpatch_rs.engine.scope import Scope, edits_of, scope
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.commits import CommitRead
from kpatch_rs.kinds.base import Ground
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.series import Edit, Recipe, Variant, Where
from kpatch_rs.model.version import Guard, show_guard

_UNFINISHED = ("fixup! ", "squash! ", "amend! ")


@dataclass(frozen=True)
class Placed:
    """A commit with what it says and does."""

    commit: CommitRead
    given: Given

    @cached_property
    def made(self) -> Made:
        """As the pairing sees it."""
        return Made(oid=self.commit.oid, subject=self.given.said.subject, patch=self.given.patch)


@dataclass(frozen=True)
class Was:
    """A recipe, and the commit it was rendered as."""

    recipe: Recipe
    placed: Placed
    ground: Ground
    """The tree below the commit."""

    @cached_property
    def step(self) -> Step:
        """The recipe, rendered there again."""
        return rendered(self.recipe, self.ground)

    @cached_property
    def number(self) -> int | None:
        """The number of the variant that it was rendered from; None: its own edits."""
        if not self.recipe.variants or self.step.variant is None:
            return None
        return self.recipe.variants.index(self.step.variant)

    @property
    def variant(self) -> Variant | None:
        """That variant."""
        return None if self.number is None else self.recipe.variants[self.number]

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that it was rendered from."""
        return edits_of(self.recipe, self.number)

    @property
    def scope(self) -> Scope:
        """The kernels that these are meant for."""
        return scope(self.recipe, self.number)

    @property
    def where(self) -> Where:
        """Where these stand."""
        return self.variant.where if self.variant else self.recipe.where

    def __str__(self) -> str:
        meant = f", its variant {show_guard(self.variant.when)}" if self.variant else ""
        return f"{self.recipe.id} ({self.where}{meant})"


@dataclass(frozen=True, slots=True)
class Turn:
    """A commit of the edited branch, and the recipe it was."""

    placed: Placed
    id: str
    was: Was | None = None
    """None: the commit is new."""
    when: Guard | None = None
    """The guard of a new recipe: that of those it was split off from."""

    @property
    def old(self) -> Recipe | None:
        """The recipe it was."""
        return self.was.recipe if self.was else None

    @property
    def untouched(self) -> bool:
        """Whether it is the very commit that was rendered."""
        return self.was is not None and self.was.placed.commit.oid == self.placed.commit.oid

    @property
    def lines(self) -> tuple[Lines, Lines]:
        """What the commit does no more, and what it did not do before."""
        was = self.was.placed.made.lines if self.was else Counter()
        return was - self.placed.made.lines, self.placed.made.lines - was


def turns(recipes: Sequence[Recipe], before: Sequence[Was], now: Sequence[Placed]) -> list[Turn]:
    """Each commit of the branch with the recipe it was; a new one with an id of its own.

    Raises KpatchError naming the commit.
    """
    pairs = partners([was.placed.made for was in before], [placed.made for placed in now])
    taken = {recipe.id.casefold() for recipe in recipes}
    found = []
    for number, placed in enumerate(now):
        _refuse_unfit(placed)
        if number in pairs:
            was = before[pairs[number]]
            found.append(Turn(placed, was.recipe.id, was))
        else:
            id_ = free_id(placed.given.said.subject, taken)
            taken.add(id_)
            found.append(Turn(placed, id_))
    return list(_scoped(found, before))


def gone(before: Sequence[Was], found: Sequence[Turn]) -> list[Was]:
    """What was rendered and has no commit any more."""
    there = {turn.id for turn in found}
    return [was for was in before if was.recipe.id not in there]


def _refuse_unfit(placed: Placed) -> None:
    with naming(placed.given.name):
        if placed.given.said.subject.startswith(_UNFINISHED):
            raise KpatchError(
                "it waits for another commit to swallow it",
                hint="git rebase -i --autosquash BASE, then refresh",
            )
        if not placed.commit.changes:
            raise KpatchError("it changes nothing", hint="drop it: a recipe needs an edit")


def _scoped(found: Sequence[Turn], before: Sequence[Was]) -> Iterator[Turn]:
    """`found`, with guards for what is new; refuses what would change other kernels."""
    changed = [turn for turn in found if not turn.untouched]
    lost = [(was, was.placed.made.lines) for was in gone(before, found)]
    lost += [(turn.was, turn.lines[0]) for turn in changed if turn.was]
    for turn in found:
        gained = Counter() if turn.untouched else turn.lines[1]
        from_ = [was for was, lines in lost if was is not turn.was and took_over(lines, gained)]
        with naming(turn.placed.given.name):
            yield _fitted(turn, from_) if from_ else turn


def _fitted(turn: Turn, sources: Sequence[Was]) -> Turn:
    """`turn`, that does now what `sources` did. Raises KpatchError where those may not go there."""
    mine = turn.was.scope if turn.was else sources[0].scope
    strange = next((was for was in sources if was.scope != mine), None)
    if strange is None and (turn.was or mine.sayable):
        return turn if turn.was else replace(turn, when=mine.guard)
    there = f"recipe {turn.was}" if turn.was else "a recipe of its own"
    raise KpatchError(
        f"it does now what recipe {strange or sources[0]} did, and {there} is not for the same "
        "kernels",
        hint="put that back where it was, or say it by hand in the recipes",
    )
