"""series.toml becomes a Series, but for what stands in other files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kpatch_rs.loader.document import Document
from kpatch_rs.loader.fields import LineOf, ReadPayload, SeriesInvalid, read_table
from kpatch_rs.loader.message import MessageRefused, checked_id
from kpatch_rs.model.series import CheckSettings, MailSettings, Series, Where

SERIES_FILE = "series.toml"
FORMAT = 1
"""The newest `format` of series.toml that is read."""

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


def read_settings(document: Document, payload: ReadPayload) -> Series:
    """Return series.toml as a series without cover and recipes. Raises SeriesInvalid."""
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
