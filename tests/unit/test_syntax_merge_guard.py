"""Whether a merge says what both its sides say: `contradicted` for text merged word by word."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.merge_guard import contradicted

_C = "int f(void)\n{\n\tone();\n\t%s\n\ttwo();\n\treturn 0;\n}\n"
_KCONFIG = 'config X\n\tbool "x"\n\t%s\n\thelp\n\t  X.\n'
_RUST = "fn a() {}\n\n%s\nfn f() {}\n"


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/Kconfig", _KCONFIG,
         *("depends on " + s for s in ("A", "R && A", "A || C", "R && A || C"))),
        ("d/f.c", _C, *(f"if ({s}) go();" for s in ("a", "r && a", "a || c", "r && a || c"))),
        ("d/f.c", _C, "x |= A;", "x &= ~A;", "x |= A | B;", "x &= ~A | B;"),
        ("d/f.c", _C, "WARN_ON(x);", "WARN_ON(x || o);", "!WARN_ON(x);", "!WARN_ON(x || o);"),
        ("d/f.rs", _RUST,
         *(f"#[cfg({s})]" for s in ("any(a, b)", "all(a, b)", "any(a, b, c)", "all(a, b, c)"))),
        ("d/Kconfig", _KCONFIG, *("select Y if " + s for s in ("X", "!X", "X || Z", "!X || Z"))),
        ("d/Makefile", "%s\n", "CFLAGS_x.o := -a",
         "CFLAGS_REMOVE_x.o := -a", "CFLAGS_x.o := -a -b",
         "CFLAGS_REMOVE_x.o := -a -b"),
    ],
)  # fmt: skip
def test_a_word_of_one_side_on_a_mixture_of_both_is_contradicted(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert contradicted(
        RepoPath(path.encode()), *((around % s).encode() for s in (base, ours, theirs, merged))
    )


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("go(a);", "go(o, a);", "go(a, t);", "go(o, a, t);"),
        ("x = A | B;", "x = O | A | B;", "x = A | B | T;", "x = O | A | B | T;"),
        ("if (a && b) go();", "if (o && a && b) go();", "if (a && b && t) go();",
         "if (o && a && b && t) go();"),
    ],
)  # fmt: skip
def test_what_each_adds_to_a_list_stands(base: str, ours: str, theirs: str, merged: str) -> None:
    four = ((_C % s).encode() for s in (base, ours, theirs, merged))
    assert not contradicted(RepoPath(b"d/f.c"), *four)
