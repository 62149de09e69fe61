"""check and doctor as verbs: a real repository, a real series, and a make that only pretends."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kpatch_rs.build.workspace import Busy
from kpatch_rs.commands import apply, check
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.gitio.oplog import OperationLog
from kpatch_rs.gitio.worktree import BuildTree
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.proof import Result
from tests.fake_kernel import FakeKernel
from tests.faults.work import forked
from tests.repos import Surroundings

FILES = {
    "Makefile": b"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n",
    "Kconfig": b'source "init/Kconfig"\nsource "kvm/Kconfig"\n',
    "init/Kconfig": b'config RUST\n\tbool "Rust"\n',
    "kvm/Kconfig": b'config KVM\n\tbool "KVM"\n\tdepends on RUST\n',
    "kvm/Makefile": b"kvm-y += x86.o\n\nobj-$(CONFIG_KVM) += kvm.o\n",
    "kvm/x86.c": b"int kvm_init(void)\n{\n\treturn 0;\n}\n",
    "scripts/Makefile.build": b"$(obj)/%.o: $(obj)/%.rs FORCE\n\t$(call if_changed_rule)\n",
    "scripts/min-tool-version.sh": b"echo 1.2.0\n",
}

SOURCE = """// SPDX-License-Identifier: GPL-2.0

//! A greeting.

use kernel::prelude::*;

/// Says hello.
#[no_mangle]
pub extern "C" fn hello() {}
"""

RECIPES = {
    "0001-file.toml": """id = "file"
subject = "kvm: Add a greeting"
author = "A Maintainer <a@example.org>"
[[edit]]
kind = "rust-file"
path = "kvm/hello.rs"
source = "files/hello.rs"
""",
    "0002-hook.toml": """id = "hook"
subject = "kvm: Build the greeting"
author = "A Maintainer <a@example.org>"
[[edit]]
kind = "kbuild"
file = "kvm/Makefile"
module = "kvm"
object = "hello.o"
""",
    "0003-later.toml": """id = "later"
