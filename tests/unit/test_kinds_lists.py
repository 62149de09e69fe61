"""Recipes that no kernel could make right, and what the four list kinds ask a build to prove."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.kbuild import KBUILD, KbuildEdit
from kpatch_rs.kinds.kconfig import KCONFIG, KconfigEdit
from kpatch_rs.kinds.maintainers import MAINTAINERS, MaintainersEdit
from kpatch_rs.kinds.rust_analyzer import RUST_ANALYZER, RustAnalyzerEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import AnalyzerLists, Maintained, Member, Reachable, Unprovable
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory

HERE = Where("0001.toml")


def ground(**files: bytes) -> Ground:
    named = {path.replace("__", "/"): data for path, data in files.items()}
    return Ground(TreeOverlay(DictTree(named)), NoHistory())


def outcome(at: Ground) -> Outcome:
    return Outcome(status=Status.EXACT, tree=at.tree)


def kbuild(
    object_: str = "r.o", module: str | None = "foo", config: str | None = None
) -> KbuildEdit:
    file = RepoPath(b"d/Makefile")
    return KbuildEdit(where=HERE, file=file, object=object_, module=module, config=config)


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (kbuild("r.rs"), "object 'r.rs' names no object file"),
        (kbuild("a.o b.o"), "object 'a.o b.o' names no object file"),
        (kbuild(module="foo.o"), "module 'foo.o' names no composite"),
        (kbuild(config="CONFIG_FOO"), "config 'CONFIG_FOO' names no Kconfig symbol"),
        (kbuild(config="A) x"), "config 'A) x' names no Kconfig symbol"),
        (kbuild("foo.o"), "object 'foo.o' is the module itself"),
        (replace(kbuild(), after="mm/"), "after 'mm/' names no object file"),
        (replace(kbuild(), after="a.o", beside="b.o"), "after 'a.o' and beside exclude each other"),
    ],
)
def test_kbuild_refuses(edit: KbuildEdit, said: str) -> None:
    with pytest.raises(KpatchError, match=r"^\w+ '") as refused:
        KBUILD.plan(edit, ground(d__Makefile=b""))
    assert refused.value.message == said
    assert refused.value.hint


def kconfig(**fields: object) -> KconfigEdit:
    known = {"where": HERE, "file": RepoPath(b"d/Kconfig"), "symbol": "R", "prompt": "r"}
    return KconfigEdit(**{**known, **fields})  # type: ignore[arg-type]  # a test's own fields


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (kconfig(symbol="CONFIG_R"), "symbol 'CONFIG_R': Kconfig adds CONFIG_ itself"),
        (kconfig(depends=("A\n\tselect B",)), "R: a line break or control character in a value"),
        (kconfig(after="A", before="B"), "R: after and before exclude each other"),
        (
            kconfig(depends=("A &&",)),
            "symbol, depends, select or default is no valid Kconfig:"
            ' config R / \tbool "r" / \tdepends on A &&',
        ),
    ],
)
def test_kconfig_refuses(edit: KconfigEdit, said: str) -> None:
    with pytest.raises(KpatchError) as refused:
        KCONFIG.plan(edit, ground(d__Kconfig=b""))
    assert refused.value.message == said
    assert refused.value.hint


@pytest.mark.parametrize(
    ("entry", "files", "said"),
    [
        ("M:\tx", ("f",), "'M:\tx' reads as a tagged line, not as an entry's title"),
        ("M: x", ("f",), "'M: x' reads as a tagged line, not as an entry's title"),
        ("FOO", ("f\nM: me",), "'f\\nM: me' cannot stand in a line of MAINTAINERS"),
        ("FOO", (), "FOO: no file to add"),
    ],
)
def test_maintainers_refuses(entry: str, files: tuple[str, ...], said: str) -> None:
    with pytest.raises(KpatchError) as refused:
        MAINTAINERS.plan(MaintainersEdit(where=HERE, entry=entry, files=files), ground())
    assert refused.value.message == said
    assert refused.value.hint


def test_a_title_with_a_tab() -> None:
    """6.12 has one: "HPET:<tab>High Precision Event Timers driver"."""
    data = b"Maintainers List\n---\n\nHPET:\tTimers\nF:\td/h.c\n"
    edit = MaintainersEdit(where=HERE, entry="HPET:\tTimers", files=("d/h.c",))
    assert MAINTAINERS.plan(edit, ground(MAINTAINERS=data)).status is Status.PRESENT


def test_prompt_quotes_are_escaped() -> None:
    text = kconfig(prompt='a "b" \\').entry()
    assert text == b'config R\n\tbool "a \\"b\\" \\\\"\n'


def test_member_is_named_from_the_folder_make_descends_into() -> None:
    """An included file's objects are relative to the folder of the file that includes it."""
    makefile = b"include $(src)/sub/Kbuild\nobj-m += foo.o\n"
    at = ground(d__Makefile=makefile, d__sub__Kbuild=b"foo-y := sub/a.o\n")
    file = RepoPath(b"d/sub/Kbuild")
    edit = KbuildEdit(where=HERE, file=file, object="sub/r.o", module="foo", config="R")
    wanted = Member(RepoPath(b"d/sub/r.o"), RepoPath(b"d/foo.mod"), "R")
    assert KBUILD.proofs(edit, outcome(at)) == [wanted]


