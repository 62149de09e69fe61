"""Both sides of a merge, as a person in a terminal sees them."""

from __future__ import annotations

from kpatch_rs.commands.meeting import as_json, in_words
from kpatch_rs.model.outcome import Meeting, Place
from kpatch_rs.model.path import RepoPath

MEETING = Meeting(
    place=Place(RepoPath(b"d/f.py"), 7),
    base=b"    g(a)\n",
    upstream=b"    if a:\n\tg(a)\n",
    patch=b"",
    merged=b"x\n" * 10,
)


def test_in_words() -> None:
    assert list(in_words(MEETING)) == [
        "merged at d/f.py:7",
        "    base          g(a)",
        "    upstream      if a:",
        "              \tg(a)",
        "    patch     (nothing)",
        "    merged    x",
        *["              x"] * 7,
        "              (and 2 lines more)",
    ]


def test_as_json_it_is_whole() -> None:
    said = as_json(MEETING)
    assert said["place"] == "d/f.py:7"
    assert said["upstream"] == "    if a:\n\tg(a)\n"
    assert said["merged"] == "x\n" * 10
