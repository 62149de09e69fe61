"""The patch kind: exact, found elsewhere, merged, refused; and never two answers."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kpatch_rs.gitio.merging import merge
from kpatch_rs.gitio.running import Git
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.patch import PATCH, PatchEdit
from kpatch_rs.kinds.patch_words import at_lines
from kpatch_rs.model.outcome import Learned, Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import ObjectBuilds, Reachable, Unprovable
from kpatch_rs.model.series import Payload, Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.diff import DiffRefused
from kpatch_rs.syntax.merge import Clash
from tests.trees import DictTree, NoHistory

ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


class GitMerge:
    """Satisfies History: the blobs it is given, and `git merge-file` itself."""

    def __init__(self, *blobs: bytes) -> None:
        self.blobs = {blob_name(b): b for b in blobs}

    def blob(self, prefix: str) -> bytes | None:
        found = [data for name, data in self.blobs.items() if name.startswith(prefix)]
        return found[0] if len(found) == 1 else None

    def merge(self, base: bytes, ours: bytes, theirs: bytes) -> tuple[bytes | Clash, ...]:
        return merge(Git(ENV), base, ours, theirs)


def blob_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data)).hexdigest()


def diff(old: Mapping[str, bytes], new: Mapping[str, bytes], *options: str) -> bytes:
    """What git says of two sets of files, with rename detection."""
    with tempfile.TemporaryDirectory() as folder:
        for tree, files in (("old", old), ("new", new)):
            for name, data in files.items():
                path = Path(folder, tree, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            Path(folder, tree).mkdir(exist_ok=True)
        names = [f"--git-dir={folder}/git", "-c", "core.autocrlf=false"]
        subprocess.run(["git", *names, "init", "-q", "--bare"], env=ENV, check=True)
        trees = []
        for tree in ("old", "new"):
            index = {**ENV, "GIT_INDEX_FILE": f"{folder}/index.{tree}"}
            at = [*names, f"--work-tree={folder}/{tree}"]
            subprocess.run(["git", *at, "add", "-A"], env=index, check=True, cwd=f"{folder}/{tree}")
            run = subprocess.run(
                ["git", *at, "write-tree"], env=index, check=True, capture_output=True
            )
            trees.append(run.stdout.decode().strip())
        words = ["diff", "--full-index", "--default-prefix", "-M", *options, *trees]
        words.remove("--default-prefix")
        return subprocess.run(
            ["git", *names, *words], env=ENV, check=True, capture_output=True
        ).stdout


def plan(payload: bytes, files: Mapping[str, bytes | File], *blobs: bytes) -> Outcome:
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("files/x.diff", payload))
    history = GitMerge(*blobs)
    tree = TreeOverlay(DictTree(files))
    outcome = PATCH.plan(edit, Ground(tree, history))
    if outcome.status is Status.CONFLICT:
        assert outcome.tree is tree
        assert outcome.reason
        assert outcome.hint
    else:
        assert outcome.place is not None
        again = PATCH.plan(edit, Ground(outcome.tree, history))
        assert again.status is Status.PRESENT, again.reason
    return outcome


def after(outcome: Outcome, name: str) -> bytes:
    file = outcome.tree.read(RepoPath(name.encode()))
    assert file is not None
    return file.data


def without_names(payload: bytes) -> bytes:
    """The diff as a mailer's reader may see it: no blob names to go by."""
    return b"".join(x for x in payload.splitlines(True) if not x.startswith(b"index "))


OLD = b"".join(b"line %d\n" % n for n in range(1, 41))
NEW = OLD.replace(b"line 20\n", b"line 20\nadded\n").replace(b"line 33\n", b"")
DIFF = diff({"d/f.c": OLD}, {"d/f.c": NEW})


def test_exact() -> None:
    outcome = plan(DIFF, {"d/f.c": OLD})
    assert outcome.status is Status.EXACT
    assert after(outcome, "d/f.c") == NEW
    assert str(outcome.place) == "d/f.c:21"
    assert (outcome.anchor, outcome.text) == ("d/f.c", b"added\n")


def test_mode_of_the_file_is_kept() -> None:
    outcome = plan(DIFF, {"d/f.c": File(OLD, "100755")})
    assert outcome.tree.read(RepoPath(b"d/f.c")) == File(NEW, "100755")


def test_moved_says_from_and_to() -> None:
    outcome = plan(DIFF, {"d/f.c": b"top\n" * 7 + OLD + b"end\n"})
    assert outcome.status is Status.MOVED
    assert after(outcome, "d/f.c") == b"top\n" * 7 + NEW + b"end\n"
    assert "d/f.c: from line 21 to line 28" in outcome.reason
    assert str(outcome.place) == "d/f.c:28"


def test_present_when_all_of_it_is_there() -> None:
    outcome = plan(without_names(DIFF), {"d/f.c": b"top\n" + NEW})
    assert outcome.status is Status.PRESENT
    assert str(outcome.place) == "d/f.c:22"


def test_partly_there() -> None:
    half = OLD.replace(b"line 33\n", b"")
    outcome = plan(DIFF, {"d/f.c": half})
    assert outcome.status is Status.ADAPTED
    assert outcome.reason == "d/f.c:33: present already"
    assert after(outcome, "d/f.c") == NEW
    assert str(outcome.place) == "d/f.c:21"


def test_ambiguous_block() -> None:
    block = b"x1\nx2\nx3\nfoo();\ny1\ny2\ny3\n"
    payload = diff({"f.c": block}, {"f.c": block.replace(b"foo", b"baz")})
    twice = b"top\n" + block + b"mid\n" + block
    alone = plan(payload, {"f.c": twice})
    assert alone.status is Status.CONFLICT
    assert "found it 2 times, at lines 5, 13" in alone.reason
    assert [str(c.place) for c in alone.candidates] == ["f.c:5", "f.c:13"]
    assert "no blob" in alone.reason


