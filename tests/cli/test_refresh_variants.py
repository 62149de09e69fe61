"""refresh where a recipe is another step on some kernels: what was done on one stays there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kpatch_rs.commands import refresh
from kpatch_rs.demo import SECOND_RELEASE
from kpatch_rs.engine.render import render
from kpatch_rs.kinds.patch import PatchEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.tree import File
from tests.cli.desk import BASE, BRANCH, RUST, Desk, changed, refused

CALL, KBUILD, DECLARE = "0005-c-call.toml", "0003-kbuild.toml", "0004-c-declare.toml"
X86 = "arch/x86/kvm/x86.c"
OLD, NEW = 'when = { max = "6.12" }', 'when = { min = "9.1" }'

VARIANT = """
# on other kernels
[[variant]]
%s  # as it was

# say it
[[variant.edit]]
kind = "c-call"
file = "arch/x86/kvm/x86.c"
function = "kvm_x86_vendor_init"
statement = "hello_from_rust();"   # the same
"""
BUILT = """
[[variant]]
%s

# the object
[[variant.edit]]
kind = "kbuild"
file = "arch/x86/kvm/Makefile"
module = "kvm"
object = "rust_hello.o"
config = "KVM_RUST"
"""


def sit_down(desk: Desk, **more: str) -> None:
    """Put text behind recipes, `call=…` and `kbuild=…`, and render."""
    for name, text in more.items():
        file = desk.series / {"call": CALL, "kbuild": KBUILD}[name]
        file.write_text(file.read_text() + text)
    desk.render()
    desk.sit_down()


def elsewhere(desk: Desk) -> list[tuple[str, dict[RepoPath, File | None]]]:
    """What the series does on the other kernel, step by step."""
    series = load_series(desk.series)
    with desk.session.open_kernel() as repository:
        base = repository.tree(repository.resolve(SECOND_RELEASE))
        steps = render(series, base, repository.history())
    return [(s.recipe.id, dict(s.after.changed_since(s.before))) for s in steps]


def again(desk: Desk) -> None:
    desk.swap(X86, "\thello_from_rust();", "\thello_again();")


def test_variants_for_other_kernels_stay_as_they_are_written(bare: Desk) -> None:
    sit_down(bare, call=VARIANT % NEW)
    before = bare.text(CALL)
    bare.amend(5, lambda: again(bare))
    assert bare.refresh() == {"c-call": ("edits",)}
    own, variant = bare.text(CALL).split("# on other kernels")
    assert variant == before.split("# on other kernels")[1]
    assert 'statement = "hello_again();"' in own


def test_a_change_goes_into_the_variant_that_was_rendered(bare: Desk) -> None:
    """One line of the file: own edits, the other variants and all comments stay."""
    sit_down(bare, call=VARIANT % NEW + VARIANT % OLD + VARIANT % 'when = { min = "9.2" }')
    before, there = bare.text(CALL), elsewhere(bare)
    bare.amend(5, lambda: again(bare))
    asked = refresh.run(bare.session, dry_run=True)
    assert bare.text(CALL) == before
    assert bare.refresh() == {"c-call": ("edits",)}
    parts = re.split(r"(?m)^(?=# on other)", before)
    parts[2] = parts[2].replace("hello_from_rust", "hello_again")
    assert bare.text(CALL) == "".join(parts)
    assert elsewhere(bare) == there
    assert f"c-call ({CALL}:29): the edits are those of the variant on kernels up to 6.12" in (
        asked.as_text()
    )
    assert asked.as_json()["recipes"][4]["variant"] == f"{CALL}:29"


def test_what_no_kind_says_is_a_diff_of_the_variant(bare: Desk) -> None:
    sit_down(bare, call=VARIANT % OLD)
    before, there = bare.text(CALL), elsewhere(bare)
    bare.amend(5, lambda: bare.swap(X86, "kvm_count_features();\n\n", "/* why not */\n\n"))
    assert bare.refresh() == {"c-call": ("edits",)}
    (variant,) = bare.recipes()["c-call"].variants
    assert [edit.kind for edit in variant.edits] == ["c-call", "patch"]
    diff = variant.edits[1]
    assert isinstance(diff, PatchEdit)
    assert diff.diff.name == "files/0005-c-call-6.12.diff"
    assert bare.text(CALL).startswith(before.rstrip("\n"))
    assert elsewhere(bare) == there


def test_a_fallback(bare: Desk) -> None:
    """Where the recipe's own edits do not fit, and one that does is changed."""
    file = bare.series / CALL
    file.write_text(file.read_text().replace('"kvm_x86_vendor_init"', '"no_such_function"'))
    sit_down(bare, call=VARIANT % "" + VARIANT % NEW)
    before = bare.text(CALL)
    bare.amend(5, lambda: again(bare))
    assert bare.refresh() == {"c-call": ("edits",)}
    own, fallback, other = re.split(r"(?m)^(?=# on other)", before)
    assert bare.text(CALL) == own + fallback.replace("hello_from_rust", "hello_again") + other


