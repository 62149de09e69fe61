"""Kconfig reading: entries end where their own text ends, also around syntax the grammar lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import TreeOverlay
from kpatch_rs.syntax.kconfig import read_kconfig, symbols_in
from kpatch_rs.syntax.kconfig_tree import undefined
from tests.trees import DictTree

NEW_SYNTAX = (
    b'menu "All of it"\n\nconfig A\n\tbool "a"\n\ttransitional\n\tdepends on B if C\n'
    b"\thelp\n\t  What a is.\n\n\t  config NOT_ONE\n\n# about D\nconfig D\n\tbool\nendmenu\n"
)


def test_new_syntax_does_not_lose_the_file() -> None:
    found = read_kconfig(NEW_SYNTAX)
    assert [(e.symbol, e.readable, [b.title for b in e.blocks]) for e in found.entries] == [
        ("A", True, ["All of it"]),
        ("D", True, ["All of it"]),
    ]
    assert NEW_SYNTAX[: found.entries[0].end].endswith(b"config NOT_ONE\n")
    assert NEW_SYNTAX[found.blocks[0].close :] == b"endmenu\n"


def test_a_missing_last_newline_is_no_error() -> None:
    (entry,) = read_kconfig(b"config A\n\tbool").entries
    assert entry.readable
    assert entry.end == len(b"config A\n\tbool")


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ("FOO=y && !BAR", {"FOO", "BAR"}),
        ("(A || B) && C", {"A", "B", "C"}),
        ('A = "text" && B >= 12 && C != 0x1f && m', {"A", "B", "C"}),
        ("$(cc-option,-mfoo) && A", {"A"}),
        ("A if B || C", {"A", "B", "C"}),
        ("A || !A # if B is off", {"A"}),
    ],
)
def test_symbols_of_a_condition(condition: str, named: set[str]) -> None:
    entry = f"config X\n\tbool\n\tdepends on {condition}\n".encode()
    assert symbols_in(entry) == frozenset(named)


def test_what_is_no_condition() -> None:
    assert symbols_in(b"config X\n\tbool\n\tdepends on && B\n") is None


def test_undefined_follows_sources_of_this_architecture_only() -> None:
    """A symbol of another architecture is not there for this one."""
    tree = TreeOverlay(
        DictTree(
            {
                "Kconfig": b'source "arch/$(SRCARCH)/Kconfig"\n',
                "arch/x86/Kconfig": b'rsource "lost"\nmenuconfig MINE\n\tbool\n',
                "arch/s390/Kconfig": b"config THEIRS\n\tbool\n",
            }
        )
    )
    asked = frozenset({"MINE", "THEIRS", "NOBODYS"})
    assert undefined(tree, asked, RepoPath(b"arch/x86/kvm/Kconfig")) == {"THEIRS", "NOBODYS"}
    assert undefined(tree, asked, RepoPath(b"drivers/Kconfig")) == {"NOBODYS"}


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    for entry in read_kconfig(data).entries:
        assert 0 <= entry.start < entry.end <= len(data)
