"""What the oldest Python that is promised gets wrong is not used: Debian 12's is 3.11.2."""

from __future__ import annotations

import importlib
import re
import re._parser  # type: ignore[import-not-found]  # private; the only way to see into a pattern
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(TOP).with_suffix("").parts)
    for path in (TOP / "kpatch_rs").rglob("*.py")
    if path.name != "__main__.py"
)
WRONG = {"POSSESSIVE_REPEAT", "ATOMIC_GROUP"}
"""Before 3.11.5 a possessive group may match where it does not (python/cpython#106052)."""


def operations(parsed: Any) -> Iterator[str]:
    """The names of all that a parsed pattern does."""
    if isinstance(parsed, re._parser.SubPattern | tuple | list):
        for inner in parsed:
            yield from operations(inner)
    elif hasattr(parsed, "name"):
        yield parsed.name


def wrong(pattern: re.Pattern[Any]) -> set[str]:
    return WRONG & {*operations(re._parser.parse(pattern.pattern, pattern.flags & ~re.LOCALE))}


@pytest.mark.parametrize("name", MODULES)
def test_no_possessive_patterns(name: str) -> None:
    found = vars(importlib.import_module(name)).values()
    assert not [one.pattern for one in found if isinstance(one, re.Pattern) and wrong(one)]


@pytest.mark.parametrize("text", [r"(?:a|b)*+c", r"x(?>a|ab)", r"(?:(?:a+)++b)?"])
def test_one_is_seen(text: str) -> None:
    assert wrong(re.compile(text))


def test_a_plain_one_is_none() -> None:
    assert not wrong(re.compile(r"(?m)^(?:a+|b*?)(c)\1{2,3}[+*]+$"))
