"""Wishes go in, what Kconfig kept comes out, and every difference is seen."""

from __future__ import annotations

import pytest

from kpatch_rs.build.config import (
    FragmentInvalid,
    Lost,
    lost,
    merged,
    read_config,
    read_fragment,
    wanted_settings,
)
from kpatch_rs.build.unmet import unmet
from kpatch_rs.model.series import Payload


def test_read_and_merge_keep_everything_else() -> None:
    start = b'# head\nCONFIG_A=y\n# CONFIG_B is not set\nCONFIG_S="x # y"\n'
    both = merged(start, {"A": "n", "B": "m", "N": "64"})
    assert read_config(both) == {"A": "n", "B": "m", "N": "64", "S": '"x # y"'}
    assert both.startswith(b'# head\nCONFIG_S="x # y"\n')
    assert both.count(b"CONFIG_A") == 1


def test_fragment_errors_name_file_and_line() -> None:
    with pytest.raises(FragmentInvalid, match=r"kvm\.config:3: 'KVM=y' sets nothing"):
        read_fragment(Payload("kvm.config", b"# comment\nCONFIG_64BIT=y\nKVM=y\n"))


def test_no_fragment_wants_nothing() -> None:
    assert read_fragment(None) == {}


def test_lost() -> None:
    kept = {"A": "y", "B": "m"}
    assert lost({"A": "y", "B": "y", "C": "n", "D": "y"}, kept) == (
        Lost("B", "y", "m"),
        Lost("D", "y", "n"),
    )
    assert str(Lost("D", "y", "n")) == "CONFIG_D=y was not kept (it is off)"


def test_own_symbols_are_wanted_from_their_step_on() -> None:
    fragment = {"KVM": "y", "KVM_RUST": "y", "KVM_MORE": "m"}
    own = ("KVM_RUST", "KVM_MORE")
    assert wanted_settings(fragment, own, (), on=True) == {"KVM": "y"}
    assert wanted_settings(fragment, own, own[:1], on=True) == {"KVM": "y", "KVM_RUST": "y"}
    assert wanted_settings(fragment, own, own, on=True)["KVM_MORE"] == "m"
    assert wanted_settings(fragment, own, own, on=False) == {
        "KVM": "y",
        "KVM_RUST": "n",
        "KVM_MORE": "n",
    }


KCONFIG = b"""
menu "M"
\tdepends on TOP

if IN
config RUST
\tbool "Rust"
\tdepends on !MODVERSIONS
\tdepends on !BTF || (PAHOLE && !LTO)
\tdepends on !PADDING || RUSTC_VERSION >= 108100
\tdepends on MODE = "fast"
endif
endmenu
"""


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, ()),
        ({"MODVERSIONS": "y"}, ("depends on !MODVERSIONS (MODVERSIONS is y)",)),
        ({"BTF": "y", "PAHOLE": "y"}, ()),
        (
            {"BTF": "y", "PAHOLE": "y", "LTO": "y"},
            ("depends on !BTF || (PAHOLE && !LTO) (BTF is y, PAHOLE is y, LTO is y)",),
        ),
        ({"PADDING": "y", "RUSTC_VERSION": "109500"}, ()),
        (
            {"PADDING": "y", "RUSTC_VERSION": "107800"},
            (
                "depends on !PADDING || RUSTC_VERSION >= 108100 "
                "(PADDING is y, RUSTC_VERSION is 107800)",
            ),
        ),
        ({"IN": "n"}, ("depends on IN (IN is n)",)),
        ({"TOP": "n"}, ("depends on TOP (TOP is n)",)),
        ({"MODE": '"slow"'}, ('depends on MODE = "fast" (MODE is "slow")',)),
    ],
)
def test_unmet_dependencies(settings: dict[str, str], why: tuple[str, ...]) -> None:
    met = {"TOP": "y", "IN": "y", "MODE": '"fast"'}
    assert unmet(KCONFIG, "RUST", met | settings) == why


@pytest.mark.parametrize(
    ("line", "settings", "why"),
    [
        ("depends on A if B", {"A": "y", "B": "y"}, ()),
        ("depends on A if B", {"B": "n"}, ()),
        ("depends on A if B", {"B": "m"}, ("depends on A if B (A is n, B is m)",)),
        ("depends on A || !A # if A=m, this cannot be y", {"A": "m"}, ()),
        ("depends on $(success,true)", {}, ()),
        ("depends on !$(success,true)", {}, ()),
        ("depends on $(success,true) && A", {}, ("depends on $(success,true) && A (A is n)",)),
    ],
)
def test_unmet_beside_newer_syntax(
    line: str, settings: dict[str, str], why: tuple[str, ...]
) -> None:
    """`transitional` and `depends on … if` are unknown to the grammar, and lose nothing."""
    kconfig = f"config OLD\n\tbool\n\ttransitional\n\nconfig X\n\tbool\n\t{line}\n"
    assert unmet(kconfig.encode(), "X", settings) == why
