"""A place that is found again and means something else is none: the last kernel tells."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from kpatch_rs.engine.render import render
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Recipe, Series, Variant, Where
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.model.version import Guard
from kpatch_rs.syntax.c_body import body_of
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_reach import never_reached
from kpatch_rs.syntax.c_text import c_text
from tests.trees import DictTree, NoHistory

FILE = "drivers/foo/main.c"


def function(lines: str, head: str = "int f(struct foo *foo)") -> str:
    body = "".join(f"\t{line}\n" for line in lines.split("\n"))
    return f"{head}\n{{\n{body}}}\n"


_At = Literal["before-last-return", "after-call", "before-call", "after-check"]


def planned(was: str, now: str, *, at: _At, call: str | None = None) -> Outcome:
    """A call in f(), that was `was` in the last kernel and is `now` in this one."""
    then, there = (DictTree({FILE: text.encode()}) for text in (was, now))
    edit = CCallEdit(
        where=Where("x"),
        file=RepoPath(FILE.encode()),
        function="f",
        statement="rust_f(foo);",
        at=at,
        call=call,
    )
    return C_CALL.plan(edit, Ground(TreeOverlay(there), NoHistory(), then))


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ("g();\nreturn 0;", "g(foo);\nreturn 0;", ""),
        ("g();\nreturn err;", "g();\nreturn ret;", ""),
        ("return  a+b;", "return a + b;", ""),
        ("return true;", "return false;", "'return true' in the last kernel"),
        ("return foo;", "return NULL;", "'return foo' in the last kernel"),
        ("return ret;", "return g(foo);", "'return ret' in the last kernel"),
        ("return true;", "return ret;", "'return true' in the last kernel"),
        ("return g(a);", "return h(a);", "'return g ( a )' in the last kernel"),
        ("g();\nout:\nreturn ret;", "g();\nreturn ret;", "a goto led there"),
        ("g();\nreturn 0;", "g();\nout:\nreturn 0;", "a goto leads there"),
        ("g();\nout:\nreturn ret;", "h();\nerr:\nreturn ret;", ""),
    ],
)
def test_the_last_return_is_the_same_way_out(was: str, now: str, why: str) -> None:
    outcome = planned(function(was), function(now), at="before-last-return")
    assert outcome.status is (Status.CONFLICT if why else Status.EXACT), outcome.reason
    assert why in outcome.reason
    if why:
        assert "rebase --edit" in outcome.hint
        assert not outcome.tree.changes


@pytest.mark.parametrize(
    ("now", "why"),
    [("g();\nreturn 0;", ""), ("return g();", "'return'"), ("g();\nreturn -EIO;", "'return'")],
)
def test_a_function_that_came_to_return_something(now: str, why: str) -> None:
    was = function("g();", "void f(struct foo *foo)")
    outcome = planned(was, function(now), at="before-last-return")
    assert outcome.status is (Status.CONFLICT if why else Status.EXACT), outcome.reason
    assert why in outcome.reason


CALLS = "prepare(foo);\nret = g(foo);\nfinish(foo);"


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        (CALLS, CALLS.replace("prepare", "more"), ""),
        (CALLS, "ret = g(foo);\nif (ret)\n\treturn ret;", "is tested right behind it now"),
        ("ret = g(foo);\nif (ret)\n\treturn 1;", "ret = g(foo);\nif (ret < 0)\n\treturn 2;", ""),
        (CALLS, "if (foo->on) {\n\tret = g(foo);\n}", "(no condition, now if)"),
        (CALLS, "if (foo->on)\n\tret = g(foo);\n", "(no condition, now if)"),
        ("if (a) {\n\tret = g(foo);\n}", "if (b) {\n\tret = g(foo);\n}", ""),
        ("if (a) {\n\tret = g(foo);\n}", CALLS, "(if, now no condition)"),
        (
            "if (a) {\n\tret = g(foo);\n}",
            "if (a) {\n\th();\n} else {\n\tret = g(foo);\n}",
            "(if, now else)",
        ),
        (CALLS, "list_for_each_entry(a, b, c) {\n\tret = g(foo);\n}", "(no condition, now loop)"),
        (
            "mutex_lock(&lock);\nret = g(foo);\nmutex_unlock(&lock);",
            "scoped_guard(mutex, &lock) {\n\tret = g(foo);\n}",
            "",
        ),
        (
            "switch (a) {\ncase 1:\n\tg(foo);\n\tbreak;\n}",
            "switch (a) {\ncase 1:\n\tif (b)\n\t\tg(foo);\n\tbreak;\n}",
            "(switch, now if in switch)",
        ),
    ],
)
@pytest.mark.parametrize("at", ["after-call", "before-call"])
def test_a_call_is_made_under_the_same_conditions(was: str, now: str, why: str, at: _At) -> None:
    ends = "\nreturn ret;"
    outcome = planned(function(was + ends), function(now + ends), at=at, call="g")
    if "tested" in why and at == "before-call":
        why = ""
    assert outcome.status is (Status.CONFLICT if why else Status.EXACT), outcome.reason
    assert why in outcome.reason
    file = function(now + ends).split("\n")
    for candidate in outcome.candidates:
        assert candidate.place.path == FILE.encode()
        assert "g(foo)" in file[candidate.place.line - 1]
    assert len(outcome.candidates) == bool(why)


def test_a_check_that_is_made_under_a_condition_now() -> None:
    check = "ret = g(foo);\nif (ret)\n\treturn ret;"
    inner = "if (foo->on) {\n\tret = g(foo);\n\tif (ret)\n\t\treturn ret;\n}"
    outcome = planned(
        function(check + "\nh();"), function(inner + "\nh();"), at="after-check", call="g"
    )
    assert "(no condition, now if)" in outcome.reason


@pytest.mark.parametrize("way", ["a variant", "a guarded edit", "for both"])
def test_what_was_written_for_this_kernel_is_not_asked_for_again(way: str) -> None:
    was, now = function(CALLS), function("if (foo->on) {\n\tret = g(foo);\n}\nreturn ret;")
    then, there = (
        DictTree(
            {
                FILE: code.encode(),
                "Makefile": f"VERSION = {v}\nPATCHLEVEL = 2\nSUBLEVEL = 0\n".encode(),
            }
        )
        for code, v in ((was, 6), (now, 7))
    )
    here = Guard(min="7.2")
    edit = CCallEdit(
        where=Where("x"), file=RepoPath(FILE.encode()), function="f", statement="rust_f(foo);",
        at="after-call", call="g",
    )  # fmt: skip
    own, variants = {
        "a variant": ((edit,), (Variant(where=Where("x"), when=here, edits=(edit,)),)),
        "a guarded edit": ((replace(edit, when=here),), ()),
        "for both": ((edit,), ()),
    }[way]
    recipe = Recipe(where=Where("x"), id="it", subject="a: b", edits=own, variants=variants)
    series = Series(name="s", base="", change_id="", recipes=(recipe,))
    (step,) = render(series, there, NoHistory(), was=then)
    assert step.status is (Status.CONFLICT if way == "for both" else Status.EXACT), step.reason


def test_what_is_there_already_is_left_alone() -> None:
    was, now = function(CALLS), function("if (foo->on) {\n\tret = g(foo);\n\trust_f(foo);\n}")
    assert planned(was, now, at="after-call", call="g").status is Status.PRESENT


def test_the_arguments_of_a_macro_are_no_place() -> None:
    """As in kcov_put() of 7.2."""
    now = function("if (put(foo)) {\n\tunsafe(\n\t\tg(foo);\n\t\th(foo);\n\t);\n\tfree(foo);\n}")
    outcome = planned(now, now, at="after-call", call="g")
    assert outcome.status is Status.CONFLICT
    assert "in the arguments of a macro" in outcome.reason


def test_where_the_last_kernel_tells_nothing_the_place_is_taken() -> None:
    one = function("g(foo);\ng(foo);\nreturn true;")
    assert planned(one, function("g(foo);\nreturn 0;"), at="after-call", call="g").status is (
        Status.EXACT
    )


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("return 0;", 0),
        ("return 0;\ng();", 1),
        ("if (a) {\n\tgoto out;\n\tg();\n}\nout:\nreturn 0;", 1),
        ("goto out;\nout:\nreturn 0;", 0),
        ("switch (a) {\ncase 1:\n\tbreak;\ncase 2:\n\tg();\n\tbreak;\n\th();\n}", 1),
        ("#ifdef X\nreturn 1;\n#else\nreturn 0;\n#endif", 0),
        ("return 0; /* done */", 0),
    ],
)
def test_what_is_never_reached(lines: str, count: int) -> None:
    text = c_text(function(lines).encode())
    assert never_reached(body_of(text, functions(text)[0])) == count