def test_a_fallback_whose_commit_is_gone(bare: Desk) -> None:
    """It cannot say for which kernels there is nothing to do."""
    file = bare.series / CALL
    file.write_text(file.read_text().replace('"kvm_x86_vendor_init"', '"no_such_function"'))
    sit_down(bare, call=VARIANT % "")
    bare.todo(*(f"pick {n}" for n in (1, 2, 3, 4, 6, 7)))
    message = refused(bare).message
    assert f"the commit of recipe c-call ({CALL}:18, its variant where the" in message


def test_words_are_for_all_kernels(bare: Desk) -> None:
    sit_down(bare, call=VARIANT % OLD)
    before = bare.text(CALL)
    message = bare.message(5).replace("Say hello", "Say good day")
    bare.amend(5, lambda: None, "-m", message)
    assert bare.refresh() == {"c-call": ("message",)}
    assert bare.text(CALL) == before.replace("Say hello", "Say good day")
    author = ("--author", "B <b@example.org>", "--date", "1600000000 +0200")
    bare.amend(5, lambda: again(bare), *author)
    assert bare.refresh() == {"c-call": ("message", "edits")}
    assert str(bare.recipes()["c-call"].author) == "B <b@example.org>"


def test_a_dropped_commit_is_nothing_to_do_there(bare: Desk) -> None:
    """The recipe stays for the other kernels; its diff for this one goes."""
    sit_down(bare, call=VARIANT % NEW + VARIANT % OLD)
    before, there = bare.text(CALL), elsewhere(bare)
    bare.amend(5, lambda: bare.swap(X86, "kvm_count_features();\n\n", "/* why not */\n\n"))
    bare.refresh()
    bare.todo(*(f"pick {n}" for n in (1, 2, 3, 4, 6, 7)))
    said = refresh.run(bare.session, dry_run=True)
    assert bare.refresh() == {"c-call": ("emptied",)}
    assert bare.text(CALL) == before[: before.rindex("\n\n# say it")] + "\n"
    assert "files/0005-c-call-6.12.diff" not in bare.files()
    assert bare.recipes()["c-call"].variants[1].edits == ()
    assert elsewhere(bare) == there
    assert (
        f"c-call ({CALL}:29): its commit is gone, so the variant on kernels up to 6.12 has no "
        "edits any more; elsewhere the recipe stays as it was"
    ) in said.as_text()
    assert "1 emptied" in said.as_text()
    (row,) = [row for row in said.as_json()["recipes"] if row["news"] == ["emptied"]]
    assert (row["commit"], row["variant"]) == (None, f"{CALL}:29")


def test_a_reordered_variant(bare: Desk) -> None:
    sit_down(bare, call=VARIANT % OLD)
    text = bare.text(CALL)
    bare.todo(*(f"pick {n}" for n in (5, 1, 2, 3, 4, 6, 7)))
    assert bare.refresh()["c-call"] == ("place",)
    assert next(iter(bare.recipes())) == "c-call"
    assert text in [data.decode() for data in bare.files().values()]