def test_old_and_new_both_there_is_a_conflict() -> None:
    block = b"x1\nx2\nx3\nfoo();\ny1\ny2\ny3\n"
    new = block.replace(b"foo", b"baz")
    outcome = plan(diff({"f.c": block}, {"f.c": new}), {"f.c": b"top\n" + new + b"mid\n" + block})
    assert outcome.status is Status.CONFLICT
    assert "found its old text at line 13 and its new text at line 5" in outcome.reason


def test_three_way_decides() -> None:
    ours = OLD.replace(b"line 18\n", b"LINE 18\n")
    outcome = plan(DIFF, {"d/f.c": ours}, OLD)
    assert outcome.status is Status.ADAPTED
    assert after(outcome, "d/f.c") == NEW.replace(b"line 18\n", b"LINE 18\n")
    assert outcome.reason == f"d/f.c: merged three-way, from blob {blob_name(OLD)[:12]}"
    was, now, more = b"line 18\nline 19\nline 20\n", b"LINE 18\nline 19\nline 20\n", b"added\n"
    (meeting,) = outcome.met
    assert str(meeting.place) == "d/f.c:18"
    assert (meeting.base, meeting.upstream) == (was, now)
    assert (meeting.patch, meeting.merged) == (was + more, now + more)
    assert str(outcome.place) == "d/f.c:21"


def test_three_way_that_conflicts() -> None:
    outcome = plan(DIFF, {"d/f.c": OLD.replace(b"line 20\n", b"other\n")}, OLD)
    assert outcome.status is Status.CONFLICT
    assert "a three-way merge on blob" in outcome.reason
    assert [str(c.place) for c in outcome.candidates] == ["d/f.c:18"]


def test_without_history_the_nearest_text_is_shown() -> None:
    outcome = plan(DIFF, {"d/f.c": b"x\n" * 90 + OLD.replace(b"line 20\n", b"other\n")})
    assert outcome.status is Status.CONFLICT
    assert "looked for 'line 20' at line 20, found it nowhere" in outcome.reason
    assert [f"{c.place} {c.what}" for c in outcome.candidates] == ["d/f.c:108 line 18"]


def test_a_line_that_says_something_is_looked_for() -> None:
    old = b"int f(struct foo *foo)\n{\n\tfoo_start(foo);\n\treturn 0;\n}\n"
    payload = diff({"d/f.c": old}, {"d/f.c": old.replace(b"{\n", b"{\n\trust_start(foo);\n")})
    outcome = plan(payload, {"d/f.c": b"int g(void)\n{\n\treturn 1;\n}\n"})
    assert outcome.status is Status.CONFLICT
    assert "looked for 'int f(struct foo *foo)' at line 1, found it nowhere" in outcome.reason


def test_hunks_in_another_order_conflict() -> None:
    lines = OLD.splitlines(True)
    outcome = plan(DIFF, {"d/f.c": b"".join(lines[28:] + lines[:28])})
    assert outcome.status is Status.CONFLICT
    assert "before the hunk above it" in outcome.reason


def test_line_numbers_alone_place_nothing() -> None:
    payload = diff({"f.c": OLD}, {"f.c": NEW}, "-U0")
    outcome = plan(without_names(payload), {"f.c": OLD})
    assert outcome.status is Status.CONFLICT, "an insertion without context says no place"
    assert plan(payload, {"f.c": OLD}).status is Status.EXACT, "but on the very blob it does"


def test_end_of_file_is_context() -> None:
    payload = diff({"f.c": b"1\n2\n3\n"}, {"f.c": b"1\n2\n3\n4\n"})
    assert plan(payload, {"f.c": b"1\n2\n3\nmore\n"}).status is Status.CONFLICT
    moved = plan(payload, {"f.c": b"0\n1\n2\n3\n"})
    assert (moved.status, after(moved, "f.c")) == (Status.MOVED, b"0\n1\n2\n3\n4\n")


def test_both_sides_at_the_stated_lines_are_no_proof() -> None:
    """The lines repeat, so that old and new text stand at the same place."""
    payload = b"diff --git a/f b/f\n--- a/f\n+++ b/f\n@@ -4,6 +4,7 @@\n"
    payload += b" a\n" * 3 + b"+a\n" + b" a\n" * 3
    assert plan(payload, {"f": b"a\n" * 20}).status is Status.CONFLICT


NASTY = b"\xef\xbb\xbfcrlf\r\n\x0c\nlatin \xe9\n\x00nul\nlone \r cr\n \t \n--- a/x\n+++ b/x\nno eol"


def test_bytes_survive() -> None:
    old, new = NASTY + b"\n" + OLD + b"no eol\xe9", NASTY.replace(b"latin", b"LATIN") + b"\n" + OLD
    payload = diff({"f.c": old}, {"f.c": new}, "--text")
    assert after(plan(payload, {"f.c": old}), "f.c") == new
    assert after(plan(payload, {"f.c": b"X\r\n" + old}), "f.c") == b"X\r\n" + new


def test_new_file() -> None:
    payload = diff({"a": b"a\n"}, {"a": b"a\n", "d/new.c": NASTY, "d/empty": b""}, "--text")
    outcome = plan(payload, {"a": b"a\n"})
    assert (outcome.status, str(outcome.place)) == (Status.EXACT, "d/empty:1")
    assert outcome.anchor == "d/empty (1 of 2 files)"
    assert (after(outcome, "d/new.c"), after(outcome, "d/empty")) == (NASTY, b"")
    other = plan(payload, {"d/new.c": b"else\n"})
    assert other.status is Status.CONFLICT
    assert "d/new.c is there already, with other content" in other.reason


