"""An edit is found on whatever kernels a series is rebased on, in whatever order, and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands.learning import kept, learned
from kpatch_rs.engine.render import render
from kpatch_rs.kinds.base import History
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.kbuild import KbuildEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Recipe, Series, Where
from tests.trees import DictTree, NoHistory
from tests.unit.test_kind_patch import GitMerge, diff

_WHERE = Where("r.toml", 1)


@dataclass(frozen=True)
class Moving:
    """An edit, and what it is about: in each kernel in one of `homes`, in the first one at first.

    `text` is there where it is, and `other` in the rest of them, if anything.
    """

    edit: Edit
    homes: Sequence[str]
    text: bytes
    made: bytes
    """What is in the file with the edit."""
    other: bytes | None = None
    names: Sequence[bytes] = (b"",)
    """What one of the kernels calls it that others call otherwise: the first one of them."""
    around: Mapping[str, bytes] = field(default_factory=dict)
    history: History = field(default_factory=NoHistory)

    def kernel(self, home: int, release: int) -> tuple[DictTree, str]:
        """A kernel in which it has one of its homes, and of which another file is its own."""
        path, name = self.homes[home % len(self.homes)], self.names[release % len(self.names)]
        files = dict.fromkeys(self.homes, self.other) | {"kernel/r.c": b"int r%d;\n" % release}
        files |= {path: self.text.replace(self.names[0], name) if name else self.text}
        there = {p: data for p, data in {**files, **self.around}.items() if data is not None}
        return DictTree(there), path


_F = b"""int f(struct kvm *kvm)
{
	first = g(kvm, vcpu, 1);
	second = h(kvm, vcpu, 2);
	return first + second;
}
"""
_REST = b"".join(b"int rest_%d(void)\n{\n\treturn rest_of_it(%d);\n}\n" % (n, n) for n in range(9))
_KCONFIG = b"".join(
    b'config %b\n\ttristate "%b"\n\tdepends on SOUND\n\thelp\n\t  A long text.\n\n' % (name, name)
    for name in (b"CTU", b"DTU", b"ETU")
)
_MAKEFILE = b"ctu-y := main.o dma.o regs.o\nobj-$(CONFIG_CTU) += ctu.o\nccflags-y += -DCTU_LONG\n"
_OTHERS = {
    "drivers/ctu/Kconfig": b'config OTHER\n\ttristate "CTU"\n\tdepends on PCI\n',
    "drivers/ctu/Makefile": b"obj-$(CONFIG_OTHER) += other.o\nccflags-y += -DOTHER\n",
}


def _patch(path: str, old: bytes, new: bytes) -> PatchEdit:
    return PatchEdit(where=_WHERE, diff=Payload("files/x.diff", diff({path: old}, {path: new})))


_CALL = CCallEdit(
    where=_WHERE, file=repo_path("arch/x86/kvm/a.c"), function="f", statement="rust_f();"
)
_SYMBOL = KconfigEdit(
    where=_WHERE, file=repo_path("sound/sh/Kconfig"), symbol="CTU_RUST", prompt="Rust", after="CTU"
)
_OBJECT = KbuildEdit(
    where=_WHERE, file=repo_path("sound/sh/Makefile"), object="rust_ctu.o", module="ctu"
)
_CASES = {
    "c-call": Moving(
        _CALL,
        ["arch/x86/kvm/a.c", "arch/x86/kvm/b.c", "virt/kvm/c.c", "arch/x86/lib/d.c"],
        _F,
        b"rust_f();",
        other=b"int x;\n",
    ),
    "c-call of another name in another file": Moving(
        _CALL,
        ["arch/x86/kvm/a.c", "arch/x86/kvm/b.c", "arch/x86/kvm/c.c"],
        _REST + _F + b"int run(struct kvm *kvm)\n{\n\treturn f(kvm);\n}\n",
        b"rust_f();",
        names=(b" f(", b" f_of_kvm("),
    ),
    "kconfig": Moving(
        _SYMBOL,
        ["sound/sh/Kconfig", "sound/renesas/Kconfig", "sound/soc/ctu/Kconfig"],
        _KCONFIG,
        b"config CTU_RUST\n",
        around=_OTHERS,
    ),
    "kbuild": Moving(
        _OBJECT,
        ["sound/sh/Makefile", "sound/sh/Kbuild"],
        _MAKEFILE,
        b"ctu-y += rust_ctu.o\n",
        around=_OTHERS,
    ),
    "patch": Moving(
        _patch("sound/sh/ctu.c", _REST, _REST.replace(b"of_it(5)", b"of_it(55)")),
        ["sound/sh/ctu.c", "sound/renesas/ctu.c", "sound/renesas/core.c", "drivers/ctu/main.c"],
        _REST,
        b"of_it(55)",
        history=GitMerge(_REST),
    ),
    "patch of a Kconfig": Moving(
        _patch("sound/sh/Kconfig", _KCONFIG, _KCONFIG.replace(b'"DTU"', b'"The DTU"')),
        ["sound/sh/Kconfig", "sound/renesas/Kconfig", "sound/soc/ctu/Kconfig"],
        _KCONFIG,
        b'"The DTU"',
        around=_OTHERS,
        history=GitMerge(_KCONFIG),
    ),
    "patch of a Makefile": Moving(
        _patch("sound/sh/Makefile", _MAKEFILE, _MAKEFILE + b"ccflags-y += -DMORE\n"),
        ["sound/sh/Makefile", "sound/renesas/Makefile", "sound/soc/ctu/Makefile"],
        _MAKEFILE,
        b"-DMORE\n",
        around=_OTHERS,
        history=GitMerge(_MAKEFILE),
    ),
}


@pytest.mark.parametrize("name", _CASES)
@given(kernels=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=5))
def test_it_is_found_however_often_it_moves(name: str, kernels: list[tuple[int, int]]) -> None:
    case = _CASES[name]
    recipe = Recipe(where=_WHERE, id="it", subject="a: b", edits=(case.edit,))
    series = Series(name="s", base="", change_id="", recipes=(recipe,))
    was, _ = case.kernel(0, 0)
    for kernel in kernels:
        now, home = case.kernel(*kernel)
        (step,) = render(series, now, case.history, was=was)
        assert step.status is not Status.CONFLICT, step.reason
        file = step.after.read(repo_path(home))
        assert file is not None and case.made in file.data
        series, was = kept(series, learned([step])), now
        (alone,) = render(series, now, case.history)
        assert alone.after.changes == step.after.changes, "the same without the last kernel"
