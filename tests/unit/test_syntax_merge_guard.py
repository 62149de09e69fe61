"""Whether a merge says what both its sides say: `contradicted` for text merged word by word."""

from __future__ import annotations

import pytest

from kpatch_rs.model.path import RepoPath
from kpatch_rs.syntax.merge_guard import contradicted, displaced

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


def _four(path: str, around: str, *texts: str) -> bool:
    return contradicted(
        RepoPath(path.encode()), *(around.replace("%s", text).encode() for text in texts)
    )


_MAKE = "obj-y += a.o\n%s\nobj-y += z.o\n"
_SHELL = "#!/bin/sh\none\n%s\ntwo\n"
_PYTHON = "def f(x):\n    one()\n%s\n    return x\n"
_YAML = "properties:\n%s\n\nrequired:\n  - a\n"


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/f.h", "%s\nint b;\n#endif\n",
         *("#if " + s for s in ("A", "R && A", "A || C", "R && A || C"))),
        ("d/f.h", "%s\nint b;\n#endif\n",
         *("#if " + s for s in ("defined(A)", "!defined(A)", "defined(A) || C",
                                "!defined(A) || C"))),
        ("d/f.rs", "fn f() {\n    %s {\n        go();\n    }\n}\n",
         *("if " + s for s in ("a", "r && a", "a || c", "r && a || c"))),
        ("d/f.rs", "fn f() {\n    %s {\n        go();\n    }\n}\n",
         *("if " + s for s in ("a == b", "a != b", "a == b | c", "a != b | c"))),
        ("d/f.c", _C, *(s + ";" for s in ("x = a ? b : c", "x = q ? b : c", "x = a ? b : n",
                                          "x = q ? b : n"))),
        ("d/f.c", _C, *(s + ";" for s in ("go(a, b)", "return go(a, b)", "go(a, b, n)",
                                          "return go(a, b, n)"))),
    ],
)  # fmt: skip
def test_what_binds_the_operands_is_one_side_s(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/f.c", _C, "go(a);", "/* go(a); */", "go(a, n);", "/* go(a, n); */"),
        ("d/f.c", _C, "go(a);", "// go(a);", "go(a, n);", "// go(a, n);"),
        ("d/f.py", _PYTHON, "    go(a)", "    # go(a)", "    go(a, n)", "    # go(a, n)"),
        ("d/f.c", _C, "a();\n\tb();", "\n#if 0\n\ta();\n\tb();\n#endif", "a();\n\tn();\n\tb();",
         "\n#if 0\n\ta();\n\tn();\n\tb();\n#endif"),
        ("d/f.c", _C, "if (a)\n\t\tb();", "if (!a)\n\t\tb();", "if (a)\n\t\tb(n);",
         "if (!a)\n\t\tb(n);"),
        ("d/f.c", _C, "if (a == b)\n\t\tb();", "if (a != b)\n\t\tb();", "if (a == b)\n\t\tb(n);",
         "if (a != b)\n\t\tb(n);"),
        ("d/f.py", _PYTHON, "    if a in b:\n        b()", "    if a not in b:\n        b()",
         "    if a in b:\n        b(n)", "    if a not in b:\n        b(n)"),
        ("d/f.rs", "fn f() {\n%s\n}\n", "if a < b {\n\t\tb();\n\t}", "if a >= b {\n\t\tb();\n\t}",
         "if a < b {\n\t\tb(n);\n\t}", "if a >= b {\n\t\tb(n);\n\t}"),
        ("d/f.h", "int a;\n%s\n#endif\n", "#ifdef A\nint b;", "#ifndef A\nint b;",
         "#ifdef A\nint b;\nint n;", "#ifndef A\nint b;\nint n;"),
        ("d/f.py", _PYTHON, "    x = 'a b c'", "    x = r'a b c'", "    x = 'a b n c'",
         "    x = r'a b n c'"),
    ],
)  # fmt: skip
def test_what_one_side_says_still_runs_as_it_was_meant_to(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


_IFS = {
    "d/f.c": (_C, "if (%s)\n\t\tgo(%s);"),
    "d/f.py": (_PYTHON, "    if %s:\n        go(%s)"),
    "d/f.rs": ("fn f() {\n%s\n}\n", "    if %s {\n        go(%s);\n    }"),
    "d/go.sh": (_SHELL, "if %s; then\n\tgo %s\nfi"),
}


def _condition(path: str, was: str, now: str) -> bool:
    """Whether a merge is refused where one side asks `now` for `was`, and one edits what runs."""
    around, form = _IFS[path]
    sides = ((was, "a"), (now, "a"), (was, "b"), (now, "b"))
    return _four(path, around, *(form % side for side in sides))


@pytest.mark.parametrize(
    ("path", "was", "now"),
    [
        ("d/f.c", "p", "p == NULL"),
        ("d/f.c", "ret", "ret == 0"),
        ("d/f.c", "ret < 0", "ret >= 0"),
        ("d/f.c", "likely(p)", "likely(!p)"),
        ("d/f.c", "p", "!(p != NULL && q)"),
        ("d/f.py", "x", "x is None"),
        ("d/f.py", "x is not None", "x is None"),
        ("d/f.rs", "x > 3", "!(x > 3)"),
        ("d/f.rs", "x.is_some()", "x.is_none()"),
        ("d/f.rs", "let Some(y) = x", "let None = x"),
        ("d/go.sh", "a", "! a"),
        ("d/go.sh", "[ -n $a ]", "[ -z $a ]"),
        ("d/go.sh", "[ $a = b ]", "[ $a != b ]"),
        ("d/go.sh", "[[ $a == b ]]", "[[ $a != b ]]"),
        ("d/go.sh", "[ $a -eq 3 ]", "[ $a -ne 3 ]"),
        ("d/go.sh", "[ $a -eq 0 ]", "[ $a -gt 0 ]"),
        ("d/go.sh", "test", "! { test; }"),
    ],
)
def test_what_is_the_contrary_is_known_by_what_it_asks(path: str, was: str, now: str) -> None:
    assert _condition(path, was, now)
    assert _condition(path, now, was)


@pytest.mark.parametrize(
    ("path", "was", "now"),
    [
        ("d/f.c", "p", "p != NULL"),
        ("d/f.c", "!p", "p == NULL"),
        ("d/f.c", "ret", "ret < 0"),
        ("d/f.c", "!p", "unlikely(!p)"),
        ("d/f.c", "p", "!!p"),
        ("d/f.py", "not x", "x is None"),
        ("d/f.rs", "x > 3", "!(x <= 3)"),
        ("d/f.rs", "x.is_some()", "let Some(y) = x"),
        ("d/go.sh", "[ -n $a ]", "[ -n $b ]"),
        ("d/go.sh", "[ $a -ne 0 ]", "[ $a -gt 0 ]"),
    ],
)
def test_what_asks_the_same_in_other_words_is_no_contrary(path: str, was: str, now: str) -> None:
    assert not _condition(path, was, now)
    assert not _condition(path, now, was)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("while a; do\n\tb\ndone", "until a; do\n\tb\ndone", "while a; do\n\tb 1\ndone",
         "until a; do\n\tb 1\ndone"),
        ("if a; then\n\tb\nelse\n\tc\nfi", "if a; then\n\tb\nelif d; then\n\tc\nfi",
         "if a; then\n\tb\nelse\n\tc 1\nfi", "if a; then\n\tb\nelif d; then\n\tc 1\nfi"),
        ("case x in\na)\n\tb\n\t;;\nesac", "case x in\nz)\n\tb\n\t;;\nesac",
         "case x in\na)\n\tb 1\n\t;;\nesac", "case x in\nz)\n\tb 1\n\t;;\nesac"),
        ("a\nb", "if z; then\na\nb\nfi", "a\nn\nb", "if z; then\na\nn\nb\nfi"),
        ("a\nb", "a |\nb", "a\nb 1", "a |\nb 1"),
        ("a\nb", "a &&\nb", "a\nb 1", "a &&\nb 1"),
        ("cat <<E\na\nE", "cat <<'E'\na\nE", "cat <<E\na $b\nE", "cat <<'E'\na $b\nE"),
        ("cat <<E\na\nE\nb", "cat <<E\na\nb", "cat <<E\na\nE\nb 1", "cat <<E\na\nb 1"),
        ("(\n\ta\n)", "{\n\ta\n}", "(\n\ta 1\n)", "{\n\ta 1\n}"),
        ("for x in 1; do\n\tgo\ndone", "#for x in 1; do\n\tgo\n#done",
         "for x in 1; do\n\tgo 2\ndone", "#for x in 1; do\n\tgo 2\n#done"),
    ],
)  # fmt: skip
def test_a_command_of_a_shell_script_runs_as_its_side_has_it(
    base: str, ours: str, theirs: str, merged: str
) -> None:
    for path, first in (
        ("d/go.sh", ""),
        ("d/go", "#!/bin/sh\n"),
        ("d/go", "#!/usr/bin/env bash\n"),
    ):
        assert _four(path, first + "one\n%s\ntwo\n", base, ours, theirs, merged)


