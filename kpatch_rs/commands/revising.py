"""The recipes that say what the commits of an edited branch say and do.

Guarantees: a recipe whose commit is the rendered one is not touched; of any other, what its commit
leaves alone stays, and so does what it is on other kernels; every recipe is read back from the text
its file will have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kpatch_rs.commands.given import naming
from kpatch_rs.commands.import_ import read_as
from kpatch_rs.commands.paired import Turn, Was, gone
from kpatch_rs.engine.render import rendered
from kpatch_rs.engine.revise import Revision, free_name
from kpatch_rs.engine.scope import Scope, with_edits
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.commits import CommitRead
from kpatch_rs.kinds.base import Ground, History
from kpatch_rs.loader.existing import Said
from kpatch_rs.loader.fields import SeriesInvalid
from kpatch_rs.loader.revise import Tables, texts
from kpatch_rs.loader.write import payloads
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.series import Edit, Person, Recipe, Variant, Where
from kpatch_rs.model.version import kernel_version, show_version


@dataclass(frozen=True, slots=True)
class Revised:
    """A recipe as it will be: its text, and what is new about it, in words."""

    recipe: Recipe
    text: str
    news: tuple[str, ...]
    commit: Oid | None
    """The commit of the branch that it is; None where that was dropped."""
    variant: Variant | None = None
    """What it is on this kernel; None: its own edits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviser:
    """What all commits of one refresh have in common."""

    history: History
    identity: Person | None
    """Who git takes the user for; None where it does not know."""
    rendered: Sequence[Was]
    """The recipes that had a commit."""
    silent: Sequence[Recipe]
    """The ones that had none."""
    heads: Mapping[str, str]
    """The text above the first edit of each recipe, by its id."""
    tables: Tables
    foreign: Mapping[str, bytes]
    """Files in the series folder that no recipe names."""

    def revised(self, turns: Sequence[Turn], files: Mapping[str, str]) -> list[Revised]:
        """The recipes, in order; `files` has the name of each one's file, by id.

        Recipes that were there come first to their edits; new ones may take what those let go.
        Raises KpatchError naming the commit.
        """
        done = {one.recipe.id: one for one in self._emptied(turns)}
        for turn in sorted(turns, key=lambda turn: turn.old is None):
            with naming(turn.placed.given.name):
                done[turn.id] = self._revised(turn, turns, files[turn.id], done)
        return list(done.values())

    def _emptied(self, turns: Sequence[Turn]) -> Iterator[Revised]:
        """What has no commit on this kernel any more, and is another step on others."""
        for was in emptied(self.rendered, turns):
            if was.variant and was.variant.when is None:
                raise KpatchError(
                    f"the commit of recipe {was} is gone, and a variant without 'when' cannot say "
                    "that there is nothing to do",
                    hint="put the commit back; or write by hand for which kernels there is nothing "
                    'to do, as a [[variant]] with when = { min = "…" } and no edits',
                )
            recipe = with_edits(was.recipe, was.number, ())
            yield self._written(None, was, recipe, ("emptied",))

    def _revised(
        self, turn: Turn, turns: Sequence[Turn], file: str, done: Mapping[str, Revised]
    ) -> Revised:
        if turn.was and turn.untouched:
            return Revised(turn.was.recipe, "", (), turn.placed.commit.oid)
        recipe = self._worded(turn, file)
        said = ("message",) if turn.old and recipe != turn.old else ()
        if turn.was and self._holds(turn.was, turn):
            return self._written(turn, turn.was, recipe, said)
        refusal: KpatchError | None = None
        for edits in self._ways(turn, turns, file, done):
            changed = with_edits(recipe, turn.was.number if turn.was else None, edits)
            news = (*said, "edits") if turn.was else ("new",)
            try:
                if turn.was:
                    self._must_be_meant(changed, turn, turn.was)
                return self._written(turn, turn.was, changed, news)
            except (SeriesInvalid, NotMeant) as error:
                refusal = error
        raise refusal or KpatchError("no recipe makes its tree")

    def _step(self, recipe: Recipe, turn: Turn) -> Step:
        before = turn.placed.given.patch.before
        ground = replace(turn.was.ground, tree=before) if turn.was else Ground(before, self.history)
        return rendered(recipe, ground)

    def _holds(self, was: Was, turn: Turn) -> bool:
        """Whether the recipe still makes the commit's tree, with every edit that made it before."""
        step = self._step(was.recipe, turn)
        if step.after.changed_since(turn.placed.given.patch.after):
            return False
        return {*_idle(step)} <= {*_idle(was.step)}

    def _must_be_meant(self, changed: Recipe, turn: Turn, was: Was) -> None:
        """Raises NotMeant where something else of the recipe would be rendered now."""
        if not changed.variants:
            return
        step = self._step(changed, turn)
        number = changed.variants.index(step.variant) if step.variant else None
        if number != was.number:
            meant = step.variant.where if step.variant else f"{changed.where}, its own edits"
            raise NotMeant(
                f"it was rendered from recipe {was}, and on this branch now that is rendered from "
                f"{meant}",
                hint="say by hand in the recipe what it is on which kernel",
            )

    def _worded(self, turn: Turn, file: str) -> Recipe:
        said, commit = turn.placed.given.said, turn.placed.commit
        if turn.was is None:
            mine = self._mine(commit)
            return Recipe(
                where=Where(file),
                id=turn.id,
                subject=said.subject,
                body=said.body + "\n" * ("\n" in said.body),
                author=None if mine else said.author,
                date=None if mine else said.date,
                trailers=said.trailers,
                when=turn.when,
            )
        recipe, before = turn.was.recipe, turn.was.placed.commit
        if commit.message != before.message:
            recipe = _reworded(recipe, said)
        if commit.author != before.author:
            mine = self._mine(commit)
            author = None if mine and recipe.author is None else said.author
            date = None if mine and recipe.date is None else said.date
            return replace(recipe, author=author, date=date)
        if commit.date != before.date and recipe.date is not None:
            return replace(recipe, date=commit.date)
        return recipe

    def _mine(self, commit: CommitRead) -> bool:
        """Whether its author is who a recipe without one is rendered for."""
        return self.identity is not None and str(self.identity).encode() == commit.author

    def _ways(
        self, turn: Turn, turns: Sequence[Turn], file: str, done: Mapping[str, Revised]
    ) -> Iterator[tuple[Edit, ...]]:
        others = [done[t.id].recipe if t.id in done else t.old for t in turns if t is not turn]
        others += [one.recipe for one in done.values() if one.commit is None]
        if turn.was:  # what it is on other kernels stays
            others.append(with_edits(turn.was.recipe, turn.was.number, ()))
        taken = dict(self.foreign)
        for recipe in (*others, *self.silent):
            taken |= {p.name: p.data for p in payloads(recipe)} if recipe else {}
        own = turn.was.edits if turn.was else ()
        idle = _idle(turn.was.step) if turn.was else ()
        mine = {payload.name for payload in payloads(turn.old)} if turn.old else set()
        stem, label = file.removesuffix(".toml"), _label(turn)
        return Revision(
            own=own,
            idle=tuple(edit for edit in own if edit.where in idle),
            spare=tuple(self._spare(turn, turns, done)),
            patch=turn.placed.given.patch,
            history=self.history,
            payload=free_name(f"files/{stem}", ".diff", label, {*taken, *mine}),
            where=Where(file),
            taken=taken,
            label=label,
        ).ways()

    def _spare(
        self, turn: Turn, turns: Sequence[Turn], done: Mapping[str, Revised]
    ) -> Iterator[Edit]:
        """Edits that no recipe has any more, and that are meant for the same kernels."""
        waiting = {other.id for other in turns} - set(done)
        used = {edit.where for revised in done.values() for edit in revised.recipe.all_edits()}
        mine = turn.was.scope if turn.was else Scope(frozenset(filter(None, [turn.when])))
        for was in self.rendered:
            if was.recipe.id not in waiting and was.scope == mine:
                yield from (edit for edit in was.edits if edit.where not in used)

    def _written(
        self, turn: Turn | None, was: Was | None, recipe: Recipe, news: tuple[str, ...]
    ) -> Revised:
        """`recipe` with its text. Raises SeriesInvalid where that would not be read as it."""
        number = was.number if was else None
        variant = None if number is None else recipe.variants[number]
        commit = turn.placed.commit.oid if turn else None
        head = self.heads.get(recipe.id, "")
        refusal: SeriesInvalid | None = None
        for text in texts(recipe, was.recipe if was else None, head, self.tables):
            try:
                read_as(recipe, text)
                return Revised(recipe, text, news, commit, variant)
            except SeriesInvalid as error:
                refusal = error
        raise refusal or AssertionError("a recipe is written in one way at least")