subject = "kvm: For newer kernels"
author = "A Maintainer <a@example.org>"
when = { min = "7.0" }
[[edit]]
kind = "rust-file"
path = "kvm/later.rs"
source = "files/hello.rs"
""",
}

SERIES = """format = 1
name = "{name}"
base = "v6.12.1"
change-id = "20261122-hello-3f1c9a7d52e0"
[check]
config = "kvm.config"
"""


@dataclasses.dataclass
class House:
    session: Session
    kernel: FakeKernel
    folder: Path

    def stated(self, verb: str = "check") -> dict[str, Result]:
        report = check.run(self.session, step=None, fresh=False, trust=False)
        return {record.id: v.result for record, v in report.rows if v}


@pytest.fixture
def house(tmp_path: Path, around: Surroundings) -> House:
    fake = FakeKernel(tmp_path / "fake")
    make = (fake.bin / "make").read_text()
    walk = '"\\n".join(f.read_text() for f in sorted(tree.rglob("Kconfig")))'
    fake.tool("make", make.replace('(tree / "Kconfig").read_text()', walk))
    repository = around.kernel(tmp_path / "linux", FILES)
    folder = tmp_path / "series" / "hello"
    (folder / "files").mkdir(parents=True)
    (folder / "series.toml").write_text(SERIES.format(name="hello"))
    (folder / "files/hello.rs").write_text(SOURCE)
    (folder / "kvm.config").write_text("CONFIG_KVM=y\nCONFIG_RUST=y\n")
    for name, text in RECIPES.items():
        (folder / name).write_text(text)
    path = f"{fake.bin}:{os.environ['PATH']}"
    session = Session(
        kernel=repository,
        series="hello",
        cwd=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment={**around.environment, "PATH": path},
        progress=lambda _: None,
    )
    rendered = apply.run(session, onto=None, branch=None, dry_run=False)
    assert rendered.exit_code == 0, rendered.as_text()
    return House(session, fake, folder)


def test_passes_and_is_known_afterwards(house: House) -> None:
    """Nothing changed: no make, and not even a checkout."""
    report = check.run(house.session, step=None, fresh=False, trust=False)
    assert report.exit_code == 0
    assert [v.proofs if v else r.status for r, v in report.rows] == [
        ("kvm/hello.o builds, defines hello",),
        ("kvm/hello.o is listed in kvm/kvm.mod",),
        "skipped",
    ]
    assert house.kernel.calls()
    shutil.rmtree(house.session.cache / "trees")
    again = check.run(house.session, step=None, fresh=False, trust=False)
    assert house.kernel.calls() == []
    assert not (house.session.cache / "trees").exists()
    assert "2 passed (2 known from before), on v6.12.1 for x86_64." in again.as_text()


def test_json_says_why_a_step_has_no_verdict(house: House) -> None:
    report = check.run(house.session, step=None, fresh=False, trust=False)
    document = json.loads(json.dumps(report.as_json()))
    assert [s["verdict"] for s in document["steps"]] == ["passed", "passed", None]
    assert document["steps"][2]["reason"] == "the kernel is 6.12.1, before 7.0"


def test_fresh_builds_again(house: House) -> None:
    house.stated()
    house.kernel.calls()
    check.run(house.session, step=None, fresh=True, trust=False)
    assert "kvm/hello.o" in house.kernel.calls()


def test_one_step(house: House) -> None:
    report = check.run(house.session, step="hook", fresh=False, trust=False)
    assert [r.id for r, _ in report.rows] == ["hook"]
    assert "kvm/hello.o" not in house.kernel.calls()
    with pytest.raises(KpatchError, match="no step 'hok'") as error:
        check.run(house.session, step="hok", fresh=False, trust=False)
    assert error.value.hint == "did you mean 'hook'? the steps are: file, hook, later"


def test_a_failure_exits_4_and_shows_its_lines(house: House) -> None:
    (house.folder / "files/hello.rs").write_text(SOURCE + "// BROKEN\n")
    apply.run(house.session, onto=None, branch=None, dry_run=False)
    report = check.run(house.session, step=None, fresh=False, trust=False)
    assert report.exit_code == 4
    assert house.stated() == {"file": Result.FAILED, "hook": Result.PASSED}
    text = report.as_text()
    assert "file: failed at kvm/hello.o: pr_*!() wants the log prefix" in text
    assert "error[E0425]: cannot find value `__LOG_PREFIX`" in text
    assert str(house.session.cache) not in text


def test_other_tools_are_another_question(house: House) -> None:
    house.stated()
    house.kernel.calls()
    house.kernel.tool("rustc", "#!/bin/sh\necho rustc 1.99.0\n")
    house.stated()
    assert "kvm/hello.o" in house.kernel.calls()


def test_a_changed_series_is_not_checked(house: House) -> None:
    recipe = house.folder / "0001-file.toml"
    recipe.write_text(recipe.read_text().replace("Add a greeting", "Add another"))
    with pytest.raises(KpatchError, match=r"changed since it was rendered on v6\.12\.1") as error:
        house.stated()
    assert "kpatch-rs apply" in error.value.hint


def test_a_series_from_elsewhere_needs_trust(house: House) -> None:
    """Until something has to be built, nobody is asked."""
    elsewhere = dataclasses.replace(house.session, cwd=house.folder, series=str(house.folder))
    with pytest.raises(Refused, match="building a series runs its code") as error:
        check.run(elsewhere, step=None, fresh=False, trust=False)
    assert "--trust" in error.value.hint
    assert house.kernel.calls() == []
    assert check.run(elsewhere, step=None, fresh=False, trust=True).exit_code == 0
    assert check.run(elsewhere, step=None, fresh=True, trust=False).exit_code == 0


def test_stored_verdicts_build_nothing(house: House) -> None:
    series = house.session.load_series()
    with house.session.open_kernel() as repository:
        view = OperationLog(repository, series.name).current()
        assert view
        before = check.stored_verdicts(house.session, series, repository, view)
        assert before == (None, None, None)
        assert house.kernel.calls() == []
        house.stated()
        after = check.stored_verdicts(house.session, series, repository, view)
    assert [v.result if v else None for v in after] == [Result.PASSED, Result.PASSED, None]


def test_the_users_repository_is_untouched(house: House, around: Surroundings) -> None:
    kernel = house.session.kernel
    assert kernel
    (kernel / "kvm/x86.c").write_text("dirty\n")
    look: Callable[[], tuple[str, str]] = lambda: (  # noqa: E731
        around.refs(kernel),
        around.git(kernel, "status", "--porcelain", "--ignored"),
    )
    before = look()
    house.stated()
    assert look() == before


def test_not_rendered_yet(house: House) -> None:
    (house.folder / "series.toml").write_text(SERIES.format(name="other"))
    house.folder.rename(house.folder.with_name("other"))
    session = dataclasses.replace(house.session, series="other")
    with pytest.raises(KpatchError, match="series other is not rendered yet"):
        check.run(session, step=None, fresh=False, trust=False)


def killed_check(house: House) -> int:
    return forked(lambda: check.run(house.session, step=None, fresh=False, trust=False))


def test_killed_while_make_runs(house: House) -> None:
    """The make lives on and keeps others away; what it leaves is not believed."""
    whole, go = (house.kernel.bin / "make").read_text(), house.folder / "go"
    deed = (
        'if t == "kvm/hello.o":\n        import os, time\n        p = out / t\n'
        '        p.parent.mkdir(exist_ok=True)\n        p.write_text("T ha")\n'
        "        os.kill(os.getppid(), 9)\n        end = time.monotonic() + 600\n"
        f"        while not os.path.exists({str(go)!r}) and time.monotonic() < end:\n"
        "            time.sleep(0.02)\n        continue\n    if t =="
    )
    house.kernel.tool("make", whole.replace("if t ==", deed, 1))
    assert killed_check(house) == -signal.SIGKILL
    up_to_date = 'if t == "kvm/hello.o" and (out / t).exists():\n        continue\n    if t =='
    house.kernel.tool("make", whole.replace("if t ==", up_to_date, 1))
    with pytest.raises(Busy, match="a check is at work in"):
        house.stated()
    go.touch()
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        with contextlib.suppress(Busy):
            stated = house.stated()
            break
        time.sleep(0.1)
    assert stated == {"file": Result.PASSED, "hook": Result.PASSED}


def test_killed_in_the_middle_of_a_checkout(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of one step, the index of another: the next check looks at every file."""
    read_tree = BuildTree._read_tree

    def half_done(tree: BuildTree, commit: Oid, lock: int) -> None:
        read_tree(tree, commit, lock)
        (tree.path / "kvm/hello.rs").write_text("BROKEN")
        (tree.path / "kvm/Kconfig.new").touch()
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(BuildTree, "_read_tree", half_done)
        assert killed_check(house) == -signal.SIGKILL
    assert house.stated() == {"file": Result.PASSED, "hook": Result.PASSED}
    assert not list((house.session.cache / "trees").rglob("Kconfig.new"))


@pytest.mark.parametrize("place", ["verdicts", "out"])
def test_a_cache_that_cannot_be_written(house: House, place: str) -> None:
    """As on a full disk: one error that names the file, and nothing that looks like a verdict."""
    house.session.cache.mkdir(exist_ok=True)
    (house.session.cache / place).touch()
    with pytest.raises(KpatchError, match=f"/{place}") as error:
        house.stated()
    assert "see that there is room in" in error.value.hint
    (house.session.cache / place).unlink()
    assert house.stated() == {"file": Result.PASSED, "hook": Result.PASSED}
