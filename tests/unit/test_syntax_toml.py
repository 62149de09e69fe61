"""Lines of TOML: against what tomllib reads from documents whose numbers are their own lines."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.toml import Spot, comment_lines, headers, parse, spots, too_deep

NAMES = st.sampled_from(["a", "b", "edit", "variant", "9", "1979-05-27", "true", "-", "x_y"])
QUOTED = st.sampled_from(
    ['"a"', "'b'", '"q.r"', "'[x]'", '"= 1"', '"#"', r'"\"\\"', '"ä"', r'"\u00e4\t"', "''", '"{,"']
)
KEY = NAMES | QUOTED
DOTS = st.sampled_from([".", " . ", ".\t", "."])
NUMBER = "@"
"""In a text to be: the number of its line."""

STRINGS = st.sampled_from(
    [
        '"[a] = # {"',
        r'"\"# \\"',
        "'[[a]]'",
        "'\\'",
        '"""\n[edit]\nk = 1\n# no\n"""',
        '"""\\\n  x = 1 \\\n  """',
        '"""a""\\""" # no\n"""""',
        "'''\n[[edit]]\n# no'''''",
        "'''a = \"\"\"'''",
        '"""\n\t\\"""\n[x]\n"""',
    ]
)
SCALARS = STRINGS | st.sampled_from(
    ["true", "-0.1e+3", "inf", "0xDEAD_beef", "1979-05-27T07:32:00.5Z", "1979-05-27 07:32:00"]
)


def lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    between = st.sampled_from([",", ", ", ",\n", ", # ], [\n", "\n,\n# {\n"])
    ends = st.sampled_from([("[", "]"), ("[\n", "\n]"), ("[ # ]\n", ", ]"), ("[\n# =\n", ",\n\n]")])
    joined = st.tuples(st.lists(inner, min_size=1, max_size=3), between)
    return st.tuples(joined, ends).map(lambda t: t[1][0] + t[0][1].join(t[0][0]) + t[1][1])


def dotted() -> st.SearchStrategy[str]:
    return st.tuples(st.lists(KEY, min_size=1, max_size=3), DOTS).map(lambda t: t[1].join(t[0]))


def tables(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(dotted(), inner), max_size=3)
    return pairs.map(lambda t: "{ " + ", ".join(f"{k} = {v}" for k, v in t) + " }")


VALUES = st.recursive(
    st.just(NUMBER) | SCALARS | st.sampled_from(["[]", "{}", "[ ]"]),
    lambda inner: lists(inner) | tables(inner),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    st.tuples(dotted(), st.sampled_from(["=", " = ", "\t= "]), VALUES).map("".join),
    dotted().map(lambda name: f"[{name}]"),
    dotted().map(lambda name: f"[[ {name} ]]"),
    st.sampled_from(["", "# [edit]", "\t# a = 1", '# """', " "]),
)
ENDS = st.sampled_from(["", "", " # [a] = 1", "\t", "#"])


def numbered(text: str) -> str:
    return "\n".join(line.replace(NUMBER, str(n)) for n, line in enumerate(text.split("\n"), 1))


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A document of statements that may stand together."""
    text = ""
    for statement in draw(st.lists(STATEMENTS, max_size=10)):
        more = text + draw(st.sampled_from(["", "  "])) + statement + draw(ENDS) + "\n"
        try:
            tomllib.loads(numbered(more))
        except tomllib.TOMLDecodeError:  # a name that is taken
            continue
        text = more
    return numbered(text.removesuffix("\n") if draw(st.booleans()) else text)


def numbers(spot: Spot, value: Any) -> Iterator[tuple[int, int]]:
    """Each number of a document: itself, and the line where it is said to be."""
    if type(value) is int and value != 0xDEAD_BEEF:
        yield value, spot.line
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(spot.keys[key], inner)
    elif isinstance(value, list):
        for at, inner in zip(spot.items, value, strict=True):
            yield from numbers(at, inner)


@given(documents())
def test_every_number_stands_on_its_line(text: str) -> None:
    tree, table = parse(text.encode()), tomllib.loads(text)
    assert not tree.has_error
    top = spots(tree)
    assert top.holds(table)
    assert all(number == line for number, line in numbers(top, table))


@given(documents())
def test_every_header_is_found_where_it_is(text: str) -> None:
    """A name put in front of all headers stands in front of all that they hold."""
    data, tables = text.encode(), [*headers(parse(text.encode()))]
    for header in reversed(tables):
        data = data[: header.starts[0]] + b"above." + data[header.starts[0] :]
    under = tomllib.loads(data.decode()).get("above", {})
    assert {header.names[0] for header in tables} == under.keys()


@given(documents())
def test_comments_are_what_may_be_left_out(text: str) -> None:
    """A line that is said to be a comment changes nothing, and no other one begins with '#'."""
    lines, found = text.split("\n"), comment_lines(parse(text.encode()))
    assert all(lines[line - 1].lstrip().startswith("#") for line in found)
    kept = [line for n, line in enumerate(lines, 1) if n not in found]
    assert tomllib.loads("\n".join(kept)) == tomllib.loads(text)


HEADED = """\
# of the top
id = "a" # not alone
body = '''
# text'''
[edit]  # not alone
# of the edit
list = [
# in the list
]
  # above
[[ variant . "edit" ]]
# last
"""


def test_comments_alone_on_a_line_between_statements() -> None:
    assert comment_lines(parse(HEADED.encode())) == {1, 6, 10, 12}


def test_headers() -> None:
    one, two = headers(parse(HEADED.encode()))
    assert (one.names, two.names) == (("edit",), ("variant", "edit"))
    assert [HEADED[at:].split(maxsplit=1)[0] for at in (*one.starts, *two.starts)] == [
        "edit]",
        "variant",
        '"edit"',
    ]


def test_a_tables_own_header_is_its_line() -> None:
    top = spots(parse(b"[a.b]\nx = 1\n[a]\ny = 1\n[[c]]\n[[c]]\n[c.d]\n"))
    assert (top.keys["a"].line, top.keys["a"].keys["b"].line) == (3, 1)
    assert [item.line for item in top.keys["c"].items] == [5, 6]
    assert top.keys["c"].items[1].keys["d"].line == 7


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = [[1]]", None),
        ("x = [[\n[1]]]", 2),
        ("x = {a = {b = 1}}", None),
        ("x = [1,\n{a = {b = [1]}}]", 2),
        ("\na.b = 1", None),
        ("\na.b.c = 1", 2),
        ("\n[a.b.c]", 2),
        ("a.b.c", 1),
        ("[ = 1\na.b.'c'.d", 2),
    ],
)
def test_what_is_nested_too_deep(text: str, line: int | None) -> None:
    assert too_deep(parse(text.encode()), 2) == line


def test_what_does_not_hold_the_values_is_seen() -> None:
    top = spots(parse(b"a = [{ b = 1 }]\n"))
    assert top.holds({"a": [{"b": 2}]})
    others: list[Any] = [
        {},
        {"a": 1},
        {"a": []},
        {"a": [{}]},
        {"a": [{"b": 1}], "c": 1},
        {"a": [[1]]},
    ]
    assert not any(map(top.holds, others))