def test_deletion() -> None:
    payload = diff({"a": b"a\n", "d/f.c": OLD}, {"a": b"a\n"})
    assert plan(payload, {"d/f.c": OLD}).tree.read(RepoPath(b"d/f.c")) is None
    assert plan(payload, {"x": b""}).status is Status.PRESENT
    changed = plan(payload, {"d/f.c": OLD.replace(b"line 7\n", b"")})
    assert changed.status is Status.CONFLICT
    assert [str(c.place) for c in changed.candidates] == ["d/f.c:7"]


def test_rename() -> None:
    pure = diff({"a.c": OLD}, {"d/b.c": OLD})
    outcome = plan(pure, {"a.c": b"newer\n" + OLD})
    assert outcome.status is Status.EXACT
    assert after(outcome, "d/b.c") == b"newer\n" + OLD
    assert outcome.tree.read(RepoPath(b"a.c")) is None

    edited = diff({"a.c": OLD}, {"d/b.c": NEW})
    outcome = plan(edited, {"a.c": b"newer\n" + OLD})
    assert (outcome.status, after(outcome, "d/b.c")) == (Status.MOVED, b"newer\n" + NEW)
    half = plan(edited, {"d/b.c": OLD})
    assert (half.status, "was renamed already" in half.reason) == (Status.CONFLICT, True)
    assert plan(edited, {"a.c": OLD, "d/b.c": b"else"}).status is Status.CONFLICT
    assert plan(edited, {"d/b.x": OLD}).status is Status.CONFLICT


def test_chain_of_renames_is_refused() -> None:
    swap = b"".join(
        b"diff --git a/%b b/%b\nrename from %b\nrename to %b\n" % (a, b, a, b)
        for a, b in ((b"x", b"y"), (b"y", b"x"))
    )
    with pytest.raises(DiffRefused, match="is renamed, and changed at line"):
        plan(swap, {"x": b"1", "y": b"2"})


def test_mode_change() -> None:
    payload = b"diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n"
    outcome = plan(payload, {"x.sh": b"#!\n"})
    assert outcome.tree.read(RepoPath(b"x.sh")) == File(b"#!\n", "100755")
    assert plan(payload, {"x.sh": File(b"#!\n", "120000")}).status is Status.CONFLICT


def link(target: str) -> bytes:
    return (
        "diff --git a/d/l b/d/l\nnew file mode 120000\n--- /dev/null\n+++ b/d/l\n"
        f"@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    ).encode()


def test_link() -> None:
    outcome = plan(link("../f.c"), {"f.c": b""})
    assert outcome.tree.read(RepoPath(b"d/l")) == File(b"../f.c", "120000")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "..", "a/../../../x", "/"])
def test_link_out_of_the_tree_is_refused(target: str) -> None:
    with pytest.raises(DiffRefused, match=r"files/x.diff:1: the link d/l -> .* leaves the tree"):
        plan(link(target), {"f.c": b""})


def test_nothing_is_written_through_a_link() -> None:
    """git's t4139 and t4122, on the overlay."""
    made = link("../f") + b"diff --git a/d/l/x b/d/l/x\nnew file mode 100644\n"
    assert "is a link" in plan(made, {"f/y": b""}).reason
    there = b"diff --git a/l/x b/l/x\nnew file mode 100644\n"
    assert "is a link" in plan(there, {"l": File(b"f", "120000"), "f/y": b""}).reason
    through = diff({"l/x": OLD}, {"l/x": NEW})
    assert plan(through, {"l": File(b"f", "120000"), "f/x": OLD}).status is Status.CONFLICT
    on_it = diff({"l": OLD}, {"l": NEW})
    said = "l is a link, and no file as where the diff was made"
    gone = diff({"l": b"f"}, {})
    for payload, data in ((on_it, OLD), (without_names(on_it), OLD), (gone, b"f")):
        assert said in plan(payload, {"l": File(data, "120000")}).reason


def test_file_becomes_a_link() -> None:
    payload = (
        b"diff --git a/d/l b/d/l\ndeleted file mode 100644\n--- a/d/l\n+++ /dev/null\n"
        b"@@ -1 +0,0 @@\n-x\n" + link("../f.c")
    )
    outcome = plan(payload, {"d/l": b"x\n"})
    assert outcome.tree.read(RepoPath(b"d/l")) == File(b"../f.c", "120000")


def test_missing_file_offers_like_names() -> None:
    outcome = plan(DIFF, {"d/ff.c": OLD})
    assert outcome.status is Status.CONFLICT
    assert "files/x.diff:1: d/f.c: the tree has no such file" in outcome.reason
    assert [str(c.place) for c in outcome.candidates] == ["d/ff.c:1"]


def test_several_files_conflict_together() -> None:
    payload = diff({"a.c": OLD, "b.c": OLD, "c.c": OLD}, {"a.c": NEW, "b.c": NEW, "c.c": NEW})
    outcome = plan(payload, {"a.c": OLD, "b.c": b"", "c.c": b""})
    assert outcome.status is Status.CONFLICT
    assert "(2 of 3 files conflict)" in outcome.reason


def test_a_long_file_without_the_text_is_told_fast() -> None:
    """Bounded: 200,000 lines alike, none of them the one."""
    outcome = plan(DIFF, {"d/f.c": b"line 19\nline 21\n" * 100_000})
    assert outcome.status is Status.CONFLICT


KCONFIG = b'config OLD\n\tbool "old"\n\nconfig NEW\n\tbool "new"\n\nconfig HIDDEN\n\tbool\n'


