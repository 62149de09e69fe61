"""This symbol exists, with type, prompt, dependencies and help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kpatch_rs.kinds.base import Ground, Rooted
from kpatch_rs.model.outcome import Outcome
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import Proof
from kpatch_rs.model.series import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class KconfigEdit(Edit):
    """`kind = "kconfig"`."""

    kind = "kconfig"
    file: RepoPath
    symbol: str
    """Without CONFIG_."""
    type: Literal["bool", "tristate", "int", "hex", "string"] = "bool"
    prompt: str | None = None
    depends: tuple[str, ...] = ()
    """Each becomes one `depends on` line."""
    select: tuple[str, ...] = ()
    default: tuple[str, ...] = ()
    """Each becomes one `default` line: "y", "y if FOO"."""
    help: str = ""
    after: str | None = None
    """Put it after this symbol's entry, wherever in `file` that is."""
    menu: str | None = None
    """Put it at the end of the menu with this title, or of the `if` block with this condition."""


class Kconfig(Rooted[KconfigEdit]):
    """See the module."""

    edit = KconfigEdit
    example = """\
kind = "kconfig"
file = "drivers/foo/Kconfig"
symbol = "FOO_RUST"
prompt = "Rust part of the foo driver"
depends = ["FOO && RUST"]
help = '''
Say what it does and who wants it, in four lines or more:
checkpatch asks for them.

If unsure, say N.
'''
after = "FOO"
"""

    def plan(self, edit: KconfigEdit, ground: Ground) -> Outcome:
        raise NotImplementedError

    def proofs(self, edit: KconfigEdit, outcome: Outcome) -> Sequence[Proof]:
        raise NotImplementedError


KCONFIG = Kconfig()