def test_two_commands_of_a_shell_script_are_each_for_itself() -> None:
    texts = ("if a; then\n\tb\n\tc\nfi", "if a; then\n\tb 1\n\tc\nfi")
    more = ("if a; then\n\tb\n\tc 2\nfi", "if a; then\n\tb 1\n\tc 2\nfi")
    assert not _four("d/go.sh", _SHELL, *texts, *more)


def test_a_condition_that_is_extended_is_not_turned_round() -> None:
    texts = ("if (a == b)\n\t\tgo();", "if (a == b && q)\n\t\tgo();", "if (a == b)\n\t\tgo(n);")
    assert not _four("d/f.c", _C, *texts, "if (a == b && q)\n\t\tgo(n);")


def test_what_one_side_puts_around_may_begin_far_away() -> None:
    far = "\n".join(f"\tcall_{n}();" for n in range(60))
    new = far.replace("\tcall_30();\n", "\tcall_30();\n\tmine();\n")
    dead = "\n#if 0\n%s\n#endif\n"
    assert _four("d/f.c", _C, far, dead.replace("%s", far), new, dead.replace("%s", new))


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/Makefile", _MAKE, "x := a \\\n\tb", "x := a\n\tb", "x := a \\\n\tn \\\n\tb",
         "x := a\n\tn \\\n\tb"),
        ("d/Makefile", _MAKE, "x := a\ny := b", "x := a \\\n\tc\ny := b", "x := a\nn := n\ny := b",
         "x := a \\\nn := n\n\tc\ny := b"),
        ("d/go.sh", _SHELL, "a \\\n  b", "a\n  b", "a \\\n  b -n", "a\n  b -n"),
        ("d/go.sh", _SHELL, "a\nb", "a && \\\nb", "a\nn\nb", "a && \\\nn\nb"),
    ],
)  # fmt: skip
def test_a_backslash_joins_what_it_joined(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


@pytest.mark.parametrize(("path", "around"), [("d/Makefile", _MAKE), ("d/go.sh", _SHELL)])
def test_a_line_behind_a_longer_one_is_a_line_still(path: str, around: str) -> None:
    base, more, mine = "x \\\n\ta", "x \\\n\ta \\\n\tb", "x \\\n\ta\nn"
    assert not _four(path, around, base, more, mine, more + "\nn")


@pytest.mark.parametrize(
    ("path", "first", "python"),
    [
        ("d/f.py", "", True),
        ("d/f", "#!/usr/bin/env python3\n", True),
        ("d/f", "#!/bin/sh\n", False),
    ],
)
def test_the_language_is_told_by_name_and_first_line(path: str, first: str, python: bool) -> None:
    texts = (f"go({args})" for args in ("a", "o, a", "a, t", "o, a, t"))
    assert _four(path, first + "%s\n", *texts) != python


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/f.py", _PYTHON, "    a()\n    b()", "    if x:\n        a()\n        b()",
         "    a()\n    n()\n    b()", "    if x:\n        a()\n    n()\n        b()"),
        ("d/f.yaml", _YAML, "  a: 1\n  b: 1", "  z:\n    a: 1\n    b: 1", "  a: 1\n  n: 1\n  b: 1",
         "  z:\n    a: 1\n  n: 1\n    b: 1"),
        ("d/f.c", _C, "if (a)\n\t\tb();", "if (a) {\n\t\tb();\n\t}", "if (a)\n\t\tb(n);",
         "if (a) {\n\t\tb(n);"),
        ("d/f.rs", "fn f() {\n%s\n}\n", "a(b);", "a(b)?;", "a(b, n);", "a(b, n)?"),
        ("d/f.dts", "/ {\n%s\n};\n", "\ta = <1>;", "\ta = <2>;", "\ta = <1>;\n\tb;",
         "\ta = <2>\n\tb;"),
    ],
)  # fmt: skip
def test_the_result_parses_no_worse(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/f.yaml", _YAML, "  a: 1\n\n\n  b: 1", "  z:\n    a: 1\n\n\n    b: 1",
         "  a: 1\n\n  n: 1\n\n  b: 1", "  z:\n    a: 1\n\n  n: 1\n\n    b: 1"),
        ("d/f.yaml", _YAML, "  a:\n    b: 1\n  c:\n    d: 1", "  a:\n    b: 1\n    c:\n      d: 1",
         "  a:\n    b: 1\n    n: 1\n  c:\n    d: 1",
         "  a:\n    b: 1\n    c:\n    n: 1\n      d: 1"),
        ("d/f.dts", "/ {\n%s\n};\n", "\tx;\n\ty;", "\tx;\n\ts {\n\t\ty;\n\t};", "\tx;\n\tn;\n\ty;",
         "\tx;\n\ts {\n\tn;\n\t\ty;\n\t};"),
        ("d/f.dts", "/ {\n%s\n};\n", "\ta = <&x 1>;", "\ta = <&y 1>;", "\ta = <&x 1 2>;",
         "\tb = <&y 1 2>;"),
    ],
)  # fmt: skip
def test_what_a_side_put_in_stays_under_its_parent(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


@pytest.mark.parametrize(
    ("path", "around", "base", "ours", "theirs", "merged"),
    [
        ("d/f.c", _C, *(f"x = {s};" for s in ("g(a, b)", "!g(a, b)", "g(a)", "!g(a)"))),
        ("d/f.c", _C, *(f"x = {s};" for s in ("a && b && c", "!(a && b && c)", "a && c",
                                              "!(a && c)"))),
        ("d/f.rs", "fn f() {\n    %s\n}\n", "#[cfg(A)]\n    let x = a;",
         "#[cfg(not(A))]\n    let x = a;", "#[cfg(A)]\n    let x = a + n;",
         "#[cfg(not(A))]\n    let x = a + n;"),
    ],
)  # fmt: skip
def test_what_one_side_takes_from_may_not_mean_another_thing(
    path: str, around: str, base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four(path, around, base, ours, theirs, merged)


def test_what_a_side_brought_in_is_lost_only_with_all_around_it() -> None:
    texts = ("a();\n\tb();", "a(o);\n\tb();", "a();\n\tb(n);\n\tc();")
    assert not _four("d/f.c", _C, *texts, "a(o);\n\tb(n);\n\tc();")
    assert _four("d/f.c", _C, *texts, "a(o);\n\tb();\n\tc();")
    old, rest = "config A\n\tbool\n", "config B\n\tbool\n"
    entries = (old + rest, old + "\tselect M\n" + rest + "\tselect X\n", "\n" + rest)
    assert not _four("d/Kconfig", "%s", *entries, "\n" + rest + "\tselect X\n")


def test_what_words_do_not_show_the_parser_sees() -> None:
    function = "int f(void)\n{\n\t%s\n}\n"
    three = [function.replace("%s", s) for s in ("a();", "a(o);", "a();\n\tb(n);")]
    assert not _four("d/f.c", "%s", *three, function.replace("%s", "a(o);\n\tb(n);"))
    assert _four("d/f.c", "%s", *three, "int f(void)\n{\n\ta(o);\n\tb(n);\n")
    calls = ("    g(a=1)", "    g(n=1, a=1)", "    g(a=1, n=2)", "    g(n=1, a=1, n=2)")
    assert _four("d/f.py", _PYTHON, *calls), "twice the same argument"


def test_a_file_that_parses_badly_may_stay_as_bad() -> None:
    macro = "DEFINE_X(a) {\n\tif\n};\n%s\n"
    assert not _four("d/f.c", macro, "int a;", "int a;\nint b;", "int c;\nint a;",
                     "int c;\nint a;\nint b;")  # fmt: skip


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("CFLAGS_x.o := a b", "CFLAGS_REMOVE_x.o := a b", "CFLAGS_x.o := a",
         "CFLAGS_REMOVE_x.o := a"),
        ("a: b c", "d: b c", "a: b", "d: b"),
    ],
)  # fmt: skip
def test_a_word_taken_out_of_a_list_that_is_another_now(
    base: str, ours: str, theirs: str, merged: str
) -> None:
    assert _four("d/Makefile", _MAKE, base, ours, theirs, merged)


