"""The text behind a hunk's second @@, where nothing else says which of two twins is meant."""

from __future__ import annotations

import pytest

from kpatch_rs.model.outcome import Status
from tests.unit.test_kind_patch import after, diff, plan, without_names

BODY = b"".join(b"\twrite_register(dev, %d);\n" % n for n in range(9))


def function(name: bytes, body: bytes = BODY) -> bytes:
    return b"static int %b(struct device *dev)\n{\n%b\treturn 0;\n}\n" % (name, body)


def symbol(name: bytes) -> bytes:
    return b'config %b\n\tbool "One"\n\tdepends on OF\n\tselect REGMAP\n\thelp\n\t  It.\n\n' % name


def node(label: bytes) -> bytes:
    return b"\t%b: serial@%b {\n\t\treg = <1>;\n\t\tclocks = <2>;\n\t\tdmas = <3>;\n\t};\n\n" % (
        label,
        label,
    )


CHANGED = BODY.replace(b"4);\n", b"4);\n\tflush(dev);\n")
TWINS = function(b"start") + b"\n" + function(b"stop")
STOP = without_names(
    diff({"a.c": TWINS}, {"a.c": function(b"start") + b"\n" + function(b"stop", CHANGED)})
)


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        (function(b"start"), 8),  # its twin is the only one left
        (function(b"stop") + b"\n" + function(b"start"), 22),  # its twin is where it was
        (function(b"start", CHANGED), 8),  # its twin has the change already
    ],
)
def test_the_twin_of_the_function_is_not_the_one_meant(tree: bytes, line: int) -> None:
    outcome = plan(STOP, {"a.c": tree})
    assert outcome.status is Status.CONFLICT
    assert outcome.reason == (
        "files/x.diff:4: a.c: the hunk was made in stop(), "
        f"and its text stands in start() at line {line}"
    )


def test_the_function_that_the_heading_names_is_the_one_meant() -> None:
    outcome = plan(STOP, {"a.c": b"/* new */\n" + function(b"stop")})
    assert outcome.status is Status.MOVED
    assert after(outcome, "a.c") == b"/* new */\n" + function(b"stop", CHANGED)


@pytest.mark.parametrize(
    ("name", "twins", "first", "heading"),
    [
        ("d/Kconfig", symbol(b"AAA") + symbol(b"BBB"), symbol(b"AAA"), b"config BBB"),
        ("d/b.dts", node(b"aaa") + node(b"bbb"), node(b"aaa"), b"bbb: serial@bbb {"),
    ],
)
def test_entries_and_nodes_have_twins_too(
    name: str, twins: bytes, first: bytes, heading: bytes
) -> None:
    line = b"\tselect REGMAP\n" if b"Kconfig" in name.encode() else b"\t\tclocks = <2>;\n"
    before, _, rest = twins.rpartition(line)
    made = diff({name: twins}, {name: before + line + b"\tmine\n" + rest}, "-U1")
    at = made.index(b"@@", made.index(b"@@") + 2)
    payload = without_names(made[:at] + b"@@ " + heading + made[made.index(b"\n", at) :])
    assert plan(payload, {name: first}).status is Status.CONFLICT
    assert plan(payload, {name: twins[len(first) :]}).status is Status.MOVED


@pytest.mark.parametrize(
    ("heading", "head"),
    [
        (b"SYSCALL_DEFINE2(start, int, a)", b"SYSCALL_DEFINE2(start, int, a)"),
        (b"int start(void)", b"int start(void)\n\tEXCLUSIVE_LOCK(a)"),
        (b"MODULE_LICENSE(GPL);", b"int start(void)"),
        (b"out:", b"int start(void)"),
    ],
)
def test_what_names_no_other_function_is_no_objection(heading: bytes, head: bytes) -> None:
    old = head + b"\n{\n" + BODY + b"}\n"
    made = diff({"a.c": old}, {"a.c": old.replace(BODY, CHANGED)}, "-U1")
    at = made.index(b"@@", made.index(b"@@") + 2)
    payload = without_names(made[:at] + b"@@ " + heading + made[made.index(b"\n", at) :])
    assert plan(payload, {"a.c": b"\n" + old}).status is Status.MOVED
