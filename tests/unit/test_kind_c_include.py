from __future__ import annotations

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_include import C_INCLUDE, CIncludeEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory

FILE = RepoPath(b"drivers/foo/main.c")


def planned(source: str, header: str) -> Outcome:
    tree = TreeOverlay(DictTree({FILE.decode(): source.encode()}))
    edit = CIncludeEdit(where=Where("0001.toml"), file=FILE, header=header)
    return C_INCLUDE.plan(edit, Ground(tree, NoHistory()))


@pytest.mark.parametrize("header", ["foo.h", "<foo.h", '"a"b"', "<a\nb>", ""])
def test_a_header_without_its_delimiters(header: str) -> None:
    with pytest.raises(KpatchError, match="is not what #include takes"):
        planned("#include <a.h>\n", header)


@pytest.mark.parametrize(
    ("source", "header", "wanted"),
    [
        ("<linux/a.h> <linux/c.h>", "<linux/b.h>", "<linux/a.h> <linux/b.h> <linux/c.h>"),
        ("<linux/c.h> <linux/a.h>", "<linux/b.h>", "<linux/c.h> <linux/a.h> <linux/b.h>"),
        (
            "<linux/b.h> <linux/c.h> <asm/z.h>",
            "<linux/a.h>",
            "<linux/a.h> <linux/b.h> <linux/c.h> <asm/z.h>",
        ),
        (
            "<linux/a.h> <linux/cpufreq.h> <linux/cpu_x.h> <linux/d.h> <linux/e.h> <linux/z.h>",
            "<linux/f.h>",
            "<linux/a.h> <linux/cpufreq.h> <linux/cpu_x.h> <linux/d.h> <linux/e.h> <linux/f.h>"
            " <linux/z.h>",
        ),
        ('<linux/a.h> "z.h"', "<linux/b.h>", '<linux/a.h> <linux/b.h> "z.h"'),
        ('<linux/a.h> "x.h" "y.h"', '"z.h"', '<linux/a.h> "x.h" "y.h" "z.h"'),
        ("<linux/a.h>", '"z.h"', '<linux/a.h>  "z.h"'),
        ('"z.h"', "<linux/a.h>", '<linux/a.h>  "z.h"'),
        ('"z.h"  <linux/a.h>', '"y.h"', '"y.h" "z.h"  <linux/a.h>'),
    ],
)
def test_the_order_of_the_block(source: str, header: str, wanted: str) -> None:
    def lines(words: str) -> str:
        return "".join(f"#include {w}\n" if w else "\n" for w in words.split(" ")) + "\nint a;\n"

    outcome = planned(lines(source), header)
    file = outcome.tree.read(FILE)
    assert file and file.data.decode() == lines(wanted)
    assert outcome.place
    line = file.data.decode().splitlines()[outcome.place.line - 1]
    assert line == f"#include {header}"


def test_a_header_of_its_own_needs_no_block() -> None:
    outcome = planned("#ifndef A_H\n#define A_H\n\nint a;\n\n#endif\n", "<a.h>")
    file = outcome.tree.read(FILE)
    assert file
    assert file.data == b"#ifndef A_H\n#define A_H\n\n#include <a.h>\n\nint a;\n\n#endif\n"


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (
            "#include <const.h>\n#ifndef __ASSEMBLY__\n#include <c.h>\nint a;\n#endif\n",
            "#include <const.h>\n#ifndef __ASSEMBLY__\n#include <a.h>\n#include <c.h>\nint a;\n"
            "#endif\n",
        ),
        (
            "#include <const.h>\n#ifndef __ASSEMBLY__\nint a;\n#endif\n",
            "#include <const.h>\n#ifndef __ASSEMBLY__\n\n#include <a.h>\n\nint a;\n#endif\n",
        ),
        (
            "#ifdef __ASSEMBLER__\n.macro a\n.endm\n#else\n#include <c.h>\nint a;\n#endif\n",
            "#ifdef __ASSEMBLER__\n.macro a\n.endm\n#else\n#include <a.h>\n#include <c.h>\nint a;\n"
            "#endif\n",
        ),
    ],
)
def test_what_assembly_reads_is_left_alone(source: str, wanted: str) -> None:
    outcome = planned(source, "<a.h>")
    file = outcome.tree.read(FILE)
    assert file
    assert file.data.decode() == wanted
    assert planned(wanted, "<a.h>").status is Status.PRESENT


def test_nothing_of_it_is_for_c_alone() -> None:
    source = (
        "#ifndef A\n#define A\n#include <const.h>\n#ifdef __ASSEMBLY__\n.macro a\n.endm\n#endif\n"
    )
    assert planned(source + "#endif\n", "<a.h>").status is Status.CONFLICT


def test_no_block_at_all() -> None:
    outcome = planned("int a;\n#include <late.h>\n", "<a.h>")
    assert outcome.status is Status.CONFLICT
    assert outcome.hint