def test_proofs() -> None:
    old = {"d/f.c": OLD, "d/doc.rst": OLD, "gone.c": b"x\n", "d/Kconfig": KCONFIG[:24]}
    new: dict[str, bytes] = {"d/f.c": NEW, "d/doc.rst": NEW, "d/Kconfig": KCONFIG}
    new["d/a.rs"] = b'#[no_mangle]\npub extern "C" fn greet() {}\n'
    new["d/g.h"] = b"int g;\n"
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("x", diff(old, new)))
    outcome = PATCH.plan(edit, Ground(TreeOverlay(DictTree(old)), NoHistory()))
    proofs = PATCH.proofs(edit, outcome)
    assert [p for p in proofs if not isinstance(p, Unprovable)] == [
        Reachable("NEW"),
        ObjectBuilds(RepoPath(b"d/a.o"), ("greet",)),
        ObjectBuilds(RepoPath(b"d/f.o"), off_too=True),
    ]
    why = [p.why for p in proofs if isinstance(p, Unprovable)]
    assert [w.split(":")[0] for w in why] == [
        "d/doc.rst",
        "no .c file beside d/g.h includes it",
        "gone.c goes away",
    ]


LINES = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"c\r\n", b"\x0c\xe9\n", b"{\n", b"}\n"]), max_size=30
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # shrinking would start thousands of gits
    suppress_health_check=list(HealthCheck),
)
@given(LINES, LINES, LINES, LINES, st.booleans())
def test_whatever_it_answers_is_right(
    head: list[bytes], cut: list[bytes], put: list[bytes], above: list[bytes], named: bool
) -> None:
    """On the very file the result is the new one; on a shifted one, the shifted new one or none."""
    tail = [b"t%d\n" % n for n in range(4)]
    old, new = b"".join(head + cut + tail), b"".join(head + put + tail)
    if old == new:
        return
    payload = diff({"f": old}, {"f": new}, "--text")
    if not named:
        payload = without_names(payload)
    for shift in (b"", b"".join(above)):
        outcome = plan(payload, {"f": shift + old})
        if outcome.status is not Status.CONFLICT and outcome.status is not Status.PRESENT:
            assert after(outcome, "f") == shift + new
    if named:
        assert plan(payload, {"f": old}).status is Status.EXACT
        assert plan(payload, {"f": new}).status is Status.PRESENT


def held(outcome: Outcome, path: str) -> bytes:
    file = outcome.tree.read(RepoPath(path.encode()))
    assert file is not None
    return file.data


FILE = b"".join(b"\tline_%d();\n" % n for n in range(12))


def test_neighbouring_lines_changed_on_either_side_merge() -> None:
    """yama, 6.1 to 6.12: upstream changed the line below the one that the patch changes."""
    patched = FILE.replace(b"line_5()", b"line_5(1)")
    now = FILE.replace(b"line_6()", b"line_6(2)").replace(b"line_4", b"line_four")
    outcome = plan(diff({"f": FILE}, {"f": patched}), {"f": now}, FILE)
    assert outcome.status is Status.ADAPTED
    assert held(outcome, "f") == now.replace(b"line_5()", b"line_5(1)")


def test_a_moved_file_is_followed() -> None:
    patched = FILE + b"more\n"
    now = {"arch/arm/boot/marvell/ts.dtsi": FILE.replace(b"line_3", b"line_three"), "other/a": FILE}
    outcome = plan(diff({"arch/arm/ts.dtsi": FILE}, {"arch/arm/ts.dtsi": patched}), now, FILE)
    assert outcome.status is Status.MOVED
    assert "arch/arm/ts.dtsi is arch/arm/boot/marvell/ts.dtsi now" in outcome.reason
    assert held(outcome, "arch/arm/boot/marvell/ts.dtsi").endswith(b"line_11();\nmore\n")


def test_a_moved_file_with_a_twin_is_a_conflict() -> None:
    payload = diff({"old/f.c": FILE}, {"old/f.c": FILE + b"more\n"})
    outcome = plan(payload, {"one/f.c": FILE, "two/f.c": FILE}, FILE)
    assert outcome.status is Status.CONFLICT
    assert [str(c.place) for c in outcome.candidates] == ["one/f.c:1", "two/f.c:1"]


OTHER = b"".join(b"\tother_%d();\n" % n for n in range(12))


def test_files_under_other_names_are_followed_and_kept() -> None:
    """The kernel the series comes from tells; what it told, the edit is enough for."""
    old = {"pci/hda_a.c": FILE, "pci/hda_b.c": OTHER}
    new = {p: d.replace(b"_5", b"_five") for p, d in old.items()}
    there = {"hda/a.c": FILE + b"more\n", "hda/intel/b.c": OTHER, "soc/hda_a.c": FILE}
    before = DictTree({**old, "soc/hda_a.c": FILE})
    history = GitMerge(FILE, OTHER)
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("files/x.diff", diff(old, new)))
    unknowing = PATCH.plan(edit, Ground(TreeOverlay(DictTree(there)), history))
    assert unknowing.status is Status.CONFLICT, "one of them has its name, and none the other's"

    outcome = PATCH.plan(edit, Ground(TreeOverlay(DictTree(there)), history, before))
    assert outcome.status is Status.MOVED, outcome.reason
    assert held(outcome, "hda/a.c") == new["pci/hda_a.c"] + b"more\n"
    assert held(outcome, "hda/intel/b.c") == new["pci/hda_b.c"]
    assert held(outcome, "soc/hda_a.c") == FILE
    assert outcome.learned == (Learned("also", "hda/a.c"), Learned("also", "hda/intel/b.c"))

    also = tuple(RepoPath(lesson.value.encode()) for lesson in outcome.learned)
    knowing = replace(edit, also=also)
    alone = PATCH.plan(knowing, Ground(TreeOverlay(DictTree(there)), history))
    assert (alone.tree.changes, alone.learned) == (outcome.tree.changes, ())
    again = PATCH.plan(knowing, Ground(outcome.tree, history))
    assert again.status is Status.PRESENT, again.reason
    assert PATCH.plan(knowing, Ground(TreeOverlay(before), history)).status is Status.EXACT
    newest = TreeOverlay(DictTree({"hda/a_.c": FILE + b"more\n", "hda/intel/b_.c": OTHER}))
    later = Ground(newest, history, DictTree(there))
    assert held(PATCH.plan(knowing, later), "hda/a_.c") == new["pci/hda_a.c"] + b"more\n"


