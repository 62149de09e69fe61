from __future__ import annotations

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.rust_file import RUST_FILE, RustFileEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import ObjectBuilds
from kpatch_rs.model.series import Payload, Where
from kpatch_rs.model.tree import File, TreeOverlay
from tests.trees import DictTree, NoHistory

KERNEL = {
    "init/Kconfig": b'config RUST\n\tbool "Rust support"\n',
    "scripts/Makefile.build": b"\t--crate-name $(x)\n$(obj)/%.o: $(obj)/%.rs FORCE\n",
}
SOURCE = b'// SPDX-License-Identifier: GPL-2.0\n#[no_mangle]\npub extern "C" fn f() {}\n'


def an_edit(path: str, source: bytes = SOURCE) -> RustFileEdit:
    return RustFileEdit(
        where=Where("0001.toml"),
        path=RepoPath(path.encode()),
        source=Payload("files/f.rs", source),
    )


def planned(
    path: str, files: dict[str, bytes | File] | None = None, source: bytes = SOURCE
) -> Outcome:
    tree = TreeOverlay(DictTree({**KERNEL, **(files or {})}))
    return RUST_FILE.plan(an_edit(path, source), Ground(tree, NoHistory()))


def test_a_path_that_is_no_rust_file() -> None:
    with pytest.raises(KpatchError, match=r"does not end in \.rs"):
        planned("a/f.c")


@pytest.mark.parametrize(
    ("path", "files", "source", "reason"),
    [
        ("a/f.rs", {"init/Kconfig": b"config RUST_IS_AVAILABLE\n"}, SOURCE, "no Rust support"),
        ("a/f.rs", {"scripts/Makefile.build": b"$(obj)/%.o: $(src)/%.c\n"}, SOURCE, "no rule"),
        ("a/f.rs", {"a/f.S": b""}, SOURCE, "f.o is built from a/f.S"),
        ("a/f.rs", {"f.rs": b""}, SOURCE, ""),
        ("a/b/f.rs", {"a/f.rs": b""}, SOURCE, "a/f.rs makes a crate of the same name"),
        ("a/f.x.rs", {}, SOURCE, "no such name"),
        ("a/f-x.rs", {}, SOURCE, "no such name"),
        ("a/kernel.rs", {}, SOURCE, "the kernel's own"),
        ("a/f.rs", {"a/f.rs": b"x"}, SOURCE, "with other content"),
        ("a/f.rs", {"a/f.rs/b": b"x"}, SOURCE, "is a folder"),
        ("a/f.rs", {"a/f.rs": File(SOURCE, "120000")}, SOURCE, "is a link"),
        ("a/f.rs", {}, b"fn f() {}\n", "names no licence"),
        ("a/f.rs", {}, SOURCE.replace(b"//", b"/* */ //"), "names no licence"),
        ("a/f.rs", {}, SOURCE.replace(b"no_mangle", b"export"), "has no #[export]"),
    ],
)
def test_what_is_refused(
    path: str, files: dict[str, bytes | File], source: bytes, reason: str
) -> None:
    outcome = planned(path, files, source)
    assert outcome.status is (Status.CONFLICT if reason else Status.EXACT)
    assert reason in outcome.reason
    assert not reason or outcome.hint


def test_a_file_of_the_same_stem_that_the_series_adds() -> None:
    tree = TreeOverlay(DictTree(KERNEL))
    first = RUST_FILE.plan(an_edit("a/f.rs"), Ground(tree, NoHistory()))
    second = RUST_FILE.plan(an_edit("b/f.rs"), Ground(first.tree, NoHistory()))
    assert second.status is Status.CONFLICT
    assert [str(c.place) for c in second.candidates] == ["a/f.rs:1"]


class TestProofs:
    def proof(self, path: str, files: dict[str, bytes | File]) -> ObjectBuilds:
        edit = an_edit(path)
        (found,) = RUST_FILE.proofs(edit, planned(path, files))
        assert isinstance(found, ObjectBuilds)
        return found

    def test_a_root_is_its_own_object(self) -> None:
        assert self.proof("a/f.rs", {}) == ObjectBuilds(RepoPath(b"a/f.o"), defines=("f",))

    def test_a_part_is_proven_by_its_root_and_may_have_the_stem_of_a_c_file(self) -> None:
        files: dict[str, bytes | File] = {"a/root.rs": b"mod f;\n", "a/f.c": b""}
        assert planned("a/f.rs", files).status is Status.EXACT
        assert self.proof("a/f.rs", files).target == b"a/root.o"

    def test_a_part_in_a_folder_of_the_roots_name(self) -> None:
        files: dict[str, bytes | File] = {"a/root.rs": b"mod g;\n", "a/g/mod.rs": b"mod f;\n"}
        assert self.proof("a/g/f.rs", files).target == b"a/root.o"

    def test_the_kernel_crate_has_its_own_rule(self) -> None:
        files: dict[str, bytes | File] = {"rust/kernel/lib.rs": b"pub mod f;\n"}
        assert self.proof("rust/kernel/f.rs", files).target == b"rust/kernel.o"
