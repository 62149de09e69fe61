"""Lines of keys, and every way a text can fail to be a document."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.fields import SeriesInvalid

LOOK_ALIKES = '''\
id = "a"   # line 1
"sub ject" = 'x'
'quo.ted' = 1
body = """
[[edit]]
id = "not this one"
kind = 1
"""
check.arch = "x86"
check . "start" = "y"
list = [
  "a = 1",
  "[[edit]]",
]

  [[ "edit" ]]   # line 16
  kind = "kbuild"
  body = \'\'\'
[[edit]]
kind = "look-alike"\'\'\'
  when = { min = "6.1" }

[[edit]]
# kind = "commented"
kind = "patch"
[edit.when]
min = "6.1"
'''


def test_lines_of_keys() -> None:
    document = read_document("x.toml", LOOK_ALIKES.encode())
    keys = ["id", "sub ject", "quo.ted", "body", "check", "list", "edit"]
    assert list(map(document.line_of(), keys)) == [1, 2, 3, 4, 9, 11, 16]
    assert list(map(document.line_of("check"), ["", "arch", "start"])) == [9, 9, 10]
    assert list(map(document.line_of("edit", 0), ["", "kind", "body", "when"])) == [16, 17, 18, 21]
    assert list(map(document.line_of("edit", 1), ["", "kind", "when"])) == [23, 25, 26]
    assert list(map(document.line_of("edit", 1, "when"), ["", "min"])) == [26, 27]


def test_line_of_what_is_not_there_is_its_tables() -> None:
    document = read_document("x.toml", LOOK_ALIKES.encode())
    assert document.line_of()("nothing") == 1
    assert document.line_of("edit", 1)("nothing") == 23
    assert document.line_of("edit", 7)("nothing") == 16
    assert document.line_of("nothing", 0)("nothing") == 1


def test_inline_tables_have_lines_of_their_own() -> None:
    document = read_document("x.toml", b'a = 1\nedit = [\n  { kind = "x" },\n]\nlast = 2\n')
    assert document.line_of()("edit") == 2
    assert list(map(document.line_of("edit", 0), ["", "kind"])) == [3, 3]
    assert document.line_of()("last") == 5


def test_lists_of_lists_do_not_shift_lines() -> None:
    """`[1]` on a line of its own looks like a header, and is none inside a list."""
    document = read_document("x.toml", b"a = [\n[1],\n[2]\n]\n[t]\nb = 1\n")
    assert document.line_of()("a") == 1
    assert document.line_of("t")("b") == 6


KEYS = st.from_regex(r"[a-z]{1,4}", fullmatch=True)
VALUES = st.sampled_from(
    [
        '"s"',
        "1",
        '["a", "b"]',
        '[\n  "x = 1",\n]',
        '"""\nk = 1\n[t]\n"""',
        "'''\n[[a]]'''",
        "{ z = 1 }",
    ]
)


@settings(deadline=None)
@given(st.lists(st.tuples(KEYS, VALUES, st.sampled_from(["", "\n", "# c = 1\n"])), max_size=12))
def test_any_document(items: list[tuple[str, str, str]]) -> None:
    text, want = "", {}
    for key, value, before in items:
        if key not in want:
            text += before
            want[key] = text.count("\n") + 1
            text += f"{key} = {value}\n"
    document = read_document("x.toml", text.encode())
    assert {key: document.line_of()(key) for key in document.table} == want


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xef\xbb\xbfid = 1\n", "x.toml:1: it begins with a byte order mark"),
        (b'id = 1\nb = "\xff"\n', "x.toml:2: byte 0xff is not UTF-8"),
        (b"\n\n\0", "x.toml:3: a NUL byte"),
        (b"a = 1\r\n", "x.toml:1: a carriage return"),
        (b'\na = """\nx', "x.toml:3: not TOML: unterminated string"),
        (b"\nx = " + b"[" * 3000 + b"]" * 3000, "x.toml:2: nested deeper than 16 levels"),
        (b"\nx = " + b"[" * 17 + b"]" * 17, "x.toml:2: nested deeper than 16 levels"),
        (b"y = 1\n" + b".".join([b"a"] * 20) + b" = 1", "x.toml:2: nested deeper than 16 levels"),
        (b"[" + b".".join([b'"a"'] * 20) + b"]", "x.toml:1: nested deeper than 16 levels"),
        (b"a = 1\nx = [\n" + b"1" * 5000 + b"]", "x.toml:3: a number with more than 4300 digits"),
    ],
)
def test_refused(data: bytes, said: str) -> None:
    with pytest.raises(SeriesInvalid) as caught:
        read_document("x.toml", data)
    assert caught.value.message == said
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b".".join([b"a"] * 500_000) + b" = 1",
        b"x = {" + b".".join([b"a"] * 500_000) + b" = 1}",
        b"x = " + b"[" * 500_000,
        b"[" * 1_000_000,
        b'"' * 999_999,
        b"a = '''\n" + b"[[x]]\n" * 150_000 + b"'''\nb = 1",
        b"\n".join(b"k%d = 1" % n for n in range(60_000)),
        b"[[e]]\n" * 100_000,
    ],
    ids=["dotted", "inline", "nested", "open", "quotes", "look-alikes", "keys", "tables"],
)
def test_a_mebibyte_of_anything_ends_soon(data: bytes) -> None:
    began = time.process_time()
    try:
        document = read_document("x.toml", data)
        document.line_of()("b")
    except SeriesInvalid as error:
        assert error.where.line == 1
    assert time.process_time() - began < 60, "a square or worse takes hours"


@settings(deadline=None)
@given(
    st.binary(max_size=200) | st.text(alphabet="[]{}\"'=.\n ab#1-\\", max_size=60).map(str.encode)
)
def test_any_bytes_are_a_document_or_one_error(data: bytes) -> None:
    try:
        document = read_document("x.toml", data)
        for key in document.table:
            assert 1 <= document.line_of()(key) <= data.count(b"\n") + 1
    except SeriesInvalid as error:
        assert 1 <= error.where.line <= data.count(b"\n") + 1