IA64 = FILE.replace(b"line_5();", b"printk(of_an_architecture);")


def test_what_left_with_its_folder_is_left_out_and_said() -> None:
    old = {"arch/ia64/process.c": IA64, "kernel/f.c": FILE}
    new = {"arch/ia64/process.c": IA64.replace(b"of_an", b"of_no"), "kernel/f.c": FILE + b"x\n"}
    outcome = plan(diff(old, new), {"kernel/f.c": FILE}, IA64, FILE)
    assert outcome.status is Status.ADAPTED
    assert "arch/ia64/process.c left out" in outcome.reason
    assert held(outcome, "kernel/f.c") == new["kernel/f.c"]


def test_what_left_alone_is_a_conflict() -> None:
    old = {"arch/ia64/process.c": IA64}
    payload = diff(old, {"arch/ia64/process.c": IA64.replace(b"of_an_arch", b"of_some_arch")})
    for there in ({"kernel/f.c": FILE}, {"arch/ia64/other.c": FILE}, {"arch/x/process.c": b"x\n"}):
        assert plan(payload, there, IA64).status is Status.CONFLICT
    split = {"arch/x/y.c": b"\tprintk(of_an_architecture);\n", "kernel/f.c": FILE}
    assert plan(payload, split, IA64).status is Status.CONFLICT, "its line lives on elsewhere"


def test_one_more_of_the_lines_that_all_go_is_a_conflict() -> None:
    """Documentation/Makefile, 6.1 to 6.12: a new target had the line that the patch takes out."""
    gone = b"\t@scripts/pre-install --version-check\n"
    base = b"html:\n" + gone + b"\tmake html\n" + FILE + b"epub:\n" + gone + b"\tmake epub\n"
    now = base + b"texinfo:\n" + gone + b"\tmake texinfo\n"
    outcome = plan(diff({"f": base}, {"f": base.replace(gone, b"")}), {"f": now}, base)
    assert outcome.status is Status.CONFLICT
    assert "takes out every" in outcome.reason
    assert outcome.candidates[0].place.line > 12


def test_moved_code_is_not_merged_in_twice() -> None:
    """On its own result, where upstream changed a line of its context, a move is there already."""
    head, moved = b"int a;\n\n", b"\nint g(void)\n{\n\treturn r;\n}\n"
    rest = b"int f(void)\n{\n\treturn a;\n}\n\nvoid h(void)\n{\n\ta |= 1;\n}\n"
    base, theirs = head + rest + moved, head + moved + rest + b"\n"
    ours = base.replace(head, b"int a;\n\n\n")
    payload = diff({"f.c": base}, {"f.c": theirs})
    first = plan(payload, {"f.c": ours}, base)
    assert first.status is not Status.CONFLICT, first.reason
    made = first.tree.read(RepoPath(b"f.c"))
    assert made
    assert made.data.count(b"int g(void)") == 1
    again = plan(payload, {"f.c": made.data}, base)
    assert again.status is Status.PRESENT, again.reason


def test_a_part_that_the_base_has_elsewhere_does_not_tell_that_all_is_there() -> None:
    """Upstream dropped the place, and put the one new line in at another, which had the rest."""
    base = FILE + b"a\nb\nc\n" + FILE + b"a\nb\nw\nc\n"
    payload = diff({"f": base}, {"f": base.replace(b"a\nb\nc\n", b"a\nx\nb\nw\nc\n")}, "-U1")
    now = FILE + FILE + b"a\nx\nb\nw\nc\n"
    assert plan(payload, {"f": now}, base).status is Status.CONFLICT


def test_what_is_deleted_and_stands_there_changed_is_not_gone() -> None:
    """Debian takes FB_NVIDIA out of 6.1; 6.12 has it with other `select` lines."""
    entry = b'config %b\n\tbool "%b"\n\tselect %b_FOPS\n\thelp\n\t  A driver of %b.\n\n'
    a, b, c = (entry % ((name,) * 4) for name in (b"FB_ATMEL", b"FB_NVIDIA", b"FB_I740"))
    now = a + b.replace(b"_FOPS\n", b"_OPS\n\tselect FB_MORE\n") + c
    for name, status in (("Kconfig", Status.ADAPTED), ("video.txt", Status.CONFLICT)):
        outcome = plan(diff({name: a + b + c}, {name: a + c}), {name: now}, a + b + c)
        assert outcome.status is status
        assert held(outcome, name) == (a + c if status is Status.ADAPTED else now)


def test_a_merge_without_a_clash_that_leaves_a_brace_over_is_a_conflict() -> None:
    """Upstream took the block out whose end the patch moves; each change alone is sound."""
    calls = b"".join(b"\tcall_%d();\n" % n for n in range(8))
    base = b"void f(void)\n{\n\tif (a) {\n\t\tb();\n" + calls + b"\t}\n\tc();\n}\n"
    new = base.replace(b"\t}\n\tc();\n", b"\tc();\n\t}\n")
    now = base.replace(b"\tif (a) {\n", b"").replace(b"\t}\n\tc();", b"\tc();")
    assert plan(diff({"f.c": base}, {"f.c": new}), {"f.c": now}, base).status is Status.CONFLICT
    assert plan(diff({"f.c": base}, {"f.c": new}), {"f.c": base}, base).status is Status.EXACT


