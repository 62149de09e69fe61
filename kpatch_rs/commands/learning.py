"""What a rebase finds out only with the help of the last base, kept in the recipes.

The next rendering has no older kernel to compare with; written down, it needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.loader.amend import Spot, with_also
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.save import Rewrite
from kpatch_rs.model.outcome import Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Edit, Recipe, Series

Learned = Mapping[str, Mapping[Spot, str]]
"""Recipe file → an edit in it → another file that has its function."""


def learned(steps: Sequence[Step]) -> Learned:
    """Where functions were found that the recipes alone would not find."""
    found: dict[str, dict[Spot, str]] = {}
    for step in steps:
        variant = step.recipe.variants.index(step.variant) if step.variant else None
        for number, edit in enumerate(step.edits):
            if path := edit.outcome.learned:
                found.setdefault(step.recipe.where.file, {})[variant, number] = path.decode()
    return found


def rewrites(folder: Path, learned: Learned) -> list[Rewrite]:
    """The recipe files of the series in `folder` with it in them. Raises KpatchError."""
    before = {name: read_text(folder, name) for name in learned}
    return [Rewrite(n, text, with_also(n, learned[n], text)) for n, text in before.items()]


def kept(series: Series, learned: Learned) -> Series:
    """The series as it is read once its recipes say what was learned."""
    recipes = (_kept(recipe, learned.get(recipe.where.file, {})) for recipe in series.recipes)
    return replace(series, recipes=tuple(recipes))


def _kept(recipe: Recipe, paths: Mapping[Spot, str]) -> Recipe:
    def edits(variant: int | None, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        return tuple(_with(edit, paths.get((variant, n))) for n, edit in enumerate(edits))

    variants = (replace(v, edits=edits(n, v.edits)) for n, v in enumerate(recipe.variants))
    return replace(recipe, edits=edits(None, recipe.edits), variants=tuple(variants))


def _with(edit: Edit, path: str | None) -> Edit:
    if path is None or not isinstance(edit, CCallEdit):
        return edit
    return replace(edit, also=(*edit.also, RepoPath(path.encode())))
