"""Verdicts that are known already: one small file each, so that nothing is built twice.

Guarantees: a verdict is found only for the very same tree, configuration, toolchain and proofs; a
file that cannot be read counts as absent; two runs may write at the same time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from kpatch_rs.model.proof import Result, Verdict

FORMAT = 1
"""Raised when a proof comes to mean something else, so that older verdicts are not believed."""


def key_of(**parts: Any) -> str:
    """The key of what a verdict depends on; `parts` are compared by repr()."""
    return hashlib.sha256(repr((FORMAT, sorted(parts.items()))).encode()).hexdigest()


class VerdictStore:
    """A folder of verdicts below the cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> Verdict | None:
        """The verdict stored under `key`, marked as cached."""
        try:
            document = json.loads(self._path(key).read_bytes())
            fields = document["verdict"] if document["key"] == key else {}
            return Verdict(
                **{
                    **fields,
                    "result": Result(fields["result"]),
                    "errors": tuple(fields["errors"]),
                    "proofs": tuple(fields["proofs"]),
                    "cached": True,
                }
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, verdict: Verdict) -> None:
        """Store `verdict`; it appears as a whole or not at all."""
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"format": FORMAT, "key": key, "verdict": dataclasses.asdict(verdict)}
        replace_file(path, json.dumps(document, indent=1).encode())

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step: a reader sees the old file or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
