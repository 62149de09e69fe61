r"""Two sides edit logical lines that go on behind a `\`: each word stays in the line it is in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import example, given, note
from hypothesis import strategies as st

from tests.properties.held import examples
from tests.properties.test_merges import made

Line = tuple[tuple[str, ...], ...]
"""A logical line: the words of each of its physical lines."""
File = tuple[Line, ...]
Edit = Callable[[File], File]


@dataclass(frozen=True, slots=True)
class Form:
    """How one language writes it."""

    path: str
    begins: str
    """What stands behind the first word of a logical line."""
    ends: str
    order: bool
    """Whether it means something within a line."""

    def write(self, file: File) -> bytes:
        lines = (" \\\n\t".join(map(" ".join, line)) for line in file)
        text = "".join(re.sub(r"^\w+", rf"\g<0>{self.begins}", line) + self.ends for line in lines)
        return f"first{self.begins} 1{self.ends}{text}last{self.begins} 1{self.ends}".encode()

    def meaning(self, data: bytes) -> tuple[tuple[str, ...], ...]:
        """The words of each logical line."""
        lines = data.decode().replace("\\\n", " ").splitlines()
        words = (re.findall(r"\w+", line) for line in lines if line.strip())
        return tuple((w[0], *(w[1:] if self.order else sorted(w[1:]))) for w in words)


_FORMS = (
    Form("d/Makefile", " :=", "\n", False),
    Form("d/go.sh", "", "\n", True),
    Form("d/go.txt", "", "\n", True),
)


def _at(file: File, word: str) -> tuple[int, int] | None:
    """Which logical line has `word`, and in which of its physical lines."""
    places = ((n, m) for n, line in enumerate(file) for m, part in enumerate(line) if word in part)
    return next(places, None)


def _edit(what: str, word: str, new: str) -> Edit:
    """An edit at `word`; it is to mean the same whatever was done before."""

    def edit(file: File) -> File:
        if (found := _at(file, word)) is None:
            return file
        (n, m), line = found, file[found[0]]
        part, head = line[m], line[0][0] == word
        lines = {
            "put": [(*line[:m], (*part, new), *line[m + 1 :])],
            "go on": [(*line[: m + 1], (new,), *line[m + 1 :])],
            "take": [(*line[:m], tuple(w for w in part if head or w != word), *line[m + 1 :])],
            "begin": [((new, "0"),), line] if head else [line],
            "cut": [line[: m + 1], line[m + 1 :]],
            "join": [line + (file[n + 1] if n + 1 < len(file) else ())],
        }[what]
        past = n + 1 + (what == "join")
        kept = (tuple(filter(None, line)) for line in (*file[:n], *lines, *file[past:]))
        return tuple(filter(None, kept))

    return edit


@st.composite
def two_edits(draw: st.DrawFn) -> tuple[Form, File, Edit, Edit]:
    names, lines = list("abcdefgh"), list[Line]()
    while names:
        sizes = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3))
        parts = [tuple(names.pop(0) for _ in range(size) if names) for size in sizes]
        lines.append(tuple(filter(None, parts)))
    what = st.sampled_from(["put", "go on", "go on", "take", "begin", "cut", "cut", "join"])
    near = draw(st.integers(1, 6))
    word = st.sampled_from("abcdefgh"[near - 1 : near + 2])
    mine, other = (_edit(draw(what), draw(word), new) for new in "OT")
    return draw(st.sampled_from(_FORMS)), tuple(lines), mine, other


_TWO: File = ((("a",), ("b",)),)


@examples(80)
@example((_FORMS[0], _TWO, _edit("cut", "a", "O"), _edit("go on", "a", "T")))
@example((_FORMS[1], _TWO, _edit("go on", "a", "O"), _edit("cut", "a", "T")))
@given(two_edits())
def test_a_word_stays_in_its_logical_line(case: tuple[Form, File, Edit, Edit]) -> None:
    form, base, upstream, patch = case
    three = (base, upstream(base), patch(base))
    texts = [form.write(file) for file in three]
    if len(set(texts)) < 3:
        return
    for text in texts:
        note(text.decode())
    data = made(form.path, *texts)
    if data is None:
        return
    orders = ((patch(three[1]), three[1]), (upstream(three[2]), three[2]))
    # An edit that no longer finds the word it is made at does nothing.
    wanted = {form.meaning(form.write(both)) for both, one in orders if both != one}
    assert not wanted or wanted == {form.meaning(data)}
