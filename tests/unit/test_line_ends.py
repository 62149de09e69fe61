"""Every kind in a file whose lines end in CR LF: what it writes ends so, too."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kpatch_rs.engine.lift import Patch, lift
from kpatch_rs.kinds import KINDS, kind_of
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.c_declare import CDeclareEdit
from kpatch_rs.kinds.c_include import CIncludeEdit
from kpatch_rs.kinds.kbuild import KbuildEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.maintainers import MaintainersEdit
from kpatch_rs.kinds.rust_analyzer import RustAnalyzerEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath, repo_path
from kpatch_rs.model.series import Edit, Payload, Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.line_ends import as_before
from tests.trees import DictTree, NoHistory

HERE = Where("x.toml")

C = """#include <linux/a.h>
#include <linux/z.h>

int f(void)
{
	int r;

	r = g();
	if (r)
		return r;

	return 0;
}
"""
HEADER = """#ifndef F_H
#define F_H

int f(void);

#endif
"""
MAKEFILE = "foo-y := a.o \\\n\t b.o\nobj-m += foo.o\n"
KCONFIG = 'config A\n\tbool "a"\n\thelp\n\t  A.\n\nconfig Z\n\tbool "z"\n'
MENU = 'menu "m"\n\nconfig B\n\tbool "b"\n\nendmenu\n'
MAINTAINERS = """Maintainers List
----------------

A DRIVER
M:	A <a@example.org>
S:	Maintained
F:	drivers/a/

Z DRIVER
M:	Z <z@example.org>
S:	Maintained
F:	drivers/z/
"""
SCRIPT = """import pathlib

def generate(srctree):
    extra_dirs = map(lambda dir: srctree / dir, ("samples", "drivers"))
    for folder in extra_dirs:
        yield folder