def test_what_upstream_moved_and_the_patch_deletes_is_not_left() -> None:
    """git merges it without a clash: to it, the function went here and came there."""
    has = b"bool boot_cpu_has(unsigned int bit)\n{\n\treturn caps & (1u << bit);\n}\n"
    caps = b"void kvm_set_cpu_caps(void)\n{\n\tcaps |= 1u << CPUID_FPU;\n}\n"
    extra = b"int kvm_extra(void)\n{\n\treturn r;\n}\n"
    head = b'#include "cpuid.h"\n\nstatic u32 caps;\n\n'
    base, now = (
        head + has + b"\n" + caps + b"\n" + extra,
        head + b"\n" + caps + has + b"\n\n" + extra,
    )
    for name in ("f.c", "f.txt"):
        payload = diff({name: base}, {name: head + b"\n\n", "new.c": has + caps + extra})
        outcome = plan(payload, {name: now}, base)
        assert outcome.status is Status.CONFLICT, held(outcome, name)
    more = base + b"\n" + has.replace(b"boot_cpu_has", b"other_cpu_has")
    payload = diff({"f.c": base}, {"f.c": head + caps + b"\n" + extra})
    assert plan(payload, {"f.c": more}, base).status is not Status.CONFLICT, "another's line"


def test_a_short_call_that_upstream_moved_is_not_gone_either() -> None:
    """Out and in again, it is the same: but what the patch deletes is in the function still."""
    base = b"int f(void)\n{\n\tone();\n\ttwo();\n\tthree();\n\treturn 0;\n}\n"
    less = base.replace(b"\ttwo();\n", b"")
    moved = less.replace(b"\treturn", b"\ttwo();\n\treturn")
    outcome = plan(diff({"a.c": base}, {"a.c": less}), {"a.c": moved}, base)
    assert outcome.status is Status.CONFLICT


def test_a_short_line_that_upstream_moved_and_the_patch_deletes_is_not_gone() -> None:
    head, end = b"int go(void)\n{\n\tone();\n\n", b"\n\ttwo();\n\tthree();\n\treturn 0;\n}\n"
    base = head + b"\ton();\n\tsave();\n" + end
    now = head + b"\tsave();\n\ton();\n" + end
    payload = diff({"f.c": base}, {"f.c": head + b"\tsave();\n" + end})
    assert plan(payload, {"f.c": now}, base).status is Status.CONFLICT
    assert plan(payload, {"f.c": base}, base).status is Status.EXACT
    gone = now.replace(b"\ton();\n", b"\tmore();\n")
    assert plan(payload, {"f.c": gone}, base).status is Status.PRESENT


@pytest.mark.parametrize(
    ("name", "was", "now", "end"),
    [
        ("f.c", "int f(void)\n{\n\tif (a) {\n%s\t}\n}\n", "if (a)|if (!a)", "\tgo%d();\n"),
        ("f.c", "int f(void)\n{\n\tswitch (a) {\n\tcase 1:\n%s\t}\n}\n", "case 1|case 2",
         "\tgo%d();\n"),
        ("f.h", "#ifdef A\n%s#endif\n", "ifdef|ifndef", "int a%d;\n"),
        ("f.h", "struct a {\n%s};\n", "struct|union", "\tint a%d;\n"),
        ("f.py", "def f(x):\n    if x:\n%s", "if x|if not x", "        go(%d)\n"),
        ("f.py", "go(%s)\n", "go(|go(b7=1,\n   ", "   b%d=1,\n"),
        ("f.sh", "if a; then\n%sfi\n", "if a|if ! a", "\tgo %d\n"),
        ("f.yaml", "if:\n%sz: 1\n", "if:|not:", "  a%d: 1\n"),
        ("Kconfig", "if A\n\n%sendif\n", "if A|if !A", "config B%d\n\tbool\n\n"),
        ("Makefile", "ifdef A\n%sendif\n", "ifdef|ifndef", "obj-y += a%d.o\n"),
        ("Makefile", "a-y := a.o \\\n%s\tz.o\n", "a-y|b-y", "\ta%d.o \\\n"),
    ],
)  # fmt: skip
def test_what_is_far_above_tells_what_a_change_means(
    name: str, was: str, now: str, end: str
) -> None:
    """git puts it in: the three lines around it are the same."""
    lines = "".join(end % n for n in range(7))
    base, mine = (was.replace("%s", text).encode() for text in (lines, lines + end % 7))
    old, new = now.encode().split(b"|")
    there = base.replace(old, new, 1)
    assert there != base
    payload = diff({name: base}, {name: mine})
    outcome = plan(payload, {name: there}, base)
    assert outcome.status is Status.CONFLICT, held(outcome, name)
    assert outcome.reason.endswith("or beside, means something else here")
    longer = base.replace(b"0", b"9", 1)
    assert plan(payload, {name: longer}, base).status is Status.EXACT


def test_a_goto_has_its_label() -> None:
    """git merges it without a clash, and no compiler takes it."""
    base = (
        b"int go(void)\n{\n\tif (one())\n\t\tgoto out;\n\ta = b ? c :\n\t    d;\n\ttwo();\n"
        b"\tthree();\n\tfour();\n\treturn 0;\nout:\nfree: undo();\n\treturn 1;\n}\n"
    )
    payload = diff({"f.c": base}, {"f.c": base.replace(b"two();", b"if (two())\n\t\tgoto out;")})
    done = plan(payload, {"f.c": base.replace(b"out", b"err")}, base)
    assert done.status is Status.CONFLICT
    assert done.reason.endswith("f.c: go() would have 'goto out', and no such label")
    other = base.replace(b"undo", b"undo_all")
    assert plan(payload, {"f.c": other}, base).status is Status.EXACT


def test_one_of_several_files_there_already_is_said() -> None:
    old = {f"{n}.mk": OLD for n in "abc"}
    new = {f"{n}.mk": NEW for n in "abc"}
    outcome = plan(diff(old, new), {**old, "b.mk": NEW})
    assert outcome.status is Status.ADAPTED
    assert outcome.reason == "b.mk: present already"


