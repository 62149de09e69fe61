"""What upstream has at another place of the file is not put in a second time, however it ends."""

from __future__ import annotations

import pytest

from kpatch_rs.model.outcome import Outcome, Status
from tests.unit.test_kind_patch import after, diff, plan

HEAD = b"#include <linux/gadget.h>\n\n"
STATE = b"""struct gadget {
\tint one;
\tint two;
\tint three;
\tint four;
\tint five;
\tint six;
};
"""
DO = b"""
int gadget_do(struct gadget *g, int cmd)
{
\tgadget_lock(g);
\tswitch (cmd) {
\tcase CMD_ONE:
\t\tg->one = 1;
\t\tbreak;
\tcase CMD_TWO:
\t\tg->two = 2;
\t\tbreak;
\tcase CMD_THREE:
\t\tg->three = 3;
\t\tbreak;
\tdefault:
\t\treturn -1;
\t}
\tgadget_unlock(g);
\tgadget_done(g);
\treturn 0;
}
"""
BASE = HEAD + STATE + DO
OBJ = b"obj-y += gadget.o other.o\n"


def put(data: bytes, *pairs: tuple[bytes, bytes]) -> bytes:
    """`data` with each text behind a line."""
    for line, text in pairs:
        assert data.count(line + b"\n") == 1
        data = data.replace(line + b"\n", line + b"\n" + text)
    return data


def tried(base: bytes, mine: bytes, there: bytes, name: str = "k/gadget.c") -> Outcome:
    tree = {name: there, "k/Makefile": OBJ}
    return plan(diff({name: base}, {name: mine}), tree, base)


FIELD = b"\tint fresh;\n"
CALL = b"\tgadget_refresh(g, cmd);\n"
CASE = b"\tcase CMD_NEW:\n\t\treturn 5;\n"
TWO, SIX, CMD_TWO, CMD_THREE = (
    b"\tint two;",
    b"\tint six;",
    b"\tcase CMD_TWO:",
    b"\tcase CMD_THREE:",
)
LOCK, UNLOCK = b"\tgadget_lock(g);", b"\tgadget_unlock(g);"
ENDS = b"\t\tg->one = 1;\n\t\tbreak;"


@pytest.mark.parametrize(
    ("behind", "there", "text", "line"),
    [
        (TWO, SIX, FIELD, 10),
        (ENDS, b"\t\tg->three = 3;\n\t\tbreak;", CASE, 25),
        (HEAD.strip() + b"\n", b"\tint six;\n};", b"static int fresh[] = { 1, };\n", 11),
    ],
)
def test_all_of_it_at_another_place_is_present(
    behind: bytes, there: bytes, text: bytes, line: int
) -> None:
    now = put(BASE, (there, text))
    outcome = tried(BASE, put(BASE, (behind, text)), now)
    assert (outcome.status, outcome.reason) == (
        Status.PRESENT,
        f"k/gadget.c has it at line {line}",
    )
    assert after(outcome, "k/gadget.c") == now


def test_half_of_it_is_a_conflict_that_shows_where() -> None:
    mine = put(BASE, (TWO, FIELD), (LOCK, b"\tgadget_more(g);\n"))
    outcome = tried(BASE, mine, put(BASE, (SIX, FIELD)))
    assert (outcome.status, outcome.reason) == (
        Status.CONFLICT,
        "files/x.diff:1: k/gadget.c: member 'fresh' of 'struct gadget' would be defined more than "
        "once; line 10 has it",
    )
    assert [(str(c.place), c.what) for c in outcome.candidates] == [("k/gadget.c:10", "int fresh;")]


def test_a_field_that_reads_otherwise_is_a_conflict() -> None:
    outcome = tried(BASE, put(BASE, (TWO, FIELD)), put(BASE, (SIX, b"\tu8 fresh;\n")))
    assert "member 'fresh' of 'struct gadget' would be" in outcome.reason


def test_a_statement_that_the_function_has_already_is_a_conflict() -> None:
    outcome = tried(BASE, put(BASE, (LOCK, CALL)), put(BASE, (UNLOCK, CALL)))
    assert (outcome.status, outcome.reason) == (
        Status.CONFLICT,
        "files/x.diff:1: k/gadget.c: 'gadget_refresh(g, cmd);' of 'gadget_do' would be there more "
        "than once; line 29 has it",
    )
    assert [str(c.place) for c in outcome.candidates] == ["k/gadget.c:29"]


def test_a_statement_of_another_function_is_none_of_its_business() -> None:
    other = DO.replace(b"gadget_do", b"gadget_undo").replace(b"two", b"three")
    base = BASE + other.replace(b"lock", b"block")
    there = base.replace(b"\tgadget_block(g);\n", b"\tgadget_block(g);\n" + CALL)
    outcome = tried(base, put(base, (LOCK, CALL)), there)
    assert outcome.status is Status.EXACT, outcome.reason


def test_a_case_that_runs_into_another_one_is_no_more_than_its_label() -> None:
    label = b"\tcase CMD_NEW:\n"
    mine, there = (
        put(BASE, (b"\t\tg->%b;\n\t\tbreak;" % n, label)) for n in (b"one = 1", b"two = 2")
    )
    assert "case 'CMD_NEW' of 'switch (cmd)'" in tried(BASE, mine, there).reason


def test_the_value_of_an_enumerator_is_its_place() -> None:
    base = BASE + b"enum colour {\n\tRED,\n\tGREEN,\n\tBLUE,\n\tBLACK,\n\tWHITE,\n\tGREY,\n};\n"
    mine, there = (put(base, (b"\t%b," % n, b"\tPINK,\n")) for n in (b"RED", b"GREY"))
    outcome = tried(base, mine, there)
    assert "enumerator 'PINK' would be defined more than once" in outcome.reason


