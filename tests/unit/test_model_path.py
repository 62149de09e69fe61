"""Paths that git or a file system could take for another one are refused (reliability: 38)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.model.path import PATH_MAX, PathRefused, repo_path, show

REFUSED = [
    ("", "path '' is empty"),
    ("../x", "path '../x' has an empty, '.' or '..' component"),
    ("./x", "path './x' has an empty, '.' or '..' component"),
    ("x//y", "path 'x//y' has an empty, '.' or '..' component"),
    ("x/", "path 'x/' has an empty, '.' or '..' component"),
    ("x/..", "path 'x/..' has an empty, '.' or '..' component"),
    ("/x", "path '/x' is absolute"),
    ("C:/x", "path 'C:/x' is absolute"),
    ("a\\b", "path 'a\\b' has a backslash"),
    ("a\0b", r"path 'a\x00b' has a control character"),
    ("a\nb", r"path 'a\nb' has a control character"),
    ("a\x1bb", r"path 'a\x1bb' has a control character"),
    (".git/config", "path '.git/config' has a component that some file systems take for '.git'"),
    (".GIT/x", "path '.GIT/x' has a component that some file systems take for '.git'"),
    ("a/.gIt", "path 'a/.gIt' has a component that some file systems take for '.git'"),
    (".g\u200cit/x", r"path '.g\u200cit/x' has a component that some file systems take for '.git'"),
    (".git::$X/x", "path '.git::$X/x' has a component that some file systems take for '.git'"),
    ("git~1/x", "path 'git~1/x' has a component that some file systems take for '.git'"),
    ("GIT~10", "path 'GIT~10' has a component that some file systems take for '.git'"),
    ("x./y", "path 'x./y' has a component that ends in a space or a dot"),
    ("x /y", "path 'x /y' has a component that ends in a space or a dot"),
]


@pytest.mark.parametrize(("path", "said"), REFUSED)
def test_refused(path: str, said: str) -> None:
    with pytest.raises(PathRefused) as caught:
        repo_path(path)
    assert caught.value.message == said
    assert "top of the kernel tree" in caught.value.hint


def test_the_longest_path() -> None:
    assert repo_path(b"a" * PATH_MAX) == b"a" * PATH_MAX
    with pytest.raises(PathRefused, match="is longer than 4095 bytes"):
        repo_path(b"a" * (PATH_MAX + 1))


@pytest.mark.parametrize(
    "path",
    [
        "Makefile",
        "a/b.c",
        ".gitignore",
        "a/.gitattributes",
        "..x/...y",
        "xt_TCPMSS.h",
        "a b/ö",
        "git",
    ],
)
def test_accepted(path: str) -> None:
    assert repo_path(path) == path.encode()


def test_bytes_that_are_no_text_are_a_path() -> None:
    assert repo_path(b"a/\xff.c") == b"a/\xff.c"
    assert show(b"a/\xff.c") == r"a/\xff.c"


@settings(deadline=None)
@given(st.binary(max_size=30) | st.text("./\\gitGIT~1: \n", max_size=12).map(str.encode))
def test_what_is_accepted_stays_in_the_tree(raw: bytes) -> None:
    try:
        path = repo_path(raw)
    except PathRefused as error:
        assert error.message.isprintable()
        return
    assert path == raw
    parts = path.split(b"/")
    assert not {b"", b".", b"..", b".git"} & {part.lower() for part in parts}
    assert not any(byte < 32 for byte in path)