NODE = b"&left {\n\ton;\n};\n\n"


@pytest.mark.parametrize("context", ["-U0", "-U1", "-U3"])
@pytest.mark.parametrize("above", [b"", b"/* new */\n"])
def test_a_double_of_its_neighbour_goes_in(context: str, above: bytes) -> None:
    """Its new text stands in what the diff was made from, too: that says nothing."""
    base = b"&right {\n\ton;\n};\n\n" + NODE + b"&last {\n};\n"
    patched = base.replace(NODE, NODE + NODE)
    payload = diff({"f.dts": base}, {"f.dts": patched}, context)
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("x.diff", payload))
    tree = TreeOverlay(DictTree({"f.dts": above + base}))
    outcome = PATCH.plan(edit, Ground(tree, GitMerge(base)))
    assert outcome.status is not Status.PRESENT
    assert after(outcome, "f.dts") == above + patched


def test_a_conflict_says_what_upstream_put_between() -> None:
    base = b"obj-y := a.o b.o\n\nobj-$(X) += x/\nendif\n"
    payload = diff({"Makefile": base}, {"Makefile": base + b"obj-y += c.o\n"})
    outcome = plan(payload, {"Makefile": base + b"obj-$(Z) += z/\n"}, base)
    assert outcome.status is Status.CONFLICT
    assert (
        "looked for 'obj-$(X) += x/' at line 3, found it at line 3, but not with its context: "
        "upstream put in 'obj-$(Z) += z/' at line 5; and a three-way merge" in outcome.reason
    )
    assert [c.what for c in outcome.candidates] == ["obj-$(X) += x/"]
    assert outcome.missed
    assert outcome.missed.what == "obj-$(Z) += z/"


@pytest.mark.parametrize(
    ("old", "new", "tree", "said"),
    [
        (
            OLD,
            NEW,
            OLD.replace(b"\n", b"\r\n"),
            "found it at line 20, but the lines end otherwise: in CR LF on one side only",
        ),
        (
            OLD,
            NEW,
            OLD.replace(b"line", b"\tline"),
            "found it at line 20, but with other blanks in its lines",
        ),
        (
            OLD,
            OLD + b"added\n",
            OLD + b"upstream\n",
            "found it at line 40, but the hunk was made at the end of the file",
        ),
        (
            OLD + b"no end",
            OLD + b"no end, but more",
            OLD + b"no end\n",
            "looked for 'no end' at line 41, found it at line 41, but the lines end otherwise",
        ),
        (b"", OLD, b"other\n", "the diff adds to an empty file, and this one is not empty"),
    ],
)
def test_a_conflict_tells_ends_and_blanks_from_text(
    old: bytes, new: bytes, tree: bytes, said: str
) -> None:
    payload = diff({"f.c": old}, {"f.c": new})
    assert said in plan(payload, {"f.c": tree}).reason


def test_a_hunk_that_looks_for_nothing_is_said_to() -> None:
    payload = diff({"f.c": OLD}, {"f.c": OLD.replace(b"line 20\n", b"line 20\nadded\n")}, "-U0")
    outcome = plan(payload, {"f.c": b"top\n" + OLD})
    said = "it has no context, only the number of line 20 says where it goes; the repository has no"
    assert said in outcome.reason


def test_a_conflict_about_a_rename_names_a_file_that_is_there() -> None:
    both = {"a.c": OLD, "b.c": OLD}
    for tree in (both, {"b.c": OLD}):
        outcome = plan(diff({"a.c": OLD}, {"b.c": NEW}), tree)
        assert outcome.status is Status.CONFLICT
        assert outcome.reason.startswith("files/x.diff:1: b.c ")
        assert [candidate.place.path for candidate in outcome.candidates] == [b"b.c"]


def test_a_conflict_says_which_context_is_gone() -> None:
    now = OLD.replace(b"line 22\n", b"other 22\n")
    known = plan(DIFF, {"d/f.c": OLD.replace(b"line 20\nline 21\n", b"other\n")}, OLD)
    assert known.status is Status.CONFLICT
    assert "found it nowhere: upstream made 'other' of 'line 20 / line 21' at line 20" in (
        known.reason
    )
    alone = plan(DIFF, {"d/f.c": now})
    assert (
        "looked for 'line 20' at line 20, found it at line 20, but not with its context: "
        "this kernel has no 'line 22'" in alone.reason
    )


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([3], "line 3"),
        ([3, 5], "lines 3 and 5"),
        ([3, 5, 7], "lines 3, 5 and 7"),
        ([1, 2, 3, 4, 5, 6, 7], "lines 1, 2, 3, 4, 5 and 2 more"),
    ],
)
def test_lines_in_words(places: list[int], words: str) -> None:
    assert at_lines(places) == words


@pytest.mark.parametrize("changed", [OLD, OLD + b"int more;\n"])
def test_what_is_renamed_and_went_elsewhere_names_where(changed: bytes) -> None:
    payload = diff({"a/old.c": OLD}, {"a/new.c": NEW})
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("files/x.diff", payload))
    ground = Ground(
        TreeOverlay(DictTree({"c/old.c": changed})), GitMerge(OLD), DictTree({"a/old.c": OLD})
    )
    outcome = PATCH.plan(edit, ground)
    assert outcome.status is Status.CONFLICT
    assert [c.place.path for c in outcome.candidates] == [b"c/old.c"]


