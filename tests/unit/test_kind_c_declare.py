from __future__ import annotations

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_declare import C_DECLARE, CDeclareEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import ObjectBuilds, Unprovable
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory

FILE = "drivers/foo/foo.h"


def an_edit(**changes: object) -> CDeclareEdit:
    fields: dict[str, object] = {
        "where": Where("0001.toml"),
        "file": RepoPath(FILE.encode()),
        "prototype": "int f(int a);",
    }
    return CDeclareEdit(**(fields | changes))  # type: ignore[arg-type]  # fields of one edit, by name


def planned(source: str, /, file: str = FILE, **changes: object) -> Outcome:
    tree = TreeOverlay(DictTree({file: source.encode()}))
    edit = an_edit(file=RepoPath(file.encode()), **changes)
    return C_DECLARE.plan(edit, Ground(tree, NoHistory()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prototype": "int f(int a)"}, "is not one C prototype"),
        ({"prototype": "int f(int a) { }"}, "is not one C prototype"),
        ({"config": "CONFIG_FOO"}, "is no Kconfig symbol"),
        ({"config": "FOO", "prototype": "int f(int);"}, "needs names"),
        ({"config": "FOO", "prototype": "struct a f(int a);"}, "not plain from its type"),
        ({"stub": "return 1;"}, "stub needs config"),
        ({"config": "FOO", "stub": "return 1"}, "not the body"),
        ({"config": "FOO", "stub": "return 1; } int g(void) {"}, "not the body"),
    ],
)
def test_what_is_wrong_in_the_recipe(changes: dict[str, object], message: str) -> None:
    with pytest.raises(KpatchError, match=message) as error:
        planned("", FILE, **changes)
    assert error.value.hint


UNDER = "#ifdef CONFIG_FOO\nint f(int b);\n#else\nstatic inline int f(int b)\n{\n}\n#endif\n"


@pytest.mark.parametrize(
    ("source", "config", "reason"),
    [
        ("int f(int);\n", None, ""),
        (UNDER, "FOO", ""),
        (UNDER, None, "declared there only under: CONFIG_FOO"),
        (UNDER, "BAR", "not under CONFIG_BAR"),
        ("int f(int a);\n", "FOO", "not under CONFIG_FOO"),
        ("#ifdef CONFIG_FOO\nint f(int a);\n#endif\n", "FOO", "without a stub"),
        ("long f(int a);\n", None, "declared otherwise"),
        ("static inline int f(int a)\n{\n}\n", None, "f() is defined there"),
        ("#define f(a) 0\n", None, "f is a macro there"),
        ("int g(int b), f(int a);\n", None, "declared otherwise there"),
        ("int (*f)(int a);\n", None, "f is declared otherwise there"),
        ("typedef int f;\n", None, "f is declared otherwise there"),
        ("enum e {\n\tf,\n};\n", None, "f is declared otherwise there"),
    ],
)
def test_what_is_there_already(source: str, config: str | None, reason: str) -> None:
    outcome = planned(source, config=config)
    assert outcome.status is (Status.CONFLICT if reason else Status.PRESENT)
    assert reason in outcome.reason
    assert not reason or outcome.candidates