def squashed(desk: Desk, *, into: int, what: int) -> None:
    picks = [f"pick {n}" for n in range(1, 8) if n != what]
    picks.insert(picks.index(f"pick {into}") + 1, f"fixup {what}")
    desk.todo(*picks)


def test_squash_of_variants_for_the_same_kernels(bare: Desk) -> None:
    """One commit there; two, as they were, on all others."""
    sit_down(bare, call=VARIANT % OLD, kbuild=BUILT % OLD)
    there, before = elsewhere(bare), bare.text(KBUILD)
    squashed(bare, into=3, what=5)
    assert bare.refresh() == {"kbuild": ("edits",), "c-call": ("emptied",)}
    table = "# say it\n[[variant.edit]]" + VARIANT.rpartition("[[variant.edit]]")[2]
    assert bare.text(KBUILD) == before.rstrip("\n") + "\n\n" + table
    assert elsewhere(bare) == there


@pytest.mark.parametrize(("into", "what"), [(3, 5), (5, 3)])
@pytest.mark.parametrize("guard", [OLD, NEW])
def test_squash_with_what_is_for_other_kernels(
    bare: Desk, into: int, what: int, guard: str
) -> None:
    """Neither the variant's edits for all kernels, nor the other's for this one only."""
    sit_down(bare, call=VARIANT % guard)
    squashed(bare, into=into, what=what)
    message = refused(bare).message
    assert message.startswith("commit ")
    assert f"c-call ({CALL}:{18 if guard == OLD else 1}" in message
    assert f"kbuild ({KBUILD}:1)" in message


def split(desk: Desk) -> None:
    """The Makefile's part of the third commit goes into a commit of its own, before it."""
    rest = desk.commits()[3:]
    whole = desk.commits()[2]
    desk.git("checkout", "-q", "--detach", whole)
    desk.git("reset", "-q", "HEAD~1")
    desk.git("add", "arch/x86/kvm/Makefile")
    desk.git("commit", "-q", "-m", "KVM: x86: Build it first")
    desk.git("commit", "-q", "-a", "-C", whole)
    desk.git("cherry-pick", *rest)
    desk.git("checkout", "-q", "-B", BRANCH)


INCLUDED = """
[[variant.edit]]
kind = "c-include"
file = "arch/x86/kvm/x86.c"
header = "<linux/rust.h>"
"""


def test_split_of_a_variant(bare: Desk) -> None:
    """What was split off is for the variant's kernels, too, and for no others."""
    sit_down(bare, kbuild=BUILT % OLD + INCLUDED)
    before, there = bare.text(KBUILD), elsewhere(bare)
    split(bare)
    news = bare.refresh()
    assert (news["kbuild"], news["kvm-x86-build-it-first"]) == (("edits", "place"), ("new",))
    recipes = bare.recipes()
    new = recipes["kvm-x86-build-it-first"]
    assert (new.when and new.when.max, [e.kind for e in new.edits]) == ("6.12", ["kbuild"])
    assert "\n\n# the object\n[[edit]]\n" in bare.text(new.where.file)
    assert [e.kind for e in recipes["kbuild"].variants[0].edits] == ["c-include"]
    assert (
        bare.text(recipes["kbuild"].where.file)
        == before[: before.index("\n# the object")] + INCLUDED
    )
    assert [step for step in elsewhere(bare) if step[1]] == there


@pytest.mark.parametrize("guards", [(NEW, OLD), ("", 'has = "no/such/path"')])
def test_split_that_no_guard_can_say(bare: Desk, guards: tuple[str, str]) -> None:
    """A second variant, and a fallback: they are for what is left of the kernels."""
    file = bare.series / KBUILD
    if not guards[0]:
        file.write_text(file.read_text().replace('module = "kvm"', 'module = "no-such"'))
    first, second = (g if g.startswith("when") or not g else f"when = {{ {g} }}" for g in guards)
    sit_down(bare, kbuild=(BUILT % first + INCLUDED) + (BUILT % second + INCLUDED))
    split(bare)
    message = refused(bare).message
    assert f"recipe kbuild ({KBUILD}:" in message
    assert "a recipe of its own is not for the same kernels" in message