@pytest.mark.parametrize("new", [{}, {"a/new.c": NEW}])
@pytest.mark.parametrize("was", ["a/old.c", "c/old.c"])
def test_what_is_deleted_or_renamed_and_went_elsewhere_is_not_there_already(
    new: Mapping[str, bytes], was: str
) -> None:
    """Whether the last kernel had it in its place still, or where this one has it."""
    payload = diff({"a/old.c": OLD, "b.c": b"b\n"}, {**new, "b.c": b"b\n"})
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("files/x.diff", payload))
    now = TreeOverlay(DictTree({"c/old.c": OLD + b"int more;\n", "b.c": b"b\n"}))
    for blobs in ((OLD,), (OLD, NEW)):
        outcome = PATCH.plan(edit, Ground(now, GitMerge(*blobs), DictTree({was: OLD})))
        assert outcome.status is Status.CONFLICT
        assert [c.place.path for c in outcome.candidates] == [b"c/old.c"]


def test_what_is_deleted_and_has_a_likeness_is_gone() -> None:
    """A driver of the same family that is as old is not what became of it."""
    payload = diff({"a/old.c": OLD, "b.c": b"b\n"}, {"b.c": b"b\n"})
    edit = PatchEdit(where=Where("r.toml"), diff=Payload("files/x.diff", payload))
    family = {"a/other.c": OLD + b"int more;\n", "b.c": b"b\n"}
    before = DictTree({**family, "a/old.c": OLD})
    outcome = PATCH.plan(edit, Ground(TreeOverlay(DictTree(family)), GitMerge(OLD), before))
    assert outcome.status is Status.PRESENT
    assert outcome.reason == "a/old.c is gone already"


def split(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> bytes:
    """A rename as one file that goes and one that comes."""
    return diff(old, new, "--no-renames")


UPSTREAM = OLD.replace(b"line 5\n", b"line five\n")


class TestRenamedByHalves:
    def test_what_upstream_changed_goes_along(self) -> None:
        outcome = plan(split({"a/x.c": OLD}, {"b/x.c": NEW}), {"a/x.c": UPSTREAM}, OLD)
        assert outcome.status is Status.ADAPTED
        assert outcome.reason.startswith(
            "a/x.c is b/x.c in the diff, which deletes the one and adds the other: it keeps what "
            "this kernel changed in it"
        )
        assert after(outcome, "b/x.c") == NEW.replace(b"line 5\n", b"line five\n")
        assert outcome.tree.read(RepoPath(b"a/x.c")) is None

    def test_beside_what_the_diff_changes_a_merge_decides(self) -> None:
        """And it is there already on its own result: `plan` looks."""
        near = OLD.replace(b"line 18\n", b"line eighteen\n")
        outcome = plan(split({"a/x.c": OLD}, {"b/x.c": NEW}), {"a/x.c": near}, OLD)
        assert outcome.status is Status.ADAPTED
        assert "merged three-way, from blob" in outcome.reason
        assert after(outcome, "b/x.c") == NEW.replace(b"line 18\n", b"line eighteen\n")

    def test_what_both_changed_is_a_conflict(self) -> None:
        both = OLD.replace(b"line 33\n", b"line thirty-three\n")
        outcome = plan(split({"a/x.c": OLD}, {"b/x.c": NEW}), {"a/x.c": both}, OLD)
        assert outcome.status is Status.CONFLICT
        assert outcome.candidates[0].place.path == b"a/x.c"

    def test_unchanged_it_is_as_the_diff_says(self) -> None:
        payload = split({"a/x.c": OLD}, {"b/x.c": NEW})
        assert plan(payload, {"a/x.c": OLD}, OLD).status is Status.EXACT
        assert plan(payload, {"b/x.c": NEW}, OLD).status is Status.PRESENT

    @pytest.mark.parametrize(
        ("old", "new", "blobs"),
        [
            pytest.param({"a/x.c": OLD}, {"b/x.c": NEW}, (), id="no blob"),
            pytest.param({"a/x.c": OLD}, {"b/x.c": b"int x;\n" * 40}, (OLD,), id="another file"),
            pytest.param(
                {"a/x.c": OLD}, {"b/y.c": NEW, "c/z.c": NEW}, (OLD,), id="two of one likeness"
            ),
            pytest.param(
                {"a/x.c": OLD, "a/y.c": OLD}, {"b/z.c": NEW}, (OLD,), id="one of two likenesses"
            ),
        ],
    )
    def test_what_is_not_certain_is_a_conflict(
        self, old: Mapping[str, bytes], new: Mapping[str, bytes], blobs: tuple[bytes, ...]
    ) -> None:
        outcome = plan(split(old, new), {**old, "a/x.c": UPSTREAM}, *blobs)
        assert outcome.status is Status.CONFLICT
        assert "a/x.c is not what the diff deletes" in outcome.reason

    def test_the_best_pair_is_the_one(self) -> None:
        old = {"a/x.c": OLD, "a/y.c": OLD + b"int y;\n"}
        new = {"b/p.c": NEW + b"int y;\n", "b/q.c": NEW}
        outcome = plan(split(old, new), {**old, "a/x.c": UPSTREAM}, *old.values())
        assert outcome.status is Status.ADAPTED
        assert after(outcome, "b/q.c") == NEW.replace(b"line 5\n", b"line five\n")
        assert after(outcome, "b/p.c") == new["b/p.c"]

    def test_of_two_the_one_that_keeps_its_name(self) -> None:
        new = {"b/x.c": NEW, "b/y.c": NEW}
        outcome = plan(split({"a/x.c": OLD}, new), {"a/x.c": UPSTREAM}, OLD)
        assert after(outcome, "b/x.c") == NEW.replace(b"line 5\n", b"line five\n")
        assert after(outcome, "b/y.c") == NEW

    def test_a_new_mode_is_kept(self) -> None:
        payload = split({"a/x.sh": OLD}, {"b/x.sh": NEW}).replace(
            b"new file mode 100644", b"new file mode 100755"
        )
        outcome = plan(payload, {"a/x.sh": UPSTREAM}, OLD)
        file = outcome.tree.read(RepoPath(b"b/x.sh"))
        assert file
        assert file.mode == "100755"
