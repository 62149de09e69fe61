"""Two sides edit one assignment of a list: no word of a side ends up in what it was not put in."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import given, note
from hypothesis import strategies as st

from tests.properties.held import examples
from tests.properties.test_merges import made


@dataclass(frozen=True, slots=True)
class Listed:
    """What is assigned, how, and to what."""

    name: str
    sign: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """How one language writes it."""

    path: str
    file: str
    names: tuple[str, ...]
    signs: tuple[str, ...]
    joins: str
    ends: str = ""

    def write(self, listed: Listed) -> bytes:
        text = f"{listed.name}{listed.sign}{self.joins.join(listed.words)}{self.ends}"
        return (self.file % text).encode()

    def read(self, data: bytes) -> Listed | None:
        """None for anything more, or less."""
        head, tail = map(re.escape, self.file.split("%s"))
        names, signs = ("|".join(map(re.escape, s)) for s in (self.names, self.signs))
        form = f"{head}({names})({signs})(.*){re.escape(self.ends)}{tail}"
        found = re.fullmatch(form, data.decode())
        return Listed(found[1], found[2], tuple(found[3].split(self.joins))) if found else None


_KBUILD = "obj-y += first.o\n%s\nobj-y += last.o\n"
_NODE = '/ {\n\tnode {\n\t\tcompatible = "x";\n%s\n\t\tstatus = "okay";\n\t};\n};\n'
_FORMS = (
    Form("d/Makefile", _KBUILD, ("obj-$(CONFIG_X)", "obj-y", "obj-"), (" += ", " := "), " "),
    Form("d/Makefile", _KBUILD, ("CFLAGS_x.o", "CFLAGS_REMOVE_x.o"), (" := ", " += "), " "),
    Form("d/f.dts", _NODE, ("\t\treg", "\t\tranges"), (" = <",), " ", ">;"),
    Form("d/f.dts", _NODE, ("\t\tclocks", "\t\tresets"), (" = <&",), ">, <&", ">;"),
    Form("d/f.yaml", "a:\n  b: 1\n%s\n  e: 1\n", ("  enum", "  items"), (": [",), ", ", "]"),
)

Edit = Callable[[Listed], Listed]


def _edits(form: Form, new: str) -> st.SearchStrategy[Edit]:
    def put(at: int) -> Edit:
        return lambda li: replace(li, words=(*li.words[:at], new, *li.words[at:]))

    return st.one_of(
        st.builds(lambda n: lambda li: replace(li, name=n), st.sampled_from(form.names)),
        st.builds(lambda s: lambda li: replace(li, sign=s), st.sampled_from(form.signs)),
        st.builds(put, st.integers(0, 3)),
        st.builds(lambda w: lambda li: replace(li, words=_without(li, w)), st.sampled_from("abc")),
    )


def _without(listed: Listed, word: str) -> tuple[str, ...]:
    return tuple(w for w in listed.words if w != word) or listed.words


@st.composite
def two_edits_of_a_list(draw: st.DrawFn) -> tuple[Form, tuple[Listed, Listed, Listed]]:
    form = draw(st.sampled_from(_FORMS))
    base = Listed(form.names[0], form.signs[0], ("a", "b", "c")[: draw(st.integers(1, 3))])
    return form, (base, draw(_edits(form, "o"))(base), draw(_edits(form, "t"))(base))


@examples(40)
@given(two_edits_of_a_list())
def test_a_word_stays_where_its_side_put_it(case: tuple[Form, tuple[Listed, ...]]) -> None:
    form, (base, ours, theirs) = case
    texts = [form.write(listed) for listed in (base, ours, theirs)]
    if len(set(texts)) < 3:
        return
    for text in texts:
        note(text.decode())
    data = made(form.path, *texts)
    if data is None:
        return
    merged = form.read(data)
    assert merged, "one assignment, as before"
    assert set(merged.words) == {
        w
        for w in {*ours.words, *theirs.words}
        if w not in base.words or (w in ours.words and w in theirs.words)
    }
    for side in (ours, theirs):
        if set(side.words) != set(base.words):
            assert (merged.name, merged.sign) == (side.name, side.sign)