def test_a_node_is_known_by_its_label() -> None:
    """Upstream renames nodes by the dozen (usb-5v-regulator to regulator-usb-5v); labels stay."""
    base = b"/ {\n\tusb: usb-reg {\n\t\tgpio = <1>;\n\t\tmax = <5>;\n\t};\n};\n"
    ours, theirs = base.replace(b"usb-reg", b"reg-usb"), base.replace(b"<5>", b"<6>")
    done = ours.replace(b"<5>", b"<6>")
    assert not displaced(RepoPath(b"a.dts"), base, ours, theirs, done)
    other = (side.replace(b"usb:", b"phy:") for side in (ours, done))
    assert displaced(RepoPath(b"a.dts"), base, next(other), theirs, next(other))


def test_what_no_parser_reads_is_no_judge_of_a_place() -> None:
    base = b"top\none\ntwo\nthree\nfour\n"
    theirs = base.replace(b"three\n", b"three\nours\n")
    assert not displaced(RepoPath(b"a.c"), base, b"new\n" + base, theirs, b"new\n" + theirs)


def test_the_outermost_conditions_of_a_makefile_are_often_said_otherwise() -> None:
    base = b"ifeq ($(sub),)\nifeq ($(A),i)\nS := x\nendif\nT := y\nendif\n"
    ours = base.replace(b"ifeq ($(sub),)", b"ifdef sub\nelse")
    theirs, done = (side.replace(b":= x", b":= x w") for side in (base, ours))
    assert not displaced(RepoPath(b"Makefile"), base, ours, theirs, done)
    inner = ours.replace(b"$(A),i", b"$(B),i")
    other = inner.replace(b":= x", b":= x w")
    assert displaced(RepoPath(b"Makefile"), base, inner, theirs, other)
