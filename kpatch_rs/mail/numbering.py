"""What the mails of one version are called: subjects, file names, Message-IDs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kpatch_rs.errors import KpatchError
from kpatch_rs.model.series import Series

COVER = "cover-letter"

_FILE_MAX = 64
"""Length of a file name, as `git format-patch` cuts it (log-tree.c, fmt_output_subject)."""

_CHANGE_ID = re.compile(r"(\d{8}-[A-Za-z0-9.-]+)-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Numbering:
    """The numbers of one version of a series."""

    series: Series
    version: int
    count: int
    """Patches, the cover not counted."""
    key: str
    """What makes this posting's Message-IDs its own: 12 hex digits."""
    host: str

    def tag(self, n: int) -> str:
        """What stands before subject `n`: '[PATCH RFC v2 01/12]'; the cover is 0.

        Raises KpatchError for a prefix that would not come off again.
        """
        words = ["PATCH", *(word for word in self.series.mail.prefix if word != "PATCH")]
        for word in words:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,40}", word):
                raise KpatchError(
                    f"series.toml: '{word}' is no subject prefix",
                    hint='name it without brackets: prefix = ["RFC"]',
                )
        if self.version > 1:
            words.append(f"v{self.version}")
        if self.count > 1 or self.series.cover:
            words.append(f"{n:0{len(str(self.count))}}/{self.count}")
        return f"[{' '.join(words)}]"

    def file(self, n: int, subject: str) -> str:
        """The file of mail `n`: letters, digits, '-', '_', '.', as `git format-patch` has it.

        The cover ends in .eml, as b4 names it: so `git am OUT/*.patch` takes the patches alone
        (it stops at a cover letter: "Patch is empty").
        """
        version = f"v{self.version}-" if self.version > 1 else ""
        if n == 0:
            return f"{version}0000-{COVER}.eml"
        slug = re.sub(r"\.+", ".", re.sub(r"[^A-Za-z0-9._]+", "-", subject)).strip("-")
        name = f"{version}{n:04}-{slug}"[: _FILE_MAX - len(".patch") - 1]
        return f"{name.rstrip('-.')}.patch"

    def message_id(self, n: int) -> str:
        """'<20261122-kvm-rust-hello-v1-3-0123456789ab@example.org>': b4's form."""
        found = _CHANGE_ID.fullmatch(self.series.change_id)
        stable = found[1] if found else re.sub(r"[^A-Za-z0-9]+", "-", self.series.name).strip("-")
        return f"<{stable}-v{self.version}-{n}-{self.key}@{self.host}>"


def posting_key(change_id: str, version: int, date: int, patches: Sequence[bytes]) -> str:
    """12 hex digits that no other posting has: of another change, version, second or content."""
    digest = hashlib.sha256(f"{change_id}\n{version}\n{date}\n".encode())
    for patch in patches:
        digest.update(hashlib.sha256(patch).digest())
    return digest.hexdigest()[:12]
