"""doctor names what is missing, and the cure."""

from __future__ import annotations

import dataclasses
import os
import time

import pytest

from kpatch_rs.commands import doctor
from kpatch_rs.commands.doctor import DoctorReport, Finding
from tests.cli.test_check import House, house
from tests.repos import Surroundings

__all__ = ["house"]


@pytest.fixture
def core(house: House) -> House:
    """With the source of Rust's core library."""
    library = house.folder.parents[1] / "library"
    (library / "core/src").mkdir(parents=True)
    (library / "core/src/lib.rs").touch()
    house.kernel.tool("perl", "#!/bin/sh\necho perl 5.36\n")
    environment = {**house.session.environment, "RUST_LIB_SRC": str(library)}
    house.session = dataclasses.replace(house.session, environment=environment)
    return house


def problems(report: DoctorReport) -> dict[str, Finding]:
    return {f.what: f for f in report.findings if not f.fine}


def without(house: House, *tools: str) -> None:
    """A PATH with the fake tools and git, and nothing of this machine's."""
    git = next(p for d in os.environ["PATH"].split(":") if os.access(p := f"{d}/git", os.X_OK))
    for name, path in (("git", git), ("sh", "/bin/sh")):
        house.kernel.tool(name, f'#!/bin/sh\nexec {path} "$@"\n')
    for tool in tools:
        (house.kernel.bin / tool).unlink()
    environment = {**house.session.environment, "PATH": str(house.kernel.bin)}
    house.session = dataclasses.replace(house.session, environment=environment)


def test_all_is_fine(core: House) -> None:
    report = doctor.run(core.session)
    assert problems(report) == {}
    assert report.exit_code == 0
    said = {f.what: f.detail for f in report.findings}
    assert said["rustc version"] == "this kernel wants 1.2.0 or newer, and rustc is 1.2.3"
    assert said["CONFIG_RUST"] == "can be set"
    assert said["make rustavailable"] == "Rust is available"


def test_missing_tools_and_their_cures(core: House) -> None:
    without(core, "rustc", "bindgen", "flex")
    report = doctor.run(dataclasses.replace(core.session, kernel=None))
    assert report.exit_code == 1
    assert set(problems(report)) == {"rustc", "bindgen", "flex"}
    assert "flex: apt install flex" in report.as_text()
    assert "bindgen-cli" in problems(report)["bindgen"].cure


def test_no_make_at_all(core: House) -> None:
    without(core, "make")
    found = problems(doctor.run(core.session))
    assert found["kernel"].detail == "there is no make to ask it with"


def test_rust_src_is_missing(house: House) -> None:
    without(house)
    assert "rustup component add rust-src" in problems(doctor.run(house.session))["rust-src"].cure


def test_a_rustc_that_is_too_old(core: House) -> None:
    core.kernel.tool("rustc", "#!/bin/sh\necho 'rustc 1.1.9 (abc)'\n")
    found = problems(doctor.run(core.session))["rustc version"]
    assert found.detail == "this kernel wants 1.2.0 or newer, and rustc is 1.1.9"


def test_what_stands_in_the_way_of_config_rust(core: House, around: Surroundings) -> None:
    kernel = core.session.kernel
    assert kernel
    (kernel / "init/Kconfig").write_text('config RUST\n\tbool "Rust"\n\tdepends on HAVE_RUST\n')
    around.git(kernel, "commit", "-aqm", "x")
    around.git(kernel, "tag", "-f", "v6.12.1")
    found = problems(doctor.run(core.session))["CONFIG_RUST"]
    assert found.detail == "depends on HAVE_RUST (HAVE_RUST is n)"


def test_leftovers_of_a_killed_git(core: House) -> None:
    kernel = core.session.kernel
    assert kernel
    stale, young = kernel / ".git/refs/heads/x.lock", kernel / ".git/refs/heads/y.lock"
    pack = kernel / ".git/objects/pack/tmp_pack_1"
    for file in (stale, young, pack):
        file.touch()
    old = time.time() - 7200
    for file in (stale, pack):
        os.utime(file, (old, old))
    report = doctor.run(core.session)
    left = [f.detail for f in report.findings if f.what == "left over"]
    assert left == [f"{pack}, of a git that was killed", f"{stale}, of a git that was killed"]
    assert stale.exists(), "named, never removed"
