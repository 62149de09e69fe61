"""What a rebase finds out only with the help of the last base, kept in the recipes.

The next rendering has no older kernel to compare with; written down, it needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kpatch_rs.loader.amend import Spot, with_learned
from kpatch_rs.loader.load import read_text
from kpatch_rs.loader.save import Rewrite
from kpatch_rs.model.outcome import Learned, Step
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Edit, Recipe, Series

Lessons = Mapping[str, Mapping[Spot, tuple[Learned, ...]]]
"""Recipe file → an edit in it → what it is to keep."""


def learned(steps: Sequence[Step]) -> Lessons:
    """Where functions were found that the recipes alone would not find."""
    found: dict[str, dict[Spot, tuple[Learned, ...]]] = {}
    for step in steps:
        variant = step.recipe.variants.index(step.variant) if step.variant else None
        for number, edit in enumerate(step.edits):
            if lessons := edit.outcome.learned:
                found.setdefault(step.recipe.where.file, {})[variant, number] = lessons
    return found


def rewrites(folder: Path, learned: Lessons) -> list[Rewrite]:
    """The recipe files of the series in `folder` with it in them. Raises KpatchError."""
    before = {name: read_text(folder, name) for name in learned}
    return [Rewrite(n, text, with_learned(n, learned[n], text)) for n, text in before.items()]


def kept(series: Series, learned: Lessons) -> Series:
    """The series as it is read once its recipes say what was learned."""
    recipes = (_kept(recipe, learned.get(recipe.where.file, {})) for recipe in series.recipes)
    return replace(series, recipes=tuple(recipes))


def _kept(recipe: Recipe, lessons: Mapping[Spot, tuple[Learned, ...]]) -> Recipe:
    def edits(variant: int | None, edits: Sequence[Edit]) -> tuple[Edit, ...]:
        return tuple(_with(edit, lessons.get((variant, n), ())) for n, edit in enumerate(edits))

    variants = (replace(v, edits=edits(n, v.edits)) for n, v in enumerate(recipe.variants))
    return replace(recipe, edits=edits(None, recipe.edits), variants=tuple(variants))


def _with(edit: Edit, lessons: Sequence[Learned]) -> Edit:
    for lesson in lessons:
        value = RepoPath(lesson.value.encode()) if lesson.key == "also" else lesson.value
        kept: dict[str, Any] = {lesson.key: (*getattr(edit, lesson.key), value)}
        edit = replace(edit, **kept)
    return edit
