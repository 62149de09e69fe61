"""An edit follows its file into another folder, on what the last kernel shows or the edit says."""

from __future__ import annotations

from kpatch_rs.commands.learning import kept, learned
from kpatch_rs.engine.render import render
from kpatch_rs.kinds import kind_of
from kpatch_rs.kinds.c_declare import CDeclareEdit
from kpatch_rs.kinds.c_include import CIncludeEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.model.outcome import Learned, Status, Step
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.proof import ObjectBuilds
from kpatch_rs.model.series import Edit, Recipe, Series, Where
from tests.trees import DictTree, NoHistory

WHERE = Where("r.toml", 1)
SOURCE = b"""#include <linux/init.h>
#include <linux/module.h>

int ctu_init(void)
{
\treturn ctu_start();
}
"""
KCONFIG = b'config CTU\n\ttristate "CTU"\n\tdepends on SOUND\n\thelp\n\t  A long text.\n'
OLD = {
    "sound/sh/ctu.c": SOURCE,
    "sound/sh/Kconfig": KCONFIG,
    "sound/sh/Makefile": b"obj-y := ctu.o\n",
}
NEW = {name.replace("/sh/", "/renesas/"): data for name, data in OLD.items()}
NEW["drivers/Kconfig"] = b"config OTHER\n\tbool\n"

INCLUDE = CIncludeEdit(where=WHERE, file=repo_path("sound/sh/ctu.c"), header="<linux/rust.h>")
DECLARE = CDeclareEdit(
    where=WHERE, file=repo_path("sound/sh/ctu.c"), prototype="void rust_f(void);", config="CTU_RUST"
)
SYMBOL = KconfigEdit(
    where=WHERE, file=repo_path("sound/sh/Kconfig"), symbol="CTU_RUST", prompt="Rust", after="CTU"
)


def series(*edits: Edit) -> Series:
    recipe = Recipe(where=WHERE, id="it", subject="a: b", edits=edits)
    return Series(name="s", base="", change_id="", recipes=(recipe,))


def rendered(given: Series, files: dict[str, bytes], was: dict[str, bytes] | None = None) -> Step:
    base = DictTree(was) if was else None
    (step,) = render(given, DictTree(files), NoHistory(), was=base)
    return step


def test_a_file_is_followed_and_kept() -> None:
    given = series(INCLUDE, DECLARE, SYMBOL)
    step = rendered(given, NEW, OLD)
    assert step.status is Status.MOVED, step.reason
    assert step.edits[0].outcome.reason == "sound/sh/ctu.c is sound/renesas/ctu.c now"
    assert [e.outcome.learned for e in step.edits] == [
        (Learned("also", "sound/renesas/ctu.c"),),
        (Learned("also", "sound/renesas/ctu.c"),),
        (Learned("also", "sound/renesas/Kconfig"),),
    ]
    knowing = kept(given, learned([step]))
    again = rendered(knowing, NEW)
    assert again.after.changed_since(again.before) == step.after.changed_since(step.before)
    assert not any(e.outcome.learned for e in again.edits)
    assert rendered(knowing, OLD).status is Status.EXACT


def test_its_proof_is_about_the_file_that_it_is_now() -> None:
    step = rendered(series(DECLARE), NEW, OLD)
    (report,) = step.edits
    (proof,) = kind_of(report.edit).proofs(report.edit, report.outcome)
    assert isinstance(proof, ObjectBuilds)
    assert proof.target == b"sound/renesas/ctu.o"


def test_what_only_has_its_name_is_not_it() -> None:
    files = {
        **NEW,
        "sound/renesas/ctu.c": b"int x;\n",
        "sound/renesas/Kconfig": b"config X\n\tbool\n",
    }
    assert rendered(series(INCLUDE), files, OLD).status is Status.CONFLICT
    twins = {**NEW, "sound/soc/ctu.c": SOURCE}
    assert rendered(series(INCLUDE), twins, OLD).status is Status.CONFLICT
    assert rendered(series(INCLUDE), NEW).status is Status.CONFLICT, "nothing tells"


def test_a_file_under_another_name_is_followed_from_kernel_to_kernel() -> None:
    """hda_intel.c became controllers/intel.c between 6.12 and 7.2."""
    given = series(INCLUDE)
    old, new = OLD, {"sound/renesas/control.c": SOURCE + b"\nint more;\n"}
    newest = {"sound/renesas/control/main.c": SOURCE + b"\nint more;\nint most;\n"}
    first = rendered(given, new, old)
    assert first.edits[0].outcome.learned == (Learned("also", "sound/renesas/control.c"),)
    knowing = kept(given, learned([first]))
    second = rendered(knowing, newest, new)
    assert second.edits[0].outcome.learned == (Learned("also", "sound/renesas/control/main.c"),)
    knowing = kept(knowing, learned([second]))
    for files in (old, new, newest):
        step = rendered(knowing, files)
        assert step.status is not Status.CONFLICT, step.reason


def test_what_had_its_name_before_is_not_it() -> None:
    """A copy in another driver was there all along; the file itself was deleted."""
    old = {**OLD, "sound/soc/ctu.c": SOURCE}
    assert rendered(series(INCLUDE), {"sound/soc/ctu.c": SOURCE}, old).status is Status.CONFLICT
