"""How git is started: with nothing of the caller's surroundings that could change what it does.

Guarantees: git sees an environment built from an allow-list and no other variable; it runs no hook
and no fsmonitor, honours no replace ref, fetches nothing, asks nothing and pages nothing; no shell
is involved; every child is reaped, and none can block on a full stderr.

GitPython starts and owns the processes. It always passes its own environment on
(`Git.execute` copies it, GitPython 3.1 to 3.2), hence `env -i`, which becomes git without a fork.
Each start costs 1.7 ms and `env` another 1 ms (measured).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from kpatch_rs.errors import KpatchError

if TYPE_CHECKING:
    import git

_LET_THROUGH = (
    *("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME"),
    *("EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"),
)
_FIXED = {
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    # A git without GIT_NO_LAZY_FETCH (before 2.39.4) stops here instead.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_NO_CONFIG = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null"}
_OPTIONS = (
    "--no-pager",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "gc.auto=0"),
    *("-c", "maintenance.auto=false"),
)
_STDERR_KEPT = 64 * 1024
"""Bytes of a long-lived git's stderr that are kept for its error message."""


class GitFailed(KpatchError):
    """git ended otherwise than it should; the message has git's own words."""


class TimeRanOut(GitFailed):
    """git took longer than it was given, and was ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a git command ended."""

    code: int
    out: bytes
    err: bytes

    def failure(self, what: str) -> GitFailed:
        """The error to raise where this end means that `what` did not work."""
        if self.code == 127 and self.err.startswith(b"env:"):
            return GitFailed("git is not on PATH", hint="install git 2.39 or newer")
        signal = f" (signal {-self.code})" if self.code < 0 else ""
        return GitFailed(f"git {what} {'died' if signal else 'failed'}{signal}{_said(self.err)}")


def _said(err: bytes) -> str:
    """git's complaint in one line; what it died of stands last."""
    lines = [line for line in err.decode(errors="replace").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return f": {'; '.join(fatal or lines[-1:])}" if lines else ""


@dataclass(frozen=True, slots=True)
class Git:
    """Starts git, always in the same place and under the same conditions."""

    environment: Mapping[str, str]
    place: tuple[str, ...] = ()
    """Options that say which repository."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of the allow-list: an index file, no config."""

    def at(self, git_dir: Path) -> Git:
        """The same git in the repository `git_dir`, taken as one without a work tree.

        `--bare` keeps git from taking the current folder for a work tree, and with it from
        reading .gitattributes there.
        """
        return Git(self.environment, ("-C", os.fspath(git_dir), "--bare"), self.extra)

    def with_index(self, index: Path) -> Git:
        """The same git with `index` as its index."""
        return Git(self.environment, self.place, {**self.extra, "GIT_INDEX_FILE": str(index)})

    def without_config(self) -> Git:
        """The same git, blind to the system's and the user's configuration."""
        return Git(self.environment, self.place, {**self.extra, **_NO_CONFIG})

    def run(self, *args: str, data: bytes = b"") -> bytes:
        """Run to the end with `data` as stdin; return stdout. Raises GitFailed unless it is 0."""
        ended = self.attempt(*args, data=data)
        if ended.code != 0:
            raise ended.failure(verb_of(args))
        return ended.out

    def attempt(
        self,
        *args: str,
        data: bytes = b"",
        pass_fds: tuple[int, ...] = (),
        seconds: float | None = None,
    ) -> Ended:
        """Run to the end, whatever it is. `pass_fds` stay open in git.

        Raises TimeRanOut after `seconds`.
        """
        process = self.start(*args, pass_fds=pass_fds)
        try:
            out, err = process.communicate(data, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise TimeRanOut(f"git {verb_of(args)} took longer than {seconds} s") from error
        ended = Ended(process.returncode, out, err)
        if ended.code == 127:
            raise ended.failure(verb_of(args))
        return ended

    def start(self, *args: str, pass_fds: tuple[int, ...] = ()) -> git.cmd.Git.AutoInterrupt:
        """Start git with pipes; GitPython kills and reaps it when it is let go.

        A session of its own keeps a Ctrl-C on the terminal from killing git behind our back.
        """
        command = ["env", "-i", *self._variables(), "git", *_OPTIONS, *self.place, *args]
        runner = _gitpython()
        try:
            process: git.cmd.Git.AutoInterrupt = runner.Git().execute(
                command,
                istream=subprocess.PIPE,
                as_process=True,
                shell=False,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except (OSError, ValueError, runner.GitCommandNotFound) as error:
            raise GitFailed(f"git cannot be started: {error}") from error
        return process

    def _variables(self) -> list[str]:
        let_through = {k: self.environment[k] for k in _LET_THROUGH if k in self.environment}
        return [f"{k}={v}" for k, v in {**let_through, **_FIXED, **self.extra}.items()]


def verb_of(args: tuple[str, ...]) -> str:
    """The git command in `args`, for messages: 'update-ref'."""
    options = iter(args)
    for arg in options:
        if arg == "-c":
            next(options)
        elif not arg.startswith("-"):
            return arg
    return ""


def _gitpython() -> Any:
    """GitPython; 85 ms to import, and only where git is needed."""
    try:
        import git
    except ImportError as error:  # importing it runs `git version`
        raise GitFailed(
            f"git cannot be started: {str(error).splitlines()[0]}",
            hint="install git 2.39 or newer, and have it on PATH",
        ) from error
    return git


class Conversation:
    """A git that answers requests until it is closed."""

    def __init__(self, starter: Git, *args: str) -> None:
        self._verb = verb_of(args)
        self._process: Any = starter.start(*args)
        self._err = b""
        self._ended: Ended | None = None
        self._drain = Thread(target=self._read_stderr, daemon=True)
        self._drain.start()

    def _read_stderr(self) -> None:
        stream = self._process.stderr
        while chunk := stream.read1():
            self._err = (self._err + chunk)[-_STDERR_KEPT:]

    def send(self, request: bytes) -> None:
        """Send `request` at once. Raises GitFailed where git is gone."""
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._gone() from error

    def line(self) -> bytes:
        """The next line of the answer, without its LF. Raises GitFailed where there is none."""
        line: bytes = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._gone()
        return line[:-1]

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes of the answer. Raises GitFailed where there are fewer."""
        data: bytes = self._process.stdout.read(size)
        if len(data) != size:
            raise self._gone()
        return data

    def _gone(self) -> GitFailed:
        return self.close().failure(self._verb)

    def close(self) -> Ended:
        """Let git end, and reap it."""
        if self._ended is None:
            process = self._process.proc
            with suppress(BrokenPipeError):  # where it is gone, its exit code says why
                process.stdin.close()
            process.stdout.close()
            code = process.wait()
            self._drain.join()
            process.stderr.close()
            self._ended = Ended(code, b"", self._err)
        return self._ended
