"""The examples of docs/merging.md: each merges, or is a conflict, as its row says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpatch_rs.kinds.patch_merge import merged
from kpatch_rs.model.path import repo_path
from tests.unit.test_kind_patch import GitMerge

_DOCS = Path(__file__, "../../../docs/merging.md").resolve().read_text()
_C = "int f(void)\n{\n\tone();\n\t%s\n\ttwo();\n\treturn 0;\n}\n"
_RUST = "fn a() {\n    one();\n    %s\n    two();\n}\n"
_KCONFIG = 'config X\n\tbool "x"\n\t%s\n\thelp\n\t  X.\n'
_PYTHON = "def f(x):\n    one()\n    %s\n    return x\n"
_MAKE = "obj-y += a.o\n%s\nobj-y += z.o\n"


@pytest.mark.parametrize(
    ("row", "path", "around", "base", "kernel", "patch", "result"),
    [
        ("`go(o, a, t)`", "d/f.c", _C, "go(a);", "go(a, t);", "go(o, a);", "go(o, a, t);"),
        ("`O \\| A \\| B \\| T`", "d/f.c", _C, "x = A | B;", "x = A | B | T;", "x = O | A | B;",
         "x = O | A | B | T;"),
        ("`o && a && b && t`", "d/f.c", _C, "x = a && b;", "x = a && b && t;", "x = o && a && b;",
         "x = o && a && b && t;"),
        ("`x-y := n.o a.o o.o`", "d/Makefile", _MAKE, "x-y := a.o", "x-y := a.o o.o",
         "x-y := n.o a.o", "x-y := n.o a.o o.o"),
        ("a new `n();` above", "d/f.c", _C, "f(abc);", "f(abd);", "n();\n\tf(abc);",
         "n();\n\tf(abd);"),
        ("`R && A` and", "d/Kconfig", _KCONFIG, "depends on A", "depends on A || C",
         "depends on R && A", None),
        ("`x &= ~A;` and", "d/f.c", _C, "x |= A;", "x &= ~A;", "x |= A | B;", None),
        ("`!WARN_ON(x)` and", "d/f.c", _C, "WARN_ON(x);", "!WARN_ON(x);", "WARN_ON(x || o);",
         None),
        ("`q ? b : c` and", "d/f.c", _C, "x = a ? b : c;", "x = q ? b : c;", "x = a ? b : n;",
         None),
        ("`any(a, b, c)`", "d/f.rs", "fn a() {}\n\n%s\nfn f() {}\n", "#[cfg(any(a, b))]",
         "#[cfg(all(a, b))]", "#[cfg(any(a, b, c))]", None),
        ("`#[cfg(A)] let x = a;`", "d/f.rs", _RUST, "#[cfg(A)]\n    let x = a;",
         "#[cfg(not(A))]\n    let x = a;", "#[cfg(A)]\n    let x = a + n;", None),
        ("`if (!a)` and `b(n);`", "d/f.c", _C, "if (a)\n\t\tb();", "if (!a)\n\t\tb();",
         "if (a)\n\t\tb(n);", None),
        ("`CFLAGS_REMOVE_x.o := -a`", "d/Makefile", _MAKE, "CFLAGS_x.o := -a",
         "CFLAGS_REMOVE_x.o := -a", "CFLAGS_x.o := -a -n", None),
        ("`/* go(a); */`", "d/f.c", _C, "go(a);", "/* go(a); */", "go(a, n);", None),
        ("`if x:` around `a()`", "d/f.py", _PYTHON, "a()\n    b()",
         "if x:\n        a()\n    b()", "a()\n    n()\n    b()", None),
        ("`a \\` `b`", "d/Makefile", _MAKE, "x := a \\\n\tb", "x := a\n\tb",
         "x := a \\\n\tn \\\n\tb", None),
        ("`r'a b'`", "d/f.py", _PYTHON, "x = 'a b'", "x = r'a b'", "x = 'a b n'", None),
        ("`two` and `three`", "d/f.c", _C, "a = one;", "a = two;", "a = three;", None),
        ("`b();` and `c();`", "d/f.c", _C, "a();", "a();\n\tb();", "a();\n\tc();", None),
        ("`g(n=1, a=1)`", "d/f.py", _PYTHON, "g(a=1)", "g(n=1, a=1)", "g(a=1, n=2)", None),
    ],
)  # fmt: skip
def test_it_is_as_the_row_says(
    row: str, path: str, around: str, base: str, kernel: str, patch: str, result: str | None
) -> None:
    assert row in _DOCS
    old, ours, theirs = (around.replace("%s", t).encode() for t in (base, kernel, patch))
    data = merged(GitMerge(old), repo_path(path), old, ours, theirs)
    assert data == (None if result is None else around.replace("%s", result).encode())
