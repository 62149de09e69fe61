"""Random series for a kernel: edits of every kind, held to what is there, and to what is not."""

from __future__ import annotations

import re
from typing import Literal, get_args, get_type_hints

from hypothesis import strategies as st

from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.c_declare import CDeclareEdit
from kpatch_rs.kinds.c_include import CIncludeEdit
from kpatch_rs.kinds.kbuild import KbuildEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.maintainers import MaintainersEdit
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.kinds.rust_analyzer import RustAnalyzerEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Edit, Payload, Recipe, Series, Where
from kpatch_rs.syntax.diff_write import FilePair, git_diff
from tests.properties.code import CALLED
from tests.properties.drift import drifted
from tests.properties.kernels import Kernel, Piece, paths, repo

HERE = Where("x.toml")
_RUST = b'// SPDX-License-Identifier: GPL-2.0\n\n#[no_mangle]\npub extern "C" fn %s() {}\n'

_PLACES = get_args(get_type_hints(CCallEdit)["at"])
_BLANKS: tuple[Literal["above", "below", "both"], ...] = ("above", "below", "both")


_FORMS = (
    *("PROBE;",) * 4,
    "r = PROBE;\nif (r)\n\treturn r;",
    "/* Rust has its say. */\nPROBE;",
    "#ifdef CONFIG_KVM_RUST\nPROBE;\n#endif",
    "if (IS_ENABLED(CONFIG_KVM_RUST))\n\tPROBE;",
)


def word_of(number: int) -> str:
    """What statement `number` calls."""
    return f"probe_{number}"


