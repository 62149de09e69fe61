"""Pairing commits with recipes, and names for an order: what needs no repository."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.engine.lift import Patch
from kpatch_rs.engine.refresh import Made, partners, took_over, woven
from kpatch_rs.engine.scope import scope
from kpatch_rs.loader.numbering import file_names
from kpatch_rs.model.oid import oid
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Recipe, Variant, Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.model.version import Guard
from tests.trees import DictTree

BASE = TreeOverlay(DictTree({"Makefile": b"a\nb\nc\n"}))


def made(number: int, subject: str, text: str, path: str = "new.c") -> Made:
    after = BASE.write(repo_path(path), File(text.encode()))
    return Made(oid=oid(f"{number:040x}"), subject=subject, patch=Patch(before=BASE, after=after))


def test_the_commit_itself_goes_first() -> None:
    rendered = [made(1, "A", "x\n"), made(2, "A", "x\n")]
    assert partners(rendered, list(reversed(rendered))) == {0: 1, 1: 0}


def test_subject_and_change_then_change_then_subject() -> None:
    rendered = [made(1, "A", "one\n"), made(2, "B", "two\n"), made(3, "C", "three\n")]
    found = [made(4, "C", "other\n"), made(5, "Z", "two\n"), made(6, "A", "one\n")]
    assert partners(rendered, found) == {0: 2, 1: 1, 2: 0}


def test_nearest_change_and_none() -> None:
    rendered = [made(1, "A", "1\n2\n3\n4\n"), made(2, "B", "a\nb\nc\nd\n")]
    found = [made(3, "X", "a\nb\nc\nz\n"), made(4, "Y", "1\n9\n8\n7\n")]
    assert partners(rendered, found) == {0: 1}


def test_a_mode_is_a_change() -> None:
    script = BASE.write(repo_path("Makefile"), File(b"a\nb\nc\n", "100755"))
    commit = Made(oid=oid("1" * 40), subject="A", patch=Patch(before=BASE, after=script))
    assert commit.lines.total() == 1


def recipe(id_: str, *guards: str | None, when: str | None = None) -> Recipe:
    """A recipe with a variant for each of `guards`, releases from which on they hold."""
    here, guard = Where("x.toml"), Guard(min=when) if when else None
    variants = (Variant(where=here, when=Guard(min=g) if g else None) for g in guards)
    return Recipe(where=here, id=id_, subject=id_, when=guard, variants=tuple(variants))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((recipe("a"), None), (recipe("b"), None), True),
        ((recipe("a", "7.2"), 0), (recipe("b", "7.2"), 0), True),
        ((recipe("a", "7.2"), 0), (recipe("b", when="7.2"), None), True),
        ((recipe("a", "7.2"), 0), (recipe("b"), None), False),
        ((recipe("a", "7.2"), None), (recipe("b"), None), False),
        ((recipe("a", "7.2"), None), (recipe("b", "7.2"), None), True),
        ((recipe("a", "7.2", "6.1"), 1), (recipe("b", "6.1"), 0), False),
        ((recipe("a", "7.2", None), 0), (recipe("b", "7.2"), 0), False),
        ((recipe("a", "7.2", None), 0), (recipe("b", "7.2", None), 0), False),
    ],
)
def test_what_is_for_the_same_kernels(
    one: tuple[Recipe, int | None], other: tuple[Recipe, int | None], same: bool
) -> None:
    assert (scope(*one) == scope(*other)) is same


def test_a_guard_says_what_one_guard_says() -> None:
    assert scope(recipe("a"), None).sayable
    assert scope(recipe("a", "7.2"), 0).guard == Guard(min="7.2")
    unsaid = (recipe("a", "7.2"), None), (recipe("a", "7.2", when="6.1"), 0), (recipe("a", None), 0)
    assert not any(scope(*one).sayable for one in unsaid)


@pytest.mark.parametrize(
    ("lost", "gained", "over"),
    [
        ("one\ntwo\n", "one\ntwo\nthree\nfour\nfive\n", True),
        ("one\ntwo\nthree\nfour\nfive\n", "one\n", True),
        ("one\ntwo\nthree\n", "one\nfour\nfive\n", False),
        ("one\n}\n\n", "two\n}\n\n", False),
        ("one\n", "", False),
    ],
)
def test_lines_that_another_commit_has_now(lost: str, gained: str, over: bool) -> None:
    first, second = (made(n, "A", f"a\nb\nc\n{x}", "Makefile") for n, x in ((1, lost), (2, gained)))
    assert took_over(first.lines, second.lines) is over


@pytest.mark.parametrize(
    ("order", "woven_in"),
    [
        ("ABC", "AsBtC"),
        ("CBA", "CBtAs"),
        ("BC", "sBtC"),
        ("AC", "AstC"),
        ("", "st"),
        ("NA", "NAst"),
    ],
)
def test_silent_recipes_stay_behind_what_they_stood_behind(order: str, woven_in: str) -> None:
    assert "".join(woven("AsBtC", order, "st")) == woven_in


NAMES = [f"{n:04}-{id_}.toml" for n, id_ in enumerate("abcde", 1)]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("abcde", NAMES),
        ("ace", [NAMES[0], NAMES[2], NAMES[4]]),
        ("aXce", [NAMES[0], "0002-X.toml", NAMES[2], NAMES[4]]),
        ("abcdeX", [*NAMES, "0006-X.toml"]),
        ("abdce", [*NAMES[:2], "0003-d.toml", "0004-c.toml", NAMES[4]]),
        ("abXcd", [*NAMES[:2], "0003-X.toml", "0004-c.toml", "0005-d.toml"]),
        ("abXce", [*NAMES[:2], "0003-X.toml", "0004-c.toml", NAMES[4]]),
    ],
)
def test_names_stay_where_they_can(order: str, names: list[str]) -> None:
    own = dict(zip("abcde", NAMES, strict=True))
    assert file_names([(own.get(id_), id_) for id_ in order]) == names


def test_names_without_numbers() -> None:
    assert file_names([("a.toml", "a"), ("b.toml", "b")]) == ["a.toml", "b.toml"]
    assert file_names([("b.toml", "b"), ("a.toml", "a")]) == ["0001-b.toml", "0002-a.toml"]
    assert file_names([("10-b.toml", "b"), (None, "n"), ("9-a.toml", "a")])[1].endswith("-n.toml")


PREFIX = st.sampled_from(["", "1-", "01-", "0007-", "0009-", "12-"])


@given(st.lists(PREFIX, min_size=6, max_size=6), st.permutations("abcdefXY"), st.integers(0, 8))
def test_any_order_of_any_names_is_kept(numbers: list[str], ids: list[str], count: int) -> None:
    own = {id_: f"{n}{id_}.toml" for n, id_ in zip(numbers, "abcdef", strict=True)}
    names = file_names([(own.get(id_), id_) for id_ in ids[:count]])
    assert names == sorted(set(names), key=os.fsencode)
    assert len(names) == count
