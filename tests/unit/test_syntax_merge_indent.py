"""Lines beside one that the other side indented anew have no place."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import repo_path
from kpatch_rs.syntax.merge import Clash, settled
from kpatch_rs.syntax.merge_indent import beside_indented

_IF = "    if x:\n        a()\n"


def _beside(base: str, ours: str, theirs: str) -> bool:
    lines = [text.encode().splitlines(keepends=True) for text in (base, ours, theirs)]
    assert beside_indented(*lines) == beside_indented(lines[0], lines[2], lines[1])
    return beside_indented(*lines)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ("    a()\n    b()\n", _IF + "    b()\n", "    a()\n    n()\n    b()\n"),
        ("    b()\n    a()\n", "    b()\n" + _IF, "    b()\n    n()\n    a()\n"),
        ("    a()\n    b()\n", _IF + "    b()\n", "    a()\n"),
        (_IF, "    a()\n", "    if x:\n        n()\n        a()\n"),
        ("  r:\n    m: 1\n", "  r:\n    of:\n      - m: 1\n", "  r:\n    m: 1\n    n: 1\n"),
        ("\ta();\n\tb();\n", "\tif (x)\n\t\ta();\n\tb();\n", "\ta();\n\tn();\n\tb();\n"),
    ],
)
def test_a_line_in_touch_with_one_indented_anew(base: str, ours: str, theirs: str) -> None:
    assert _beside(base, ours, theirs)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        ("    a()\n    b()\n", "    q()\n    a()\n    b()\n", "    a()\n    n()\n    b()\n"),
        ("    a()\n    b()\n    c()\n", _IF + "    b()\n    c()\n",
         "    a()\n    b()\n    n()\n    c()\n"),
        ("    a(x)\n", "    if q:\n        a(x)\n", "    a(x, n)\n"),
        ("\n    a()\n", "  \n    a()\n", "\n    n()\n    a()\n"),
    ],
)  # fmt: skip
def test_no_line_in_touch_with_one_indented_anew(base: str, ours: str, theirs: str) -> None:
    assert not _beside(base, ours, theirs)


@pytest.mark.parametrize("path", ["scripts/a.py", "a/b.yaml", "Documentation/a.rst", "a/b.c"])
def test_it_stays_open_in_every_language(path: str) -> None:
    clash = Clash(b"    a()\n    b()\n", b"    if x:\n        a()\n    b()\n",
                  b"    a()\n    n()\n    b()\n")  # fmt: skip
    assert settled((clash,), repo_path(path)) is None


def test_a_word_in_a_line_indented_anew_is_no_line_beside_it() -> None:
    ours, theirs = b"\tif (q)\n\t\tgo(a, b);\n", b"\tgo(a, b, n);\n"
    merged = settled((Clash(b"\tgo(a, b);\n", ours, theirs),), repo_path("a/b.c"))
    assert merged == b"\tif (q)\n\t\tgo(a, b, n);\n"
