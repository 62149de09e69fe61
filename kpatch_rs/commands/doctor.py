"""doctor: what this machine lacks to render, and to build Rust in this kernel, with the cure.

Guarantees: reads the repository and never changes it; with -k it runs the kernel's own scripts, in
kpatch-rs's build tree and not in the user's, and none of the series' code.
"""

from __future__ import annotations

import importlib.metadata
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpatch_rs.build.config import lost, read_fragment
from kpatch_rs.build.failure import MakeFailed
from kpatch_rs.build.make import NoMake
from kpatch_rs.build.toolchain import (
    find_tool,
    find_tools,
    identity,
    least_version,
    rust_available,
    rust_sources,
)
from kpatch_rs.build.unmet import unmet_in_tree
from kpatch_rs.build.workspace import Workspace
from kpatch_rs.commands.cures import cure_of, pinned_cure
from kpatch_rs.commands.proving import in_cache, open_workspace
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.series import CheckSettings, Payload
from kpatch_rs.report import clean, table

if TYPE_CHECKING:
    from kpatch_rs.gitio.repository import Repository

_GITPYTHON = (3, 1, 45)
"""Floor of pyproject.toml; older ones have known holes (GitPython's security advisories)."""

_DEFAULT = Payload("built-in fragment", b"CONFIG_64BIT=y\nCONFIG_RUST=y\n")
"""What is configured where no series says otherwise."""

_OLD = 3600.0
"""Seconds after which a lock or an unfinished pack is not of a git that still runs."""


_ASKED: Mapping[str, str] = {"rustc": "rustc", "bindgen": "bindgen", "clang": "llvm", "gcc": "gcc"}
"""Tools that scripts/min-tool-version.sh has an opinion of, by the name it has for them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    detail: str
    cure: str = ""
    """A command or a sentence; '' where all is well."""

    @property
    def fine(self) -> bool:
        """Whether there is nothing to do about it."""
        return not self.cure


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Everything that was looked at."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 where all is fine, 1 otherwise."""
        return 0 if all(f.fine for f in self.findings) else 1

    def as_json(self) -> dict[str, Any]:
        """One entry per finding; `cure` is empty where it is fine."""
        return {
            "findings": [
                {"what": f.what, "fine": f.fine, "detail": f.detail, "cure": f.cure}
                for f in self.findings
            ]
        }

    def as_text(self) -> str:
        """A table, then what to do."""
        rows = [(f.what, "ok" if f.fine else "PROBLEM", f.detail) for f in self.findings]
        cures = dict.fromkeys(f"{f.what}: {f.cure}" for f in self.findings if f.cure)
        blocks = [table(("what", "state", "detail"), rows)]
        blocks += [clean("\n".join(["to do:", *(f"  {cure}" for cure in cures)]))] if cures else []
        return "\n\n".join(blocks)


def run(session: Session) -> DoctorReport:
    """Look at tools, repository, and how the kernel takes to both.

    The kernel is the series' base where -s names one with a base, HEAD or the newest tag otherwise;
    without -k only the tools are looked at. Raises KpatchError for a series or repository that
    cannot be read.
    """
    series = session.load_series() if session.series else None
    settings = series.check if series else CheckSettings(config=_DEFAULT)
    findings = [*_python()]
    if session.kernel is None:
        return DoctorReport((*findings, *_tools(session, settings, {})))
    with session.open_kernel() as repository:
        name = (series.base if series else "") or _newest(repository)
        base = repository.resolve(name)
        findings.append(Finding("kernel", f"{name} ({base[:12]})"))
        with in_cache(session):
            findings += _kernel(session, settings, repository, base)
    return DoctorReport(tuple(findings))


def _newest(repository: Repository) -> str:
    """HEAD; the newest kernel that has a tag, where HEAD names no commit, as in many bare clones.

    Raises KpatchError where there is neither.
    """
    if name := repository.newest():
        return name
    raise KpatchError(
        f"{repository.common_dir}: HEAD names no commit, and there is no tag",
        hint="fetch a kernel into it, or say which with -s SERIES of a series that has a base",
    )


