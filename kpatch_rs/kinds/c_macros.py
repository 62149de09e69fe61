"""What the macros at the top of a function are, as far as its file and what it includes tell.

Only the headers that the file names itself are read: what all of a kernel uses is known by name
(syntax/c_declares.py), and a search of the whole tree would take seconds.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.c_body import Body, body_of, untold
from kpatch_rs.syntax.c_declares import expanded
from kpatch_rs.syntax.c_locate import Definition, read_c
from kpatch_rs.syntax.c_text import CText


def read_body(tree: TreeOverlay, definition: Definition) -> Body:
    """The body of a function of `tree`, with what the tree says of its macros. Raises Unclear."""
    body = body_of(definition.text, definition.function)
    if not (names := untold(body)):
        return body
    told = ((name, _told(tree, definition, name)) for name in names)
    return replace(body, told=tuple((name, is_) for name, is_ in told if is_ is not None))


def _told(tree: TreeOverlay, definition: Definition, name: bytes) -> bool | None:
    texts = (text for text in _seen(tree, definition) if name in text.data)
    answers = (expanded(text, name) for text in texts)
    return next((answer for answer in answers if answer is not None), None)


def _seen(tree: TreeOverlay, definition: Definition) -> Iterator[CText]:
    """The file, and the headers it includes."""
    yield definition.text
    folder = posixpath.dirname(definition.path)
    for directive in definition.text.directives:
        header = directive.rest[1:-1] if directive.name == b"include" else b""
        if not header.endswith(b".h"):
            continue
        beside = directive.rest.startswith(b'"')
        path = posixpath.normpath(posixpath.join(folder if beside else b"include", header))
        if not path.startswith(b"..") and (text := read_c(tree, RepoPath(path))):
            yield text