@pytest.mark.parametrize(
    ("source", "file", "reason"),
    [
        ("int a;\n", "drivers/foo/foo.c", "no #include stands"),
        ("int a;\n", "include/uapi/linux/foo.h", "uapi"),
        ("#define A 1\n", "include/dt-bindings/foo.h", "dt-bindings"),
        ("#ifndef A\n#define A\n#endif\nint b;\n", FILE, "does not enclose"),
        ("#ifdef __ASSEMBLER__\n.macro a\n.endm\n#endif\n", FILE, "assembly reads it, too"),
        ("#ifdef CONFIG_A\n#ifndef __ASSEMBLY__\nint b;\n#endif\n#endif\n", FILE, "assembly"),
        ("#if defined(CONFIG_A) && !defined(__ASSEMBLY__)\nint b;\n#endif\n", FILE, "assembly"),
        ("__NR_a,\n__NR_b,\n", FILE, "no whole declaration"),
        ("SUBSYS(a)\nSUBSYS(b)\n", FILE, "no whole declaration"),
    ],
)
def test_where_nothing_can_be_declared(source: str, file: str, reason: str) -> None:
    outcome = planned(source, file)
    assert outcome.status is Status.CONFLICT
    assert reason in outcome.reason
    assert outcome.hint


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ("#ifndef A\n#define A\nint a;\n", "#endif\n"),
        ("#if !defined(A)\n#define A\nint a;\n", "#endif\n"),
        ("#ifndef A\n#define A\nMAKES(a)\n", "#endif\n"),
        ("#ifndef __ASSEMBLY__\nint a;\n", "#endif\n#define B 1\n"),
        ("#ifdef __ASSEMBLER__\n.macro a\n.endm\n#else\nint a;\n", "#endif\n"),
        ("#ifdef __KERNEL__\n#ifndef __ASSEMBLY__\nint a;\n", "#endif\n#endif\n"),
        ("#if defined(__KERNEL__) && !defined(__ASSEMBLY__)\nint a;\n", "#else\n#endif\n"),
        (
            "#ifndef _UAPI_A\n#define _UAPI_A\nstruct a {\n};\n#ifdef __KERNEL__\nint a;\n",
            "#endif /* __KERNEL__ */\n#endif /* _UAPI_A */\n",
        ),
        (
            "#ifndef A\n#define A\nint a;\n",
            "#ifndef __KERNEL__\nint user(void);\n#endif\n#endif /* A */\n",
        ),
        (
            "#ifndef A\n#define A\n#ifndef __KERNEL__\nint user;\n#else /* __KERNEL__ */\nint a;\n",
            "#endif /* !__KERNEL__ */\n#endif /* A */\n",
        ),
        (
            '#ifndef A\n#define A\n#ifdef __cplusplus\nextern "C" {\n#endif\nint a;\n',
            "#ifdef __cplusplus\n}\n#endif\n#endif\n",
        ),
        (
            '#ifndef A\n#define A\n#if defined(__cplusplus)\nextern "C" {\n#endif\nint a;\n',
            '#if defined(__cplusplus)\n} /* extern "C" */\n#endif /* __cplusplus */\n#endif\n',
        ),
        (
            "/* SPDX */\n#ifndef A /* once */\n#define A // and only once\nint a; /* one */\n",
            "#endif // !A\n/* the end */\n",
        ),
        (
            "/* above */\n#if !defined(A) /* not\n * yet */\n#define A\nint a;\n/* last */\n",
            "#endif /* #if !defined(A) */\n",
        ),
    ],
)
def test_the_end_of_what_c_reads_and_nothing_else(above: str, below: str) -> None:
    outcome = planned(above + below)
    file = outcome.tree.read(RepoPath(FILE.encode()))
    assert file
    lines = [line for line in file.data.decode().splitlines(keepends=True) if line.strip()]
    assert "".join(lines) == above + "int f(int a);\n" + below


def test_a_header_without_a_last_newline() -> None:
    outcome = planned("#pragma once\nint a;")
    file = outcome.tree.read(RepoPath(FILE.encode()))
    assert file and file.data == b"#pragma once\nint a;\n\nint f(int a);\n"


def test_the_end_of_the_guard_keeps_a_blank_line_above_it() -> None:
    def header(block: str) -> str:
        return f"#ifndef A\n#define A\n\nstruct a {{\n}};\n{block}#endif /* A */\n"

    outcome = planned(header(""), config="FOO")
    file = outcome.tree.read(RepoPath(FILE.encode()))
    stub = "static inline int f(int a)\n{\n\treturn 0;\n}\n"
    block = f"\n#if IS_ENABLED(CONFIG_FOO)\nint f(int a);\n#else\n{stub}#endif\n\n"
    assert file and file.data.decode() == header(block)