class NotMeant(KpatchError):
    """Edits that would not be the ones rendered."""


def emptied(rendered: Sequence[Was], turns: Sequence[Turn]) -> list[Was]:
    """What was rendered from a variant, and is not to be any more: the recipe stays for others."""
    return [was for was in gone(rendered, turns) if was.number is not None]


def _label(turn: Turn) -> str:
    """What tells the payloads of a variant from those of its recipe: the release."""
    if turn.was is None or turn.was.number is None:
        return ""
    version = kernel_version(turn.placed.given.patch.before)
    return f"-{show_version(version[:2])}" if version else "-other"


def _idle(step: Step) -> tuple[Where, ...]:
    """The edits of a step that did nothing, by their places."""
    nothing = (Status.PRESENT, Status.SKIPPED)
    return tuple(r.edit.where for r in step.edits if r.outcome.status in nothing)


def _reworded(recipe: Recipe, said: Said) -> Recipe:
    """`recipe` with as few keys changed as give the message that is `said`."""
    body = said.body + "\n" * (recipe.body.endswith("\n") and bool(said.body))
    news = {"subject": said.subject, "body": body, "trailers": said.trailers}
    wanted = replace(recipe, subject=said.subject, body=body, trailers=said.trailers).message()
    choices = itertools.chain.from_iterable(
        itertools.combinations(news, size) for size in range(len(news) + 1)
    )
    tries = (_with(recipe, {key: news[key] for key in keys}) for keys in choices)
    return next(changed for changed in tries if changed.message() == wanted)


def _with(recipe: Recipe, news: Mapping[str, Any]) -> Recipe:
    return replace(recipe, **news)
