"""The recipes that say what the commits of an edited branch say and do.

Guarantees: a recipe whose commit is the rendered one is not touched; of any other, what its commit
leaves alone stays; every recipe is read back from the text its file will have.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from kpatch_rs.commands.given import Given, naming
from kpatch_rs.commands.import_ import free_id, read_as
from kpatch_rs.engine.refresh import Made, partners
from kpatch_rs.engine.render import rendered
from kpatch_rs.engine.revise import Revision
from kpatch_rs.errors import KpatchError
from kpatch_rs.gitio.commits import CommitRead
from kpatch_rs.kinds.base import Ground, History
from kpatch_rs.loader.existing import Said
from kpatch_rs.loader.fields import SeriesInvalid
from kpatch_rs.loader.revise import Tables, revised
from kpatch_rs.loader.write import payloads, recipe_text
from kpatch_rs.model.outcome import Status, Step
from kpatch_rs.model.series import Edit, Person, Recipe, Where

_UNFINISHED = ("fixup! ", "squash! ", "amend! ")


@dataclass(frozen=True, slots=True)
class Placed:
    """A commit with what it says and does."""

    commit: CommitRead
    given: Given

    def made(self) -> Made:
        """As the pairing sees it."""
        return Made(oid=self.commit.oid, subject=self.given.said.subject, patch=self.given.patch)


@dataclass(frozen=True, slots=True)
class Turn:
    """A commit of the edited branch, and the recipe it was."""

    placed: Placed
    id: str
    old: Recipe | None = None
    """None: the commit is new."""
    was: Placed | None = None
    """What `old` was rendered as."""

    @property
    def untouched(self) -> bool:
        """Whether it is the very commit that was rendered."""
        return self.was is not None and self.was.commit.oid == self.placed.commit.oid


@dataclass(frozen=True, slots=True)
class Revised:
    """A recipe as it will be: its text, and what is new about it, in words."""

    turn: Turn
    recipe: Recipe
    text: str
    news: tuple[str, ...]


def turns(
    recipes: Sequence[Recipe], before: Sequence[tuple[Recipe, Placed]], now: Sequence[Placed]
) -> list[Turn]:
    """Each commit of the branch with the recipe it was; a new one with an id of its own."""
    pairs = partners([placed.made() for _, placed in before], [placed.made() for placed in now])
    taken = {recipe.id.casefold() for recipe in recipes}
    found = []
    for number, placed in enumerate(now):
        _refuse_unfit(placed)
        if number in pairs:
            recipe, was = before[pairs[number]]
            found.append(Turn(placed, recipe.id, recipe, was))
        else:
            id_ = free_id(placed.given.said.subject, taken)
            taken.add(id_)
            found.append(Turn(placed, id_))
    return found


def _refuse_unfit(placed: Placed) -> None:
    with naming(placed.given.name):
        if placed.given.said.subject.startswith(_UNFINISHED):
            raise KpatchError(
                "it waits for another commit to swallow it",
                hint="git rebase -i --autosquash BASE, then refresh",
            )
        if not placed.commit.changes:
            raise KpatchError("it changes nothing", hint="drop it: a recipe needs an edit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviser:
    """What all commits of one refresh have in common."""

    history: History
    identity: Person | None
    """Who git takes the user for; None where it does not know."""
    rendered: Sequence[Recipe]
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
        done: dict[str, Revised] = {}
        for turn in sorted(turns, key=lambda turn: turn.old is None):
            with naming(turn.placed.given.name):
                done[turn.id] = self._revised(turn, turns, files[turn.id], done)
        return [done[turn.id] for turn in turns]

    def _revised(
        self, turn: Turn, turns: Sequence[Turn], file: str, done: Mapping[str, Revised]
    ) -> Revised:
        if turn.old and turn.untouched:
            return Revised(turn, turn.old, "", ())
        recipe = self._worded(turn, file)
        said = ("message",) if turn.old and recipe != turn.old else ()
        if turn.old and self._holds(turn.old, turn):
            return self._written(turn, recipe, said)
        refusal: KpatchError | None = None
        for edits in self._ways(turn, turns, file, done):
            try:
                news = (*said, "edits") if turn.old else ("new",)
                return self._written(turn, replace(recipe, edits=edits), news)
            except SeriesInvalid as error:
                refusal = error
        raise refusal or KpatchError("no recipe makes its tree")

    def _holds(self, recipe: Recipe, turn: Turn) -> bool:
        """Whether the recipe still makes the commit's tree, with every edit that made it before."""
        patch = turn.placed.given.patch
        step = rendered(recipe, Ground(patch.before, self.history))
        if step.after.changed_since(patch.after):
            _refuse_variant(step)
            return False
        return {*_idle(step)} <= {*self._idle_before(turn)}

    def _idle_before(self, turn: Turn) -> tuple[Where, ...]:
        """The edits of a recipe that had nothing to do when it was rendered."""
        if turn.old is None or turn.was is None:
            return ()
        return _idle(rendered(turn.old, Ground(turn.was.given.patch.before, self.history)))

    def _worded(self, turn: Turn, file: str) -> Recipe:
        said, commit = turn.placed.given.said, turn.placed.commit
        if turn.old is None or turn.was is None:
            mine = self._mine(commit)
            return Recipe(
                where=Where(file),
                id=turn.id,
                subject=said.subject,
                body=said.body + "\n" * ("\n" in said.body),
                author=None if mine else said.author,
                date=None if mine else said.date,
                trailers=said.trailers,
            )
        recipe = turn.old
        if commit.message != turn.was.commit.message:
            recipe = _reworded(recipe, said)
        if commit.author != turn.was.commit.author:
            mine = self._mine(commit)
            author = None if mine and recipe.author is None else said.author
            date = None if mine and recipe.date is None else said.date
            return replace(recipe, author=author, date=date)
        if commit.date != turn.was.commit.date and recipe.date is not None:
            return replace(recipe, date=commit.date)
        return recipe

    def _mine(self, commit: CommitRead) -> bool:
        """Whether its author is who a recipe without one is rendered for."""
        return self.identity is not None and str(self.identity).encode() == commit.author

    def _ways(
        self, turn: Turn, turns: Sequence[Turn], file: str, done: Mapping[str, Revised]
    ) -> Iterator[tuple[Edit, ...]]:
        others = [done[t.id].recipe if t.id in done else t.old for t in turns if t is not turn]
        taken = dict(self.foreign)
        for recipe in (*others, *self.silent):
            taken |= {p.name: p.data for p in payloads(recipe)} if recipe else {}
        idle = self._idle_before(turn)
        own = {payload.name for payload in payloads(turn.old)} if turn.old else set()
        return Revision(
            own=turn.old.edits if turn.old else (),
            idle=tuple(e for e in turn.old.edits if e.where in idle) if turn.old else (),
            spare=tuple(self._spare(turn, turns, done)),
            patch=turn.placed.given.patch,
            history=self.history,
            payload=_free_name(file.removesuffix(".toml"), {*taken, *own}),
            where=Where(file),
            taken=taken,
        ).ways()

    def _spare(
        self, turn: Turn, turns: Sequence[Turn], done: Mapping[str, Revised]
    ) -> Iterator[Edit]:
        """Edits that no recipe has any more, of recipes with the same guard."""
        waiting = {other.id for other in turns} - set(done)
        used = {edit.where for revised in done.values() for edit in revised.recipe.edits}
        guard = turn.old.when if turn.old else None
        for recipe in self.rendered:
            if recipe.id not in waiting and recipe.when == guard:
                yield from (edit for edit in recipe.edits if edit.where not in used)

    def _written(self, turn: Turn, recipe: Recipe, news: tuple[str, ...]) -> Revised:
        """`recipe` with its text. Raises SeriesInvalid where that would not be read as it."""
        text = revised(recipe, turn.old, self.heads.get(turn.id, ""), self.tables)
        try:
            read_as(recipe, text)
        except SeriesInvalid:  # written in a way that cannot be taken apart: write it anew
            text = recipe_text(recipe)
            read_as(recipe, text)
        return Revised(turn, recipe, text, news)


def _refuse_variant(step: Step) -> None:
    """What a variant should say instead is for a person to write: it may hold for other kernels."""
    if step.variant:
        raise KpatchError(
            f"recipe {step.recipe.id} was rendered from its variant at {step.variant.where}, and "
            "its commit has another change now",
            hint="write that into the variant by hand, then apply",
        )


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


def _free_name(stem: str, taken: Set[str]) -> str:
    numbered = (f"files/{stem}{f'-{n}' if n else ''}.diff" for n in itertools.count())
    return next(name for name in numbered if name not in taken)
