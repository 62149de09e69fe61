"""The kinds of edit, one module each, listed here and nowhere else."""

from __future__ import annotations

from typing import Any

from kpatch_rs.kinds.base import Kind
from kpatch_rs.kinds.c_call import C_CALL
from kpatch_rs.kinds.c_declare import C_DECLARE
from kpatch_rs.kinds.c_include import C_INCLUDE
from kpatch_rs.kinds.kbuild import KBUILD
from kpatch_rs.kinds.kconfig import KCONFIG
from kpatch_rs.kinds.maintainers import MAINTAINERS
from kpatch_rs.kinds.patch import PATCH
from kpatch_rs.kinds.rust_analyzer import RUST_ANALYZER
from kpatch_rs.kinds.rust_file import RUST_FILE
from kpatch_rs.model.series import Edit

KINDS: dict[str, Kind[Any]] = {
    "rust-file": RUST_FILE,
    "kbuild": KBUILD,
    "kconfig": KCONFIG,
    "c-call": C_CALL,
    "c-declare": C_DECLARE,
    "c-include": C_INCLUDE,
    "rust-analyzer": RUST_ANALYZER,
    "maintainers": MAINTAINERS,
    "patch": PATCH,
}
"""In the order a reader meets them; typed, so that mypy checks every kind against the Protocol."""


def kind_of(edit: Edit) -> Kind[Any]:
    """The kind that plans `edit`."""
    return KINDS[edit.kind]
