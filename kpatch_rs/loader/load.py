"""A series folder becomes a Series.

Guarantees: the whole series or one error naming file and line; payloads are read once, whole and
byte for byte; nothing in the folder is changed; nothing outside it is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kpatch_rs.errors import KpatchError
from kpatch_rs.loader.document import decoded, read_document
from kpatch_rs.loader.fields import LineOf, ReadPayload, SeriesInvalid, read_table
from kpatch_rs.loader.message import (
    MessageRefused,
    checked_id,
    checked_notes,
    checked_subject,
)
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.source import PAYLOAD_LIMIT, TEXT_LIMIT, Unreadable, read_file
from kpatch_rs.model.series import (
    CheckSettings,
    Cover,
    MailSettings,
    Payload,
    Recipe,
    Series,
    Where,
)

FORMAT = 1
"""The newest `format` of series.toml that is read."""
RECIPE_LIMIT = 2000
SERIES_FILE, COVER_FILE = "series.toml", "cover.txt"

_CHANGE_ID = re.compile(r"\d{8}-[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{12}", re.ASCII)
_REVISION = re.compile(r"(?!-)\S*")
_MAKE_GOAL = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*config", re.ASCII)
_ARCH = re.compile(r"[a-z0-9_]+", re.ASCII)
_PREFIX = re.compile(r"[^\[\]\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Top:
    """The keys of series.toml that stand in no table."""

    format: int
    name: str
    base: str = ""
    change_id: str
    version: int = 1
    mail: MailSettings = field(default_factory=MailSettings)
    check: CheckSettings = field(default_factory=CheckSettings)


_TABLES: dict[str, type] = {"mail": MailSettings, "check": CheckSettings}


def load_series(folder: Path) -> Series:
    """Return the series in `folder`.

    Raises KpatchError; SeriesInvalid, with the place, for what stands in a file.
    """
    names = _toml_files(folder)
    payload = _payload_reader(folder)
    series = _settings(read_text(folder, SERIES_FILE), payload)
    recipes = [read_recipe(read_document(name, read_text(folder, name)), payload) for name in names]
    _must_be_unique(recipes)
    return replace(series, cover=_cover(folder), recipes=tuple(recipes))


def read_text(folder: Path, name: str) -> bytes:
    """The bytes of a TOML file or the cover letter. Raises SeriesInvalid."""
    try:
        return read_file(folder, name, TEXT_LIMIT)
    except Unreadable as error:
        raise SeriesInvalid(Where(name), error.message, hint=error.hint) from error


def _toml_files(folder: Path) -> list[str]:
    """The recipes' file names, in the order of their bytes; editors' dot files are not recipes."""
    try:
        found = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise KpatchError(
            f"{folder} is no series: {error.strerror}",
            hint=f"make one with: kpatch-rs init {folder.name}",
        ) from error
    if SERIES_FILE not in found:
        raise KpatchError(
            f"{folder} is no series: it has no {SERIES_FILE}",
            hint="give the folder that has one with -s, or make one with: kpatch-rs init NAME",
        )
    names = [name for name in found if name.endswith(".toml") and name != SERIES_FILE]
    if len(names) > RECIPE_LIMIT:
        raise KpatchError(
            f"{folder} has {len(names)} recipes, and {RECIPE_LIMIT} are the most a series can have",
            hint="split the series",
        )
    return sorted(names, key=os.fsencode)


def _payload_reader(folder: Path) -> ReadPayload:
    known: dict[str, Payload] = {}

    def payload(name: str) -> Payload:
        if name not in known:
            try:
                known[name] = Payload(name, read_file(folder, name, PAYLOAD_LIMIT))
            except Unreadable as error:
                raise KpatchError(f"{name}: {error.message}", hint=error.hint) from error
        return known[name]

    return payload


def _settings(data: bytes, payload: ReadPayload) -> Series:
    document = read_document(SERIES_FILE, data)
    line_of = document.line_of()
    _must_be_readable(document.table.get("format"), line_of)
    nested: dict[str, object] = {}
    for key, wanted in _TABLES.items():
        if isinstance(table := document.table.get(key), dict):
            lines = document.line_of(key)
            nested[key] = read_table(
                wanted, table, file=SERIES_FILE, line_of=lines, payload=payload
            )
    top = read_table(
        _Top,
        document.table,
        file=SERIES_FILE,
        line_of=line_of,
        payload=payload,
        given=nested,
        also=tuple(nested),
    )
    _check_top(top, line_of)
    _check_mail(top.mail, document.line_of("mail"))
    _check_check(top.check, document.line_of("check"))
    return Series(
        name=top.name,
        base=top.base,
        change_id=top.change_id,
        version=top.version,
        mail=top.mail,
        check=top.check,
    )


def _must_be_readable(format_: object, line_of: LineOf) -> None:
    """A newer format may have keys this version knows nothing of: said before they are."""
    if type(format_) is int and format_ != FORMAT:
        newer = format_ > FORMAT
        raise SeriesInvalid(
            Where(SERIES_FILE, line_of("format")),
            f"format {format_} is {'newer than' if newer else 'not'} format {FORMAT}, "
            "which this version reads",
            hint="install a newer kpatch-rs" if newer else f"write: format = {FORMAT}",
        )


def _check_top(top: _Top, line_of: LineOf) -> None:
    try:
        checked_id(top.name)
    except MessageRefused as error:
        raise _off(line_of, "name", error.message, error.hint) from error
    if not _REVISION.fullmatch(top.base):
        raise _off(
            line_of, "base", f"'{top.base}' is no revision", 'a tag or a commit: base = "v6.12"'
        )
    if not _CHANGE_ID.fullmatch(top.change_id):
        raise _off(
            line_of,
            "change-id",
            f"'{top.change_id}' is no change-id",
            "a date, a name and twelve hex digits: 20261122-kvm-rust-3f1c9a7d52e0",
        )
    if not 1 <= top.version <= 9999:
        raise _off(line_of, "version", f"{top.version} is not in 1 to 9999", "write: version = 1")


def _check_mail(mail: MailSettings, line_of: LineOf) -> None:
    for prefix in mail.prefix:
        if not _PREFIX.fullmatch(prefix):
            raise _off(
                line_of, "prefix", f"'{prefix}' cannot stand in a subject", 'prefix = ["RFC"]'
            )
    for key, addresses in (("to", mail.to), ("cc", mail.cc)):
        for address in addresses:
            if "\n" in address or "@" not in address:
                raise _off(
                    line_of,
                    key,
                    f"'{address}' is no mail address",
                    f'{key} = ["kvm@vger.kernel.org"]',
                )


def _check_check(check: CheckSettings, line_of: LineOf) -> None:
    if not _ARCH.fullmatch(check.arch):
        raise _off(line_of, "arch", f"'{check.arch}' is no ARCH", 'write: arch = "x86_64"')
    if not _MAKE_GOAL.fullmatch(check.start):
        raise _off(
            line_of,
            "start",
            f"'{check.start}' is no make target for a configuration",
            'write: start = "tinyconfig", or one that ends in defconfig',
        )


def _off(line_of: LineOf, key: str, problem: str, hint: str) -> SeriesInvalid:
    return SeriesInvalid(Where(SERIES_FILE, line_of(key)), f"'{key}': {problem}", hint=hint)


def _must_be_unique(recipes: Sequence[Recipe]) -> None:
    """Ids become file names and refs; file systems that ignore case would mix them up."""
    seen: dict[str, Recipe] = {}
    for recipe in recipes:
        other = seen.setdefault(recipe.id.casefold(), recipe)
        if other is not recipe:
            same = "is" if other.id == recipe.id else "differs only in case from"
            raise SeriesInvalid(
                recipe.where,
                f"'id': '{recipe.id}' {same} the id of {other.where.file}",
                hint="give each recipe an id of its own",
            )


def _cover(folder: Path) -> Cover | None:
    if not os.path.lexists(folder / COVER_FILE):
        return None
    text = decoded(COVER_FILE, read_text(folder, COVER_FILE))
    subject, _, rest = text.partition("\n")
    blank, _, body = rest.partition("\n")
    if blank.strip():
        raise SeriesInvalid(
            Where(COVER_FILE, 2),
            "the second line is not blank",
            hint="cover.txt is a subject line, a blank line, and the text",
        )
    try:
        return Cover(checked_subject(subject), checked_notes(body))
    except MessageRefused as error:
        raise SeriesInvalid(Where(COVER_FILE), error.message, hint=error.hint) from error
