"""A series and its recipes, as the loader read them: what the maintainer means.

Guarantees: frozen, free of paths of the machine, and complete: every payload's bytes are in the
value, so that rendering needs the series and a base tree and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import ClassVar, Literal

from kpatch_rs.model.version import Guard


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a series file, for error messages: file name below the series, 1-based line."""

    file: str
    line: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Payload:
    """A file of the series that an edit names, byte for byte."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, neither with LF, NUL, '<' or '>' (the loader checks)."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One change a recipe asks for. Each kind has its subclass; its fields are the TOML keys."""

    kind: ClassVar[str] = ""
    where: Where
    when: Guard | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What a recipe consists of on some kernels, in place of its own edits."""

    where: Where
    when: Guard | None = None
    """None: wherever the edits that are meant for a kernel do not fit it."""
    edits: tuple[Edit, ...] = ()
    """None at all: there is nothing to do on those kernels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The source of one patch: one commit, one mail."""

    where: Where
    id: str
    subject: str
    body: str = ""
    author: Person | None = None
    date: str | None = None
    """Author date as git writes it, '1700000000 +0100'; None: derived from the base commit's."""
    trailers: tuple[str, ...] = ()
    notes: str = ""
    when: Guard | None = None
    edits: tuple[Edit, ...] = ()
    variants: tuple[Variant, ...] = ()
    """The first whose `when` holds takes the place of `edits`."""

    def all_edits(self) -> tuple[Edit, ...]:
        """The recipe's own edits and those of its variants."""
        return (*self.edits, *(edit for variant in self.variants for edit in variant.edits))

    def message(self) -> str:
        """The commit message: subject, body, trailers, each block after a blank line."""
        blocks = (self.subject, self.body.strip("\n"), "\n".join(self.trailers))
        return "\n\n".join(block for block in blocks if block) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """[mail]: how the series is posted."""

    pack: str = ""
    prefix: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """[check]: how the series is built."""

    arch: str = "x86_64"
    """ARCH as the kernel's top Makefile takes it."""
    start: str = "tinyconfig"
    """The make target that makes the first .config."""
    config: Payload | None = None
    """Kconfig fragment put on top of it."""
    toolchain: Literal["llvm", "gcc"] = "llvm"
    """llvm passes LLVM=1, as CONFIG_RUST wants it."""


@dataclass(frozen=True, slots=True)
class Cover:
    """cover.txt: the subject line, and the text after the blank line."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """An ordered set of recipes."""

    name: str
    base: str
    """The revision it was last rendered on, as the maintainer names it; '' before the first."""
    change_id: str
    version: int = 1
    mail: MailSettings = MailSettings()
    check: CheckSettings = CheckSettings()
    cover: Cover | None = None
    recipes: tuple[Recipe, ...] = ()

    def digest(self) -> str:
        """Names what rendering depends on; equal digests on one base give equal commits."""
        content = json.dumps([_content(r) for r in self.recipes], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def _content(value: object) -> object:
    """`value` as JSON takes it, without places in files and without what is not set.

    So neither a comment in a recipe nor a field that a newer version adds changes a digest.
    """
    if isinstance(value, Edit | Recipe | Variant | Guard | Payload | Person):
        kind = {"kind": value.kind} if isinstance(value, Edit) else {}
        named = ((f.name, getattr(value, f.name)) for f in fields(value) if f.name != "where")
        return kind | {name: _content(item) for name, item in named if item not in (None, "", ())}
    if isinstance(value, tuple):
        return [_content(item) for item in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value