def test_own_object_has_no_module() -> None:
    at = ground(d__Makefile=b"obj-y += a.o\n")
    proofs = KBUILD.proofs(kbuild(module=None), outcome(at))
    assert proofs == [Member(RepoPath(b"d/r.o"), None, None)]


def test_a_line_at_the_end_of_a_file_without_newline() -> None:
    """A list in columns that ends the file with its backslash must not swallow the new line."""
    at = ground(d__Makefile=b"obj-m += foo.o\nfoo-y := a.o \\")
    done = KBUILD.plan(kbuild(), at)
    made = done.tree.read(RepoPath(b"d/Makefile"))
    assert made is not None
    assert made.data == b"obj-m += foo.o\nfoo-y := a.o \\\n\nfoo-y += r.o\n"
    assert str(done.place) == "d/Makefile:4"


def test_only_a_switch_with_a_prompt_is_reachable() -> None:
    at = outcome(ground())
    assert KCONFIG.proofs(kconfig(), at) == [Reachable("R")]
    for edit in (kconfig(prompt=None), kconfig(type="int")):
        (proof,) = KCONFIG.proofs(edit, at)
        assert isinstance(proof, Unprovable)


def test_analyzer_roots_follow_the_script_s_rule() -> None:
    """Only a Makefile or Kbuild beside the file counts, and any mention in it does."""
    files = {"d/a.rs": b"", "d/b.rs": b"", "d/sub/c.rs": b"", "d/sub/a.rs": b""}
    base = DictTree({**files, "d/Makefile": b"# a.o is built above\n", "d/sub/Kbuild": b"c.o"})
    at = Ground(TreeOverlay(base), NoHistory())
    edit = RustAnalyzerEdit(where=HERE, folder=RepoPath(b"d"))
    assert RUST_ANALYZER.proofs(edit, outcome(at)) == [
        AnalyzerLists((RepoPath(b"d/a.rs"), RepoPath(b"d/sub/c.rs")))
    ]


def test_maintained_is_asked_for_plain_paths_only() -> None:
    edit = MaintainersEdit(where=HERE, entry="FOO", files=("d/", "d/*.c", "d/r.rs"))
    assert MAINTAINERS.proofs(edit, outcome(ground())) == [Maintained(RepoPath(b"d/r.rs"), "FOO")]
    (proof,) = MAINTAINERS.proofs(
        MaintainersEdit(where=HERE, entry="FOO", files=("d/",)), outcome(ground())
    )
    assert isinstance(proof, Unprovable)


@pytest.mark.parametrize(
    ("lines", "new", "index"),
    [
        (("a-1.o", "a-2.o", "a-3.o"), "a-2-rust.o", 2),
        (("c.o", "a.o", "b.o"), "aa.o", 3),
        (("b.o", "c/", "d.o"), "a.o", 0),
        (("b.o", "c.o"), "a.o", 2),
    ],
)
def test_an_object_of_its_own_keeps_the_order(lines: tuple[str, ...], new: str, index: int) -> None:
    """Sorted by name without ending; two lines, or lines in no order, are no order to keep."""

    def makefile(objects: list[str]) -> bytes:
        return "".join(f"obj-y += {o}\n" for o in ("z.o z2.o", *objects)).encode()

    done = KBUILD.plan(kbuild(new, None), ground(d__Makefile=makefile(list(lines))))
    made = done.tree.read(RepoPath(b"d/Makefile"))
    assert made is not None
    assert made.data == makefile([*lines[:index], new, *lines[index:]])
