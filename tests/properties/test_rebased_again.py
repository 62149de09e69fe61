"""A call is found on whatever kernels a series is rebased on, in whatever order, and again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.commands.learning import kept, learned
from kpatch_rs.engine.render import render
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Recipe, Series, Where
from tests.trees import DictTree, NoHistory

_F = b"""int f(struct kvm *kvm)
{
	first = g(kvm, vcpu, 1);
	second = h(kvm, vcpu, 2);
	return first + second;
}
"""
_HOMES = ["arch/x86/kvm/a.c", "arch/x86/kvm/b.c", "virt/kvm/c.c", "arch/x86/lib/d.c"]
_EDIT = CCallEdit(
    where=Where("r.toml", 1), file=repo_path(_HOMES[0]), function="f", statement="rust_f();"
)


def _kernel(home: str, release: int) -> DictTree:
    """A kernel whose f() is in `home`, and of which another file is another one's."""
    files = dict.fromkeys(_HOMES, b"int x;\n")
    return DictTree({**files, home: _F, "kernel/r.c": b"int release_%d;\n" % release})


@given(st.lists(st.tuples(st.sampled_from(_HOMES), st.integers(0, 1)), min_size=1, max_size=5))
def test_a_call_is_found_however_often_it_moves(kernels: list[tuple[str, int]]) -> None:
    recipe = Recipe(where=Where("r.toml", 1), id="it", subject="a: b", edits=(_EDIT,))
    series = Series(name="s", base="", change_id="", recipes=(recipe,))
    was = _kernel(_HOMES[0], 0)
    for home, release in kernels:
        now = _kernel(home, release)
        (step,) = render(series, now, NoHistory(), was=was)
        assert step.status is not Status.CONFLICT, step.reason
        file = step.after.read(repo_path(home))
        assert file is not None and b"rust_f();" in file.data
        series, was = kept(series, learned([step])), now