"""
FILES: Mapping[str, str] = {
    "d/f.c": C,
    "d/f.h": HEADER,
    "d/Makefile": MAKEFILE,
    "d/Kconfig": KCONFIG,
    "d/Kconfig.menu": MENU,
    "MAINTAINERS": MAINTAINERS,
    "scripts/generate_rust_analyzer.py": SCRIPT,
}


def c_call(**more: str) -> Edit:
    known = {"where": HERE, "file": repo_path("d/f.c"), "function": "f", "statement": "h();"}
    return CCallEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


def c_declare(**more: str) -> Edit:
    known = {"where": HERE, "file": repo_path("d/f.h"), "prototype": "void h(void);"}
    return CDeclareEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


def kbuild(**more: object) -> Edit:
    known = {"where": HERE, "file": repo_path("d/Makefile"), "object": "r.o", "module": "foo"}
    return KbuildEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


def kconfig(**more: str) -> Edit:
    known = {"where": HERE, "file": repo_path("d/Kconfig"), "symbol": "R"}
    return KconfigEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


def maintainers(entry: str, **more: object) -> Edit:
    known = {"where": HERE, "entry": entry, "files": ("drivers/r/r.rs",)}
    return MaintainersEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


def rust_analyzer(**more: str) -> Edit:
    known = {"where": HERE, "folder": repo_path("d")}
    return RustAnalyzerEdit(**known, **more)  # type: ignore[arg-type]  # a test's own fields


BLOCK = "#ifdef CONFIG_R\nvoid h(void);\n#else\nstatic inline void h(void)\n{\n}\n#endif\n"
EDITS = (
    c_call(),
    c_call(at="entry", blank="below"),
    c_call(at="before-last-return", blank="above"),
    c_call(at="after-check", call="g", blank="both"),
    c_declare(config="R"),
    c_declare(after="f"),
    c_declare(block=BLOCK, config="R"),
    CDeclareEdit(where=HERE, file=repo_path("d/f.c"), prototype="void h(void);", before="f"),
    CIncludeEdit(where=HERE, file=repo_path("d/f.c"), header="<linux/m.h>"),
    CIncludeEdit(where=HERE, file=repo_path("d/f.h"), header='"m.h"'),
    kbuild(config="R"),
    kbuild(beside="a.o"),
    kbuild(beside="b.o", continued=True),
    kconfig(prompt="r", after="A"),
    kconfig(prompt="r", after="Z", help="Many\nlines.\n"),
    kconfig(lines='\tbool "r"\n\tdepends on A\n', after="A"),
    KconfigEdit(where=HERE, file=repo_path("d/Kconfig.menu"), symbol="R", prompt="r", menu="m"),
    maintainers("Z DRIVER"),
    maintainers("M DRIVER", status="Maintained", maintainers=("R <r@example.org>",)),
    maintainers("ZZ DRIVER", status="Maintained", maintainers=("R <r@example.org>",)),
    rust_analyzer(),
    rust_analyzer(form="lines"),
    rust_analyzer(lines='extra_dirs = [*extra_dirs, srctree / "d"]\n\n', at="loop"),
)


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def tree(ending: str) -> TreeOverlay:
    return TreeOverlay(
        DictTree({path: text.replace("\n", ending).encode() for path, text in FILES.items()})
    )


def done(edit: Edit, on: TreeOverlay) -> tuple[Status, TreeOverlay, Mapping[RepoPath, File | None]]:
    outcome = kind_of(edit).plan(edit, Ground(on, NoHistory()))
    return outcome.status, outcome.tree, outcome.tree.changed_since(on)


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: f"{e.kind}-{EDITS.index(e)}")
def test_lines_end_as_the_files_own(edit: Edit) -> None:
    """Just what it writes elsewhere, with the other ends; and it is there then."""
    plain, _, usual = done(edit, tree("\n"))
    status, after, changes = done(edit, tree("\r\n"))
    assert plain is status is Status.EXACT, status
    (wanted,), (made,) = usual.values(), changes.values()
    assert wanted
    assert made
    assert made.data == crlf(wanted.data.decode())
    assert done(edit, after)[0] is Status.PRESENT


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: f"{e.kind}-{EDITS.index(e)}")
def test_they_are_read_as_well(edit: Edit) -> None:
    before = tree("\r\n")
    _, after, _ = done(edit, before)
    patch = Patch(before=before, after=after)
    edits = lift(patch, NoHistory(), payload="files/x.diff", where=HERE, taken={})
    assert [found.kind for found in edits] == [edit.kind]


def test_every_kind_that_changes_files_is_here() -> None:
    assert {edit.kind for edit in EDITS} == set(KINDS) - {"patch", "rust-file"}


def test_a_rust_file_stays_as_its_payload_is() -> None:
    source = Payload("files/r.rs", b"// SPDX-License-Identifier: GPL-2.0\r\n\r\n//! R.\r\n")
    before = tree("\n")
    after = before.write(repo_path("d/r.rs"), File(source.data))
    patch = Patch(before=before, after=after)
    (edit,) = lift(patch, NoHistory(), payload="files/x.diff", where=HERE, taken={})
    kept = edit.source if isinstance(edit, RustFileEdit) else getattr(edit, "diff", None)
    assert isinstance(kept, Payload)
    assert b"R.\r\n" in kept.data


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        (b"a\nb\n", b"a\nx\nb\n", b"a\nx\nb\n"),
        (b"a\r\nb\r\n", b"a\nx\nb\n", b"a\r\nx\r\nb\r\n"),
        (b"a\r\nb\r\n", b"a\r\nx\nb\r\n", b"a\r\nx\r\nb\r\n"),
        (b"a\r\nb\nc\r\n", b"a\nx\nb\ny\nc\n", b"a\r\nx\r\nb\ny\nc\r\n"),
        (b"a\r\nb\n", b"x\na\nb\n", b"x\r\na\r\nb\n"),
        (b"a\nb\r\n", b"x\na\nb\ny\n", b"x\na\nb\r\ny\r\n"),
        (b"a\r\nb", b"a\nb\nx\n", b"a\r\nb\r\nx\r\n"),
        (b"a\r\nb\r\n", b"a\nb\nx", b"a\r\nb\r\nx"),
        (b"a\r\nb\rc\r\n", b"a\nx\nb\rc\n", b"a\r\nx\r\nb\rc\r\n"),
        (b"a\r\n", b"", b""),
    ],
)
def test_a_new_line_ends_as_its_neighbour(old: bytes, new: bytes, made: bytes) -> None:
    assert as_before(old, new) == made