def test_what_a_local_variable_begins_with_is_its_place() -> None:
    local = b"\tint fresh = gadget_read(g);\n"
    outcome = tried(BASE, put(BASE, (LOCK, local)), put(BASE, (UNLOCK, local)))
    assert "variable 'fresh' of 'int gadget_do(" in outcome.reason


def test_which_default_comes_first_is_its_place() -> None:
    base = b"config ONE\n\tint\n" + b"".join(b"\tselect S%d\n" % n for n in range(9))
    mine, there = (put(base, (b"\tselect S%d" % n, b"\tdefault 100\n")) for n in (1, 7))
    outcome = tried(base, mine, there, "k/Kconfig")
    assert "default 'default 100' of 'config ONE' would be" in outcome.reason


def test_what_another_condition_has_is_not_present() -> None:
    mine = put(BASE, (TWO, b"#ifdef CONFIG_A\n" + FIELD + b"#endif\n"))
    there = put(BASE, (SIX, b"#ifdef CONFIG_B\n" + FIELD + b"#endif\n"))
    assert tried(BASE, mine, there).status is Status.CONFLICT
    both = put(BASE, (TWO, b"#ifdef CONFIG_A\n" + FIELD + b"#endif\n"))
    other = put(BASE, (SIX, b"#ifndef CONFIG_A\n" + FIELD + b"#endif\n"))
    assert tried(BASE, both, other).status is not Status.CONFLICT, "one of them is compiled"


def test_nor_where_it_is_merged_three_way() -> None:
    mine = put(BASE, (TWO, FIELD)).replace(b"\tint one;", b"\tlong one;")
    there = put(BASE, (SIX, FIELD)).replace(b"\tint three;", b"\tu8 three;")
    outcome = tried(BASE, mine, there)
    assert "member 'fresh' of 'struct gadget'" in outcome.reason, outcome


def test_nor_where_it_is_merged_by_function() -> None:
    """Upstream changed the two functions' order, which a merge by lines cannot follow."""
    undo = DO.replace(b"gadget_do", b"gadget_undo").replace(b"CMD_", b"UNDO_")
    base, there = HEAD + STATE + DO + undo, HEAD + STATE + undo + put(DO, (UNLOCK, CALL))
    mine = HEAD + STATE + put(DO, (LOCK, CALL)) + undo
    outcome = tried(base, mine.replace(b"CMD_ONE", b"CMD_1ST"), there)
    assert outcome.status is Status.CONFLICT
    assert "'gadget_refresh(g, cmd);' of 'gadget_do'" in outcome.reason


def test_nor_in_the_file_where_the_function_is_now() -> None:
    payload = diff({"k/gadget.c": BASE}, {"k/gadget.c": put(BASE, (LOCK, CALL))})
    tree = {
        "k/gadget.c": HEAD + STATE,
        "k/other.c": HEAD + put(DO, (UNLOCK, CALL)),
        "k/Makefile": OBJ,
    }
    outcome = plan(payload, tree, BASE)
    assert outcome.status is Status.CONFLICT
    assert "k/other.c: 'gadget_refresh(g, cmd);' of 'gadget_do'" in outcome.reason
    assert [str(c.place) for c in outcome.candidates] == ["k/other.c:21"]


def test_without_the_blob_a_second_definition_is_still_one() -> None:
    payload = diff({"k/gadget.c": BASE}, {"k/gadget.c": put(BASE, (TWO, FIELD))})
    outcome = plan(payload, {"k/gadget.c": put(BASE, (SIX, FIELD)), "k/Makefile": OBJ})
    assert "member 'fresh' of 'struct gadget' would be" in outcome.reason


DTS = b"""/dts-v1/;
/ {
\tsoc {
\t\tpins: pinctrl@1 {
\t\t\tone-pins {
\t\t\t\tpins = "PA1";
\t\t\t};
\t\t\ttwo-pins {
\t\t\t\tpins = "PA2";
\t\t\t};
\t\t\tthree-pins {
\t\t\t\tpins = "PA3";
\t\t\t};
\t\t};
\t};
};
"""
NODE = b'\t\t\tuart5_pins: uart5-pins {\n\t\t\t\tpins = "PA9";\n\t\t\t};\n'


def test_a_node_or_a_label_stands_once() -> None:
    mine = put(DTS, (b'"PA1";\n\t\t\t};', NODE))
    there = put(DTS, (b'"PA3";\n\t\t\t};', NODE.replace(b"PA9", b"PA8")))
    outcome = tried(DTS, mine, there, "k/gadget.dts")
    assert outcome.status is Status.CONFLICT
    assert "k/gadget.dts: node 'uart5-pins' of 'pinctrl@1' would be defined" in outcome.reason
    assert {str(c.place) for c in outcome.candidates} == {"k/gadget.dts:14"}
    renamed = there.replace(b"uart5_pins: ", b"")
    assert "node 'uart5-pins'" in tried(DTS, mine, renamed, "k/gadget.dts").reason
    same = put(DTS, (b'"PA3";\n\t\t\t};', NODE))
    assert tried(DTS, mine, same, "k/gadget.dts").status is Status.PRESENT
    inside = put(DTS, (b'\t\t\t\tpins = "PA3";', NODE.replace(b"\t\t\t", b"\t\t\t\t")))
    assert "label 'uart5_pins'" in tried(DTS, mine, inside, "k/gadget.dts").reason