def _python() -> Iterator[Finding]:
    version = importlib.metadata.version("GitPython")
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:3])
    yield Finding("GitPython", version, "" if numbers >= _GITPYTHON else "pip install -U GitPython")


def _tools(
    session: Session, settings: CheckSettings, least: Mapping[str, str]
) -> Iterator[Finding]:
    """Each tool, against the least version the kernel wants; any will do where none is known."""
    environment = session.environment
    git = find_tool("git", "git", environment)
    tools = {"git": git, **find_tools(settings.toolchain, environment)}
    for name, tool in tools.items():
        wanted = least.get(name, "")
        fine = tool is not None and _numbers(tool.number) >= _numbers(wanted)
        said = f"{tool.version} ({tool.path})" if tool else "not on PATH, or it does not run"
        detail = f"{said}; this kernel wants {wanted} or newer" if wanted else said
        yield Finding(name, detail, "" if fine else cure_of(name, tools, environment, wanted))
    source = rust_sources(tools["rustc"], environment)
    detail = str(source) if source else "the source of Rust's core library is not there"
    yield Finding("rust-src", detail, "" if source else cure_of("rust-src", tools, environment))


def _leftovers(common: Path) -> Iterator[Finding]:
    """Locks and packs a killed git left: named, never removed."""
    places = (common / "refs" / "kpatch", common / "refs" / "heads")
    stale = [f for p in places for f in p.rglob("*.lock") if _is_old(f)]
    stale += [f for f in (common / "objects" / "pack").glob("tmp_pack*") if _is_old(f)]
    for file in sorted(stale):
        cure = f"see that no git is at work there, then: rm {file}"
        yield Finding("left over", f"{file}, of a git that was killed", cure)
    if not stale:
        yield Finding("repository", f"{common}: nothing left over")


def _is_old(file: Path) -> bool:
    try:
        return time.time() - file.stat().st_mtime > _OLD
    except FileNotFoundError:
        return False


def _kernel(
    session: Session, settings: CheckSettings, repository: Repository, base: Oid
) -> Iterator[Finding]:
    """What the kernel itself says of the tools, and what its configuration makes of CONFIG_RUST."""
    tools = identity(settings.toolchain, session.environment)
    tree, workspace = open_workspace(session, settings, repository, base, tools)
    with workspace.held():
        session.progress(f"doctor: checking out {base[:12]}")
        tree.checkout(base)
        least = {name: least_version(workspace.make, asked) for name, asked in _ASKED.items()}
        yield from _tools(session, settings, least)
        yield from _leftovers(repository.common_dir)
        try:
            yield _rust(workspace, least)
            session.progress("doctor: configuring")
            yield _config_rust(settings, workspace)
        except NoMake as error:
            yield Finding("kernel", "there is no make to ask it with", error.hint)


def _numbers(version: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", version)]


def _rust(workspace: Workspace, least: Mapping[str, str]) -> Finding:
    available = rust_available(workspace.make)
    if available.pinned:
        cure = pinned_cure(least["rustc"], least["bindgen"])
    elif available.usable:
        cure = ""
    else:
        cure = "see to the tools above, and to Documentation/rust/quick-start.rst in the kernel"
    return Finding("make rustavailable", available.remarks or "Rust is available", cure)


def _config_rust(settings: CheckSettings, workspace: Workspace) -> Finding:
    """Whether olddefconfig keeps CONFIG_RUST=y, and what stands in its way."""
    wanted = {**read_fragment(settings.config), "RUST": "y"}
    try:
        kept = workspace.configure(wanted)
    except MakeFailed as failed:
        told = failed.failure
        cure = told.hint or "see to the tools above"
        return Finding("CONFIG_RUST", f"make {told.target}: {told.reason}", cure)
    if not lost({"RUST": "y"}, kept):
        return Finding("CONFIG_RUST", "can be set")
    why = "; ".join(unmet_in_tree(workspace.tree, "RUST", kept))
    cure = "change the series' Kconfig fragment, or [check] start, so that these are met"
    return Finding("CONFIG_RUST", why or "olddefconfig drops it", cure)
