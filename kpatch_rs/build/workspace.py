"""One O= folder, kept from check to check, with the configurations it was given.

`olddefconfig` takes seconds (it tries every compiler flag anew), so its results are kept beside the
objects and put back as they were: for the same wishes, Kconfig files and tools it gives the same
.config. make then rebuilds what the difference touches, and nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kpatch_rs.build.config import Settings, merged, read_config
from kpatch_rs.build.failure import Failure, MakeFailed, failure
from kpatch_rs.build.make import Make
from kpatch_rs.build.process import Ran
from kpatch_rs.build.store import replace_file
from kpatch_rs.errors import KpatchError


class Busy(KpatchError):
    """Another check is at work in the same tree."""


@dataclass(slots=True)
class Workspace:
    """The kernel tree of the moment and its O= folder."""

    make: Make
    start: str
    """The make target that makes the first .config."""
    identity: str
    """Of everything but the Kconfig files that decides what a .config becomes: the tools."""
    base: str
    """The tree whose `start` is taken; its object name."""
    kconfig: str = ""
    """Changes with the Kconfig files of the tree of the moment."""
    _now: str = field(default="", init=False)
    _lock: int | None = field(default=None, init=False)

    @property
    def tree(self) -> Path:
        """The checked-out kernel."""
        return self.make.tree

    @property
    def out(self) -> Path:
        """The O= folder."""
        return self.make.out

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else works in the tree, nor in an O= folder of it, meanwhile. Raises Busy.

        The lock goes to every make, too: one that outlived a killed check keeps others away.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        with self.tree.with_name(f".{self.tree.name}.busy").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise Busy(
                    f"a check is at work in {self.tree}, begun by process {lock.read(20)}",
                    hint="wait until it is done; where it was killed, its make ends by itself",
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._lock = lock.fileno()
            try:
                self._forget_unfinished()
                yield
            finally:
                self._lock = None

    def configure(self, wanted: Mapping[str, str]) -> Settings:
        """Make the .config that `wanted` leads to and return what it says. Raises MakeFailed."""
        key = self._key(self.kconfig, sorted(wanted.items()))
        if key != self._now:
            self._configure(key, wanted)
            self._now = key
        return read_config(self._config.read_bytes())

    def _configure(self, key: str, wanted: Mapping[str, str]) -> None:
        self._now = ""
        known = self._kept / key
        if known.exists():
            return _write_changed(self._config, known.read_bytes())
        _write_changed(self._config, merged(self._start_config(), wanted))
        self._asked("olddefconfig")
        replace_file(known, self._config.read_bytes())
        return None

    def _start_config(self) -> bytes:
        """What `make START` gives on the base; a step that changes a default does not change it."""
        self._kept.mkdir(exist_ok=True)
        known = self._kept / f"start-{self._key()}"
        if not known.exists():
            self._asked(self.start)
            replace_file(known, self._config.read_bytes())
        return known.read_bytes()

    def build(self, *targets: str) -> dict[str, Failure]:
        """`make TARGETS` in one go; what failed, by target. Only then one by one, to know which."""
        for name in targets:
            self._forget_orphan(name)
        if not targets:
            return {}
        ran = self.ask(*targets)
        if ran.ok:
            return {t: Failure(target=t, reason=f"make made no {t}") for t in self._absent(targets)}
        # One that was stopped, or killed, would be again, an hour later each.
        each = {t: self.ask(t) if ran.ended else ran for t in targets}
        return {name: failure(name, r, self.make) for name, r in each.items() if not r.ok}

    def _absent(self, targets: Sequence[str]) -> list[str]:
        files = (t for t in targets if t.endswith((".o", ".mod")))
        return [t for t in files if not (self.out / t).is_file()]

    def ask(self, *targets: str, database: bool = False) -> Ran:
        """`make TARGETS`, whatever comes of it."""
        self._at_work.touch()
        ran = self.make.run(
            *targets, database=database, held=() if self._lock is None else (self._lock,)
        )
        if ran.ended:
            self._at_work.unlink()
        else:
            self._forget_unfinished()
        return ran

    def _forget_unfinished(self) -> None:
        """Remove what a make that did not end by itself wrote: half a file looks up to date.

        make itself removes what it was at, but not where it is killed, and no tool of a kernel's
        build writes its output in one step.
        """
        if not self._at_work.exists():
            return
        since = self._at_work.stat().st_mtime_ns
        for folder, _, names in os.walk(self.out):
            files = (Path(folder, n) for n in names if ".kpatch-" not in folder + n)
            for path in [f for f in files if f.lstat().st_mtime_ns >= since]:
                path.unlink()
        self._now = ""
        self._at_work.unlink()

    def _asked(self, target: str) -> None:
        ran = self.ask(target)
        if not ran.ok:
            raise MakeFailed(failure(target, ran, self.make))

    def _forget_orphan(self, target: str) -> None:
        """Remove an object whose source is gone: make would take it for up to date."""
        if target.endswith(".o") and source_of(target, self.tree, self.out) is None:
            (self.out / target).unlink(missing_ok=True)

    def _key(self, *parts: object) -> str:
        return hashlib.sha256(
            repr((self.identity, self.base, self.make.variables(), self.start, *parts)).encode()
        ).hexdigest()

    @property
    def _config(self) -> Path:
        return self.out / ".config"

    @property
    def _at_work(self) -> Path:
        """Exists while a make runs, and after one that did not end."""
        return self.out / ".kpatch-at-work"

    @property
    def _kept(self) -> Path:
        return self.out / ".kpatch-configs"


def source_of(target: str, *folders: Path) -> Path | None:
    """The file `target` is compiled from, in the order Kbuild's pattern rules win; or None."""
    stem = target.removesuffix(".o")
    found = (f / f"{stem}{s}" for f in folders for s in (".c", ".rs", ".rs.S", ".S"))
    return next((path for path in found if path.exists()), None)


def _write_changed(path: Path, data: bytes) -> None:
    """Leave the file's time alone where nothing changes: make goes by it."""
    if not path.exists() or path.read_bytes() != data:
        replace_file(path, data)
