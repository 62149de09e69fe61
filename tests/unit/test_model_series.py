"""What a recipe's message looks like, and what a digest depends on."""

from __future__ import annotations

import dataclasses

import pytest

from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.series import Payload, Recipe, Series, Where

RECIPE = Recipe(where=Where("0001-a.toml", 3), id="a", subject="foo: Do it")


@pytest.mark.parametrize(
    ("body", "trailers", "message"),
    [
        ("", (), "foo: Do it\n"),
        ("\nText.\n\nMore.\n\n", (), "foo: Do it\n\nText.\n\nMore.\n"),
        ("", ("A: b", "C: d"), "foo: Do it\n\nA: b\nC: d\n"),
        ("Text.", ("A: b",), "foo: Do it\n\nText.\n\nA: b\n"),
        ("\n\n", ("A: b",), "foo: Do it\n\nA: b\n"),
    ],
)
def test_message(body: str, trailers: tuple[str, ...], message: str) -> None:
    assert dataclasses.replace(RECIPE, body=body, trailers=trailers).message() == message


def test_digest() -> None:
    series = Series(name="x", base="v1", change_id="c", recipes=(RECIPE,))
    same = dataclasses.replace(series, name="y", base="v2", version=7)
    assert series.digest() == same.digest()
    other = dataclasses.replace(RECIPE, subject="foo: Do it not")
    assert series.digest() != dataclasses.replace(series, recipes=(other,)).digest()


def test_a_comment_in_a_recipe_is_not_another_series() -> None:
    series = Series(name="x", base="v1", change_id="c", recipes=(RECIPE,))
    shifted = dataclasses.replace(RECIPE, where=Where("0001-a.toml", 9))
    assert series.digest() == dataclasses.replace(series, recipes=(shifted,)).digest()


def test_every_byte_of_a_payload_counts() -> None:
    def digest(data: bytes) -> str:
        edit = PatchEdit(where=Where("0001-a.toml", 9), diff=Payload("a.diff", data))
        recipe = dataclasses.replace(RECIPE, edits=(edit,))
        return Series(name="x", base="", change_id="c", recipes=(recipe,)).digest()

    assert digest(b"\xff") != digest(b"\xfe")


def test_values_compare_and_show() -> None:
    assert Payload("a", b"1") != Payload("a", b"2")
    assert str(Where("0001-a.toml", 3)) == "0001-a.toml:3"
    with pytest.raises(dataclasses.FrozenInstanceError):
        RECIPE.id = "b"  # type: ignore[misc]  # the point of the test
