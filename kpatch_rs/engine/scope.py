"""The kernels that the edits of a recipe are meant for: its own ones, and those of each variant.

A commit shows what a recipe does on one kernel. What goes from one recipe to another keeps other
kernels as they were only if it is meant for the same ones in both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from kpatch_rs.model.series import Edit, Recipe
from kpatch_rs.model.version import Guard


@dataclass(frozen=True, slots=True)
class Scope:
    """Kernels, by guards of recipes and variants."""

    within: frozenset[Guard] = frozenset()
    """All of them hold."""
    without: frozenset[Guard] = frozenset()
    """None of them does."""
    only: str = ""
    """The recipe that alone can tell: it has a variant where its other edits do not fit."""

    @property
    def sayable(self) -> bool:
        """Whether a recipe of its own can have this scope, by its `when`."""
        return not (self.without or self.only) and len(self.within) <= 1

    @property
    def guard(self) -> Guard | None:
        """The `when` of such a recipe."""
        return next(iter(self.within), None)


def scope(recipe: Recipe, number: int | None) -> Scope:
    """What the edits of variant `number` (None: the recipe's own) are meant for."""
    guards = [variant.when for variant in recipe.variants]
    past = guards if number is None else guards[:number]
    held = [recipe.when, *([] if number is None else [guards[number]])]
    return Scope(
        within=frozenset(guard for guard in held if guard),
        without=frozenset(guard for guard in past if guard),
        only=recipe.id if None in guards else "",
    )


def edits_of(recipe: Recipe, number: int | None) -> tuple[Edit, ...]:
    """The edits of variant `number`; None: the recipe's own."""
    return recipe.edits if number is None else recipe.variants[number].edits


def with_edits(recipe: Recipe, number: int | None, edits: tuple[Edit, ...]) -> Recipe:
    """`recipe` with `edits` there, and all else as it was."""
    if number is None:
        return replace(recipe, edits=edits)
    variants = list(recipe.variants)
    variants[number] = replace(variants[number], edits=edits)
    return replace(recipe, variants=tuple(variants))
