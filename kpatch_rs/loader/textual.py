"""Patches and mails are texts: what keeps a file from being one, and who makes it one.

Guarantees: a file that is packed or in UTF-16 is called that, and not a patch without a diff.
"""

from __future__ import annotations

from kpatch_rs.errors import KpatchError

_UNPACK = "unpack it, and give what comes out"
_BEGINNINGS = (
    (b"\x1f\x8b", "it is packed with gzip", _UNPACK),
    (b"BZh", "it is packed with bzip2", _UNPACK),
    (b"\xfd7zXZ\0", "it is packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd", _UNPACK),
    (b"PK\3\4", "it is a zip archive", _UNPACK),
    (b"\xff\xfe", "it is UTF-16", "make it UTF-8: iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "it is UTF-16", "make it UTF-8: iconv -f UTF-16 -t UTF-8"),
    (b"\xef\xbb\xbf", "it begins with a byte order mark", "save it as UTF-8 without one"),
)
"""The first bytes, from the formats' definitions; Windows PowerShell's `>` writes UTF-16."""


def refuse_no_text(data: bytes) -> None:
    """Raises KpatchError where `data` is no text that git reads."""
    for beginning, what, hint in _BEGINNINGS:
        if data.startswith(beginning):
            raise KpatchError(what, hint=hint)