@st.composite
def calls(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> CCallEdit:
    """A statement of its own name in one of the kernel's functions."""
    (path, _), piece = draw(st.sampled_from(sorted(kernel.functions().items())))
    return draw(calls_in(path, piece, number))


@st.composite
def calls_in(draw: st.DrawFn, path: str, piece: Piece, number: int) -> CCallEdit:
    """The same, in that function."""
    inside = sorted(set(re.findall(rb"\b([a-z_]\w+)\(", piece.text[piece.body[0] :])))
    at = draw(st.sampled_from(_PLACES))
    call = (
        draw(st.sampled_from(inside or CALLED)).decode()
        if at.endswith(("-call", "-check"))
        else None
    )
    probe = f"{word_of(number)}({draw(st.sampled_from(['', 'kvm', 'r, 1']))})"
    return CCallEdit(
        where=HERE,
        file=repo(path),
        function=piece.name.decode(),
        statement=draw(st.sampled_from(_FORMS)).replace("PROBE", probe),
        at=at,
        call=call,
        blank=draw(st.sampled_from([None, None, None, *_BLANKS])),
    )


@st.composite
def declarations(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> CDeclareEdit:
    type_ = draw(st.sampled_from(["void ", "int ", "struct kvm *", "bool "]))
    config = draw(st.sampled_from([None, "KVM_RUST", "KVM_XEN"]))
    stub = draw(st.sampled_from([None, "return -ENODEV;"])) if config and type_ == "int " else None
    return CDeclareEdit(
        where=HERE,
        file=repo(draw(st.sampled_from(paths(kernel, ".c", ".h")))),
        prototype=f"{type_}probe_{number}({draw(st.sampled_from(['void', 'struct kvm *kvm']))});",
        config=config,
        stub=stub,
    )


@st.composite
def includes(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> CIncludeEdit:
    headers = ["<linux/probe_%d.h>", '"probe_%d.h"', "<asm/probe_%d.h>", '"vmx/probe_%d.h"']
    file = repo(draw(st.sampled_from(paths(kernel, ".c", ".h"))))
    header = draw(st.sampled_from(headers)) % number
    return CIncludeEdit(where=HERE, file=file, header=header)


@st.composite
def objects(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> KbuildEdit:
    return KbuildEdit(
        where=HERE,
        file=repo(draw(st.sampled_from(paths(kernel, "Makefile", "Makefile.kvm", ".c")))),
        object=f"probe_{number}.o",
        module=draw(st.sampled_from(["kvm", "kvm-intel", "kvm-amd", None, "vmx"])),
        config=draw(st.sampled_from(["KVM_XEN", "KVM_RUST", None])),
    )


@st.composite
def symbols(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> KconfigEdit:
    path = draw(st.sampled_from(paths(kernel, "Kconfig")))
    there = re.findall(rb"(?m)^config (\w+)", kernel.data(path))
    known = [name.decode() for name in there] or ["KVM"]
    named = st.sampled_from([*known, "KVM", "RUST", "NOT_THERE"])
    return KconfigEdit(
        where=HERE,
        file=repo(path),
        symbol=f"PROBE_{number}",
        prompt=draw(st.sampled_from([None, "Probe", 'A "probe"'])),
        depends=tuple(draw(st.lists(named, max_size=2))),
        select=tuple(draw(st.lists(named, max_size=1))),
        default=draw(st.sampled_from([(), ("y",), ("n if KVM",)])),
        help=draw(st.sampled_from(["", "One.\n", "Two\n\nparagraphs.\n"])),
        after=draw(st.sampled_from([*known, None])),
        menu=draw(st.sampled_from([None, None, "VIRTUALIZATION", "More"])),
    )


@st.composite
def maintained(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> MaintainersEdit:
    titles = re.findall(rb"(?m)^([A-Z][A-Z ()/x0-9]+)\n(?=M:)", kernel.data("MAINTAINERS"))
    title = draw(st.sampled_from([*(t.decode() for t in titles), "A NEW ONE", "ZZZ"]))
    files = [f"drivers/probe_{number}.rs", f"arch/x86/kvm/probe_{number}.rs", "virt/kvm/"]
    fresh = draw(st.booleans())
    return MaintainersEdit(
        where=HERE,
        entry=title,
        files=tuple(draw(st.lists(st.sampled_from(files), min_size=1, unique=True))),
        maintainers=("A <a@example.org>",) if fresh else (),
        status="Maintained" if fresh else None,
    )


@st.composite
def sources(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> RustFileEdit:
    folder = draw(st.sampled_from(["arch/x86/kvm", "virt/kvm", "drivers/new", "samples/rust"]))
    stem = draw(st.sampled_from([f"probe_{number}", "x86", f"probe-{number}"]))
    data = _RUST % b"probe_%d" % number
    source = Payload(f"files/{stem}.rs", data)
    return RustFileEdit(where=HERE, path=repo(f"{folder}/{stem}.rs"), source=source)


@st.composite
def folders(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> RustAnalyzerEdit:
    folder = draw(st.sampled_from(["arch/x86/kvm", "virt", "samples/rust", "not/there"]))
    return RustAnalyzerEdit(where=HERE, folder=repo(folder))


@st.composite
def patches(draw: st.DrawFn, kernel: Kernel, number: int = 0) -> PatchEdit:
    """What somebody's own drift does to the kernel, as git would write it."""
    return (
        diff_of(kernel, draw(drifted(kernel, 2)), number)
        or diff_of(kernel, kernel.with_text("README", b"another\n"), number)
        or PatchEdit(where=HERE, diff=Payload("files/x.diff", b""))
    )


def diff_of(before: Kernel, after: Kernel, number: int = 0) -> PatchEdit | None:
    """The way from one kernel to another as a patch edit; None where there is none."""
    old, new = (k.tree().base for k in (before, after))
    names = sorted(map(repo, {*before.files, *after.files}))
    pairs = [
        FilePair(old_path=p, new_path=p, old=old.read(p), new=new.read(p))
        for p in names
        if old.read(p) != new.read(p)
    ]
    if not pairs:
        return None
    return PatchEdit(where=HERE, diff=Payload(f"files/{number}.diff", git_diff(pairs)))


KINDS = [calls, declarations, includes, objects, symbols, maintained, sources, folders]


@st.composite
def edits(draw: st.DrawFn, kernel: Kernel, *, most: int = 6, diffs: bool = False) -> list[Edit]:
    """Edits in random order, some with anchors that are not there."""
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=most))
    made: list[Edit] = [draw(kind(kernel, number)) for number, kind in enumerate(kinds)]
    if diffs:
        made.insert(draw(st.integers(0, len(made))), draw(patches(kernel, len(made))))
    return made


def series_of(*made: Edit) -> Series:
    """A recipe for each edit."""
    recipes = (
        Recipe(where=Where(f"{n:04}.toml"), id=f"r{n}", subject=f"r{n}: Do it", edits=(edit,))
        for n, edit in enumerate(made)
    )
    return Series(
        name="random", base="", change_id="20260101-random-0123456789ab", recipes=tuple(recipes)
    )


def path_of(path: RepoPath) -> str:
    """Back to these kernels' own paths."""
    return path.decode()