def test_a_payload_that_other_kernels_have_too(bare: Desk) -> None:
    """The variant gets a file of its own, and stays what it is."""
    file = bare.series / "0001-rust-file.toml"
    table = file.read_text().partition("[[edit]]")[2]
    file.write_text(f"{file.read_text()}\n[[variant]]\n{OLD}\n\n[[variant.edit]]{table}")
    sit_down(bare)
    before, there = bare.files(), elsewhere(bare)
    bare.amend(1, lambda: bare.swap(RUST, "Hello", "Hi"))
    assert bare.refresh() == {"rust-file": ("edits",)}
    name = "files/rust_hello-6.12.rs"
    assert changed(before, bare.files()) == {name, "0001-rust-file.toml"}
    (edit,) = bare.recipes()["rust-file"].variants[0].edits
    assert isinstance(edit, RustFileEdit)
    assert edit.source.name == name
    assert elsewhere(bare) == there


def test_another_variant_is_meant_now(bare: Desk) -> None:
    """A new commit before it makes the path that a variant asks for."""
    sit_down(bare, call=VARIANT % 'when = { has = "Documentation/rust" }')
    bare.git("checkout", "-q", "--detach", bare.commits()[0])
    rest = bare.told(f"{BRANCH}~6..{BRANCH}", "%H")
    bare.write("Documentation/rust", b"Rust\n")
    bare.git("add", "-A")
    bare.git("commit", "-q", "-m", "docs: Add it")
    bare.git("cherry-pick", *(oid.strip("\0\n") for oid in rest))
    bare.git("checkout", "-q", "-B", BRANCH)
    again(bare)
    bare.git("commit", "-q", "-a", "--fixup", bare.commits()[5])
    bare.todo(*(f"pick {n}" for n in range(1, 7)), "fixup 9", "pick 7", "pick 8")
    message = refused(bare).message
    assert f"it was rendered from recipe c-call ({CALL}:1)" in message
    assert f"now that is rendered from {CALL}:18" in message


def written_otherwise(file: Path, text: str) -> None:
    """`text` above the edit of a recipe."""
    head, _, table = file.read_text().partition("[[edit]]")
    file.write_text(f"{head}{text}[[edit]]{table}")


def test_variants_above_the_edits(bare: Desk) -> None:
    written_otherwise(bare.series / CALL, (VARIANT % OLD).lstrip("\n") + "\n")
    sit_down(bare)
    before = bare.text(CALL)
    bare.amend(5, lambda: again(bare))
    assert bare.refresh() == {"c-call": ("edits",)}
    assert bare.text(CALL) == before.replace("hello_from_rust();", "hello_again();", 1)


def test_a_variant_on_one_line(bare: Desk) -> None:
    """It has no tables to change: it is written anew, and nothing else is."""
    edit = re.sub(r"\n(?=.)", ", ", VARIANT.partition("[[variant.edit]]\n")[2].partition("   #")[0])
    written_otherwise(
        bare.series / CALL, f"# a line\nvariant = [{{ {OLD}, edit = [{{ {edit} }}] }}]\n\n# own\n"
    )
    sit_down(bare)
    before = bare.text(CALL)
    bare.amend(5, lambda: again(bare))
    assert bare.refresh() == {"c-call": ("edits",)}
    after = bare.text(CALL)
    assert after.partition("# own")[2] == before.partition("# own")[2]
    assert '[[variant]]\nwhen = {max = "6.12"}\n' in after.partition("# own")[0]


def test_apply_afterwards(bare: Desk) -> None:
    """Rendered again, the recipes give what is on the branch."""
    sit_down(bare, call=VARIANT % OLD)
    bare.amend(5, lambda: again(bare))
    bare.refresh()
    trees = bare.told(f"{BASE}..{BRANCH}", "%T")
    bare.git("checkout", "-q", "--detach")
    bare.render()
    assert bare.told(f"{BASE}..{BRANCH}", "%T") == trees