def proofs(files: dict[str, str]) -> object:
    tree = TreeOverlay(DictTree({path: text.encode() for path, text in files.items()}))
    edit = an_edit()
    (proof,) = C_DECLARE.proofs(edit, C_DECLARE.plan(edit, Ground(tree, NoHistory())))
    return proof


def test_the_source_of_the_same_name_proves_a_header() -> None:
    source = '#include "foo.h"\n'
    both = {FILE: "", "drivers/foo/foo.c": source, "drivers/foo/a.c": source}
    assert proofs(both) == ObjectBuilds(RepoPath(b"drivers/foo/foo.o"), off_too=True)
    other = {FILE: "", "drivers/foo/foo.c": "", "drivers/foo/a.c": source}
    assert proofs(other) == ObjectBuilds(RepoPath(b"drivers/foo/a.o"), off_too=True)
    assert isinstance(proofs({FILE: "", "drivers/foo/foo.c": "// foo.h\n"}), Unprovable)


def test_an_include_guard_is_no_configuration() -> None:
    """The name of include/linux/kconfig.h's own has CONFIG_ in it."""
    header = "#ifndef {0}\n#define {0}\n\nint f(int a);\n\n#endif\n"
    for guard in ("__LINUX_KCONFIG_H", "CONFIG_FOO_H"):
        assert planned(header.format(guard)).status is Status.PRESENT


ODD = "#ifdef CONFIG_FOO\nint f(int a);\n#else\nstatic inline int f(int a) { return 0; }\n#endif\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"block": "int g(int a);\n"}, "it has no such prototype"),
        ({"block": "long f(int a);\n"}, "is declared otherwise in it"),
        ({"block": ODD}, "declared in it only under"),
        ({"block": ODD, "config": "BAR"}, "not under CONFIG_BAR"),
        ({"block": "int f(int a);\n", "config": "FOO"}, "not under CONFIG_FOO"),
        ({"block": ODD, "config": "FOO", "stub": "return 0;"}, "block has the stub in it"),
        ({"after": "g", "before": "h"}, "exclude each other"),
    ],
)
def test_a_block_says_what_the_recipe_says(changes: dict[str, object], message: str) -> None:
    with pytest.raises(KpatchError, match=message) as error:
        planned("int g(void);\n", FILE, **changes)
    assert error.value.hint


@pytest.mark.parametrize(("at", "above"), [("after", True), ("before", False)])
def test_beside_another_one_and_its_stub(at: str, above: bool) -> None:
    """Never between the arms of the #if that a declaration shares with its stub."""
    other = ODD.replace("f(", "g(")
    outcome = planned(other, block=ODD, config="FOO", **{at: "g"})
    assert outcome.status is Status.EXACT
    file = outcome.tree.read(RepoPath(FILE.encode()))
    assert file
    assert file.data.decode() == (other + ODD if above else ODD + other)


def test_above_a_function_is_above_its_comment() -> None:
    source = "#include <a.h>\n\n/* What g does. */\nint g(void)\n{\n\treturn 0;\n}\n"
    outcome = planned(source, file="a.c", before="g")
    file = outcome.tree.read(RepoPath(b"a.c"))
    assert file
    assert file.data.decode() == source.replace("/* What", "int f(int a);\n\n/* What")


def test_a_neighbour_that_is_gone_is_asked_for() -> None:
    source = "int g_open(void)\n{\n\treturn 0;\n}\n"
    outcome = planned(source, file="a.c", after="g_opened")
    assert outcome.status is Status.CONFLICT
    assert "after = " in outcome.hint
    assert [str(c.place) for c in outcome.candidates] == ["a.c:1"]
    assert [c.what for c in outcome.candidates] == ["g_open()"]
    assert not planned(source, file="a.c", after="other").candidates, (
        "and nothing that is no answer"
    )
