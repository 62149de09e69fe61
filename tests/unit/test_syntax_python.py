"""What Python statements name, and where they stand."""

from __future__ import annotations

import pytest

from kpatch_rs.syntax.python import assignment, free_names, paths


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (b"a = [*a, b]", {"a", "b"}),
        (b"for d in [b]:\n    a = [*a, d]\n", {"a", "b"}),
        (b"a += [f(d, key=e.g) for d in b]", {"a", "b", "f", "e"}),
        (b"a = map(lambda d: b / d, a)", {"a", "b", "map"}),
        (b"x = b\ny = x", {"b"}),
        (b"a = [", None),
    ],
)
def test_names_that_statements_do_not_make(code: bytes, names: set[str] | None) -> None:
    assert free_names(code) == names


def test_paths() -> None:
    code = b'a = [b / "x" / "y/z", "q", "n" / "m", f"{b}", b - "k" / "l"]'
    assert paths(code) == [b"x/y/z", b"q", b"n", b"m", b"k", b"l"]


SCRIPT = b"""import os, sys
from typing import List
def f(top: str, *more):
    a = map(top, ("x", "y"))  # folders
    if more:
        pass
    for b in a:
        pass
    g(("z",)); h = ("v",)
"""


def test_an_assignment_with_its_loop_and_names() -> None:
    found = assignment(SCRIPT, SCRIPT.index(b'("x"'))
    assert found
    assert (found.name, found.indent) == ("a", b"    ")
    assert SCRIPT[found.end :].startswith(b"    if more")
    assert found.loop == SCRIPT.index(b"    for b")
    assert {"top", "more", "os", "sys", "List", "print", "a"} <= found.names
    assert not {"b", "g"} & found.names


@pytest.mark.parametrize("string", [b'"z"', b'"v"'])
def test_no_assignment_of_its_own(string: bytes) -> None:
    """An argument; and a statement that shares its line."""
    assert assignment(SCRIPT, SCRIPT.index(string)) is None
