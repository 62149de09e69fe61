"""doctor names what is missing, and the cure."""

from __future__ import annotations

import dataclasses
import os
import time
from pathlib import Path

import pytest

from kpatch_rs.build import elsewhere
from kpatch_rs.commands import doctor
from kpatch_rs.commands.cures import cure_of
from kpatch_rs.commands.doctor import DoctorReport, Finding
from kpatch_rs.errors import KpatchError
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
    assert said["rustc"].endswith("/rustc); this kernel wants 1.2.0 or newer")
    assert said["CONFIG_RUST"] == "can be set"
    assert said["make rustavailable"] == "Rust is available"
    assert {f["cure"] for f in report.as_json()["findings"]} == {""}


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
    assert all(f.cure for f in found.values())
    assert found["kernel"].detail == "there is no make to ask it with"


def test_rust_src_is_missing(house: House) -> None:
    without(house)
    assert "apt install rust-web-src" in problems(doctor.run(house.session))["rust-src"].cure
    house.kernel.tool("rustup", "#!/bin/sh\necho rustup 1.27\n")
    found = problems(doctor.run(house.session))["rust-src"]
    assert found.cure == "rustup component add rust-src"


def test_rust_src_beside_its_place(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(house)
    monkeypatch.setattr(elsewhere, "RUST_SOURCES", tmp_path / "src")
    for version in ("1.2.2", "1.2.3"):
        library = tmp_path / f"src/rustc-{version}/library"
        (library / "core/src").mkdir(parents=True)
        (library / "core/src/lib.rs").touch()
    assert problems(doctor.run(house.session))["rust-src"].cure == f"export RUST_LIB_SRC={library}"


def test_tools_that_are_too_old(core: House) -> None:
    """As on a bare Debian 12: what its packages of these names give is too old."""
    without(core)
    core.kernel.tool("rustc", "#!/bin/sh\necho 'rustc 1.1.9 (abc)'\n")
    core.kernel.tool("bindgen", "#!/bin/sh\necho 'bindgen 0.60.1'\n")
    found = problems(doctor.run(core.session))
    assert found["rustc"].detail.startswith("rustc 1.1.9 (abc)")
    assert found["rustc"].detail.endswith("; this kernel wants 1.2.0 or newer")
    assert "apt install rustc-web rust-web-src" in found["rustc"].cure
    assert "rustup" in found["rustc"].cure
    assert "apt install cargo-web, then: cargo install" in found["bindgen"].cure


def test_bindgen_of_cargo_off_path(core: House, tmp_path: Path) -> None:
    without(core, "bindgen")
    program = tmp_path / "cargo/bin/bindgen"
    program.parent.mkdir(parents=True)
    program.touch()
    environment = {**core.session.environment, "CARGO_HOME": str(tmp_path / "cargo")}
    core.session = dataclasses.replace(core.session, environment=environment)
    assert problems(doctor.run(core.session))["bindgen"].cure == f"export BINDGEN={program}"


@pytest.mark.parametrize(
    ("there", "wanted", "cure"),
    [
        ((14, 19, 17), "17.0.1", "export PATH={homes}/llvm-19/bin:$PATH"),
        ((14,), "", "export PATH={homes}/llvm-14/bin:$PATH"),
        ((14,), "15.0.0", "apt install clang-19 lld-19 llvm-19, then: export PATH="),
        ((), "21.0.0", "apt install clang-21 lld-21 llvm-21 from https://apt.llvm.org, then: "),
    ],
)
def test_llvm_off_path(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    there: tuple[int, ...],
    wanted: str,
    cure: str,
) -> None:
    monkeypatch.setattr(elsewhere, "LLVM_HOMES", tmp_path)
    for version in there:
        (tmp_path / f"llvm-{version}/bin").mkdir(parents=True)
        for tool in ("clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-strip"):
            (tmp_path / f"llvm-{version}/bin" / tool).touch()
    (tmp_path / "llvm-99/bin").mkdir(parents=True)
    assert cure_of("clang", {}, {}, wanted).startswith(cure.format(homes=tmp_path))


def test_a_kernel_made_for_one_version(core: House, around: Surroundings) -> None:
    kernel = core.session.kernel
    assert kernel
    (kernel / "rustavailable").write_text("*** Rust compiler 'rustc' is too new.\n")
    around.git(kernel, "add", "-A")
    around.git(kernel, "commit", "-qm", "x")
    around.git(kernel, "tag", "-f", "v6.12.1")
    found = problems(doctor.run(core.session))["make rustavailable"]
    assert "RUSTUP_TOOLCHAIN=1.2.0" in found.cure
    assert "--version 1.2.0 bindgen-cli" in found.cure


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


def test_a_bare_repository_without_head(core: House, around: Surroundings, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    around.git(tmp_path, "init", "-q", "--bare", str(bare))
    session = dataclasses.replace(core.session, kernel=bare, series=None)
    with pytest.raises(KpatchError, match="HEAD names no commit, and there is no tag") as error:
        doctor.run(session)
    assert "fetch a kernel into it" in error.value.hint
    assert core.session.kernel
    around.git(core.session.kernel, "push", "-q", str(bare), "HEAD:refs/tags/v6.9")
    around.git(core.session.kernel, "push", "-q", str(bare), "HEAD:refs/tags/v6.12")
    said = {f.what: f.detail for f in doctor.run(session).findings}
    assert said["kernel"].startswith("v6.12 (")
