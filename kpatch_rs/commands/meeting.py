"""A place where upstream and a patch met, with both sides, so that a wrong merge can be seen."""

from __future__ import annotations

from collections.abc import Iterator

from kpatch_rs.model.outcome import Meeting
from kpatch_rs.report import counted

SHOWN = 5
"""Places shown of one edit."""
_LINES = 8
"""Lines shown of one side."""


def in_words(meeting: Meeting) -> Iterator[str]:
    """Its lines for a terminal, with their indentation: that may be what is wrong."""
    yield f"merged at {meeting.place}"
    for name, text in _sides(meeting):
        lines = text.removesuffix("\n").split("\n") if text else ["(nothing)"]
        more = len(lines) - _LINES
        lines = lines[:_LINES] + ([f"(and {counted(more, 'line')} more)"] if more > 0 else [])
        for number, line in enumerate(lines):
            yield f"    {'' if number else name:8}  {line}".rstrip()


def as_json(meeting: Meeting) -> dict[str, str]:
    """The same for a program, whole."""
    return {"place": str(meeting.place), **dict(_sides(meeting))}


def _sides(meeting: Meeting) -> list[tuple[str, str]]:
    texts = {
        "base": meeting.base,
        "upstream": meeting.upstream,
        "patch": meeting.patch,
        "merged": meeting.merged,
    }
    return [(name, text.decode(errors="backslashreplace")) for name, text in texts.items()]
