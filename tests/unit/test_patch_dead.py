"""A patch's code where nothing compiles it, or in one of two definitions of its function."""

from __future__ import annotations

import pytest

from kpatch_rs.model.outcome import Status
from tests.unit.test_kind_patch import after, diff, plan, without_names

OLD = b"int start(void)\n{\n\tread();\n\tsettle();\n\twrite();\n\treturn 0;\n}\n"
NEW = OLD.replace(b"\twrite", b"\tflush();\n\twrite")
OTHER = b"int start(void)\n{\n\treturn again();\n}\n"
DIFF = diff({"a.c": OLD}, {"a.c": NEW})


@pytest.mark.parametrize("blobs", [(OLD,), ()])
@pytest.mark.parametrize(("above", "below"), [(b"#if 0\n", b"#endif\n"), (b"/*\n", b"*/\n")])
def test_what_upstream_put_out_of_use_takes_no_change(
    blobs: tuple[bytes, ...], above: bytes, below: bytes
) -> None:
    outcome = plan(DIFF, {"a.c": above + OLD + below + OTHER}, *blobs)
    assert outcome.status is Status.CONFLICT
    assert outcome.reason == (
        "files/x.diff:1: a.c: line 6 would be in a comment or an #if 0, where nothing is compiled"
    )


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"/*\n * read();\n * Text;\n */\n", b"/*\n * read();\n * More;\n * Text;\n */\n"),
        (b"#if 0\nread();\n#endif\nint a;\n", b"#if 0\nread();\n#endif\n/* one; */\nint a;\n"),
    ],
)
def test_what_the_patch_says_in_a_comment_is_no_code(named: bool, old: bytes, new: bytes) -> None:
    payload = diff({"a.c": old}, {"a.c": new}, "-U2")
    outcome = plan(payload if named else without_names(payload), {"a.c": b"\n" + old + b"\n"}, old)
    assert outcome.status is Status.MOVED
    assert after(outcome, "a.c") == b"\n" + new + b"\n"


def test_a_second_definition_of_the_function_wants_the_change_too() -> None:
    tree = b"#ifdef A\n" + OLD + b"#else\n" + OLD.replace(b"read", b"fetch") + b"#endif\n"
    outcome = plan(DIFF, {"a.c": tree}, OLD)
    assert outcome.status is Status.CONFLICT
    assert outcome.reason == (
        "files/x.diff:1: a.c: start() would have the change in one of its definitions, "
        "and another one have it not"
    )


def test_a_stub_beside_the_function_does_not() -> None:
    tree = b"#ifdef A\n" + OLD + b"#else\nint start(void)\n{\n\treturn 0;\n}\n#endif\n"
    outcome = plan(DIFF, {"a.c": tree}, OLD)
    assert after(outcome, "a.c") == tree.replace(OLD, NEW)


@pytest.mark.parametrize(("named", "changed"), [(b"start", b"begin"), (b"start", b"")])
def test_a_use_that_upstream_added_of_what_the_patch_takes_out(
    named: bytes, changed: bytes
) -> None:
    rest = b"\nint other(void)\n{\n\treturn 1;\n}\n"
    new = OLD.replace(named, changed) if changed else b""
    payload = diff({"a.c": OLD + rest}, {"a.c": new + rest})
    more = b"\nint more(void)\n{\n\treturn start();\n}\n"
    outcome = plan(payload, {"a.c": OLD + rest + more}, OLD + rest)
    assert outcome.status is Status.CONFLICT
    line = (new + rest + more).count(b"\n") - 1
    assert outcome.reason == (
        f"files/x.diff:1: a.c: line {line} uses start(), which the diff takes out of the file"
    )
    fits = more.replace(b"start", b"other")
    assert plan(payload, {"a.c": OLD + rest + fits}, OLD + rest).status is Status.EXACT
    moves = payload + diff({"b.c": b"int b;\n"}, {"b.c": b"int b;\n" + OLD})
    tree = {"a.c": OLD + rest + more, "b.c": b"int b;\n"}
    assert plan(moves, tree, OLD + rest, b"int b;\n").status is Status.EXACT


def test_a_mode_that_is_left_to_change_makes_no_exact() -> None:
    payload = diff({"a.c": OLD}, {"a.c": NEW}).replace(b" 100644\n---", b"\n---")
    payload = payload.replace(b"index", b"old mode 100644\nnew mode 100755\nindex")
    outcome = plan(payload, {"a.c": NEW}, OLD)
    assert (outcome.status, outcome.reason) == (Status.ADAPTED, "a.c:5: present already")


@pytest.mark.parametrize("named", [True, False])
def test_what_the_patch_moves_and_upstream_deleted_does_not_come_back(named: bool) -> None:
    one, other = b"#include <a.h>\n\nint a;\n", b"#include <b.h>\n\nint b;\n"
    old = {"a.c": one + b"\n" + OLD, "b.c": other}
    payload = diff(old, {"a.c": one, "b.c": other + b"\n" + OLD})
    payload = payload if named else without_names(payload)
    outcome = plan(payload, {"a.c": one, "b.c": other}, *old.values())
    assert outcome.status is Status.CONFLICT
    assert "b.c: start() would come back: the diff moves it there from a.c" in outcome.reason
    assert plan(payload, old, *old.values()).status is Status.EXACT
    done = {"a.c": one, "b.c": b"\n" + other + b"\n" + OLD}
    assert plan(payload, done, *old.values()).status is Status.PRESENT


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("%s", "#ifdef CONFIG_X\n%s#endif\n", "'#ifdef CONFIG_X' here, no #if where it comes from"),
        (
            "#if A\n%s#endif\n",
            "#if A\nnothing();\n#else\n%s#endif\n",
            "'#if A #else' here, '#if A' where it comes from",
        ),
        ("%s", "#if A\nnothing();\n#endif\n%s", ""),
        ("%s", "\tif (a) {\n\t}\n\tif (b) {\n\t}\n%s", ""),
        ("#ifdef A\n%s#endif\n", "#ifdef A\nnothing();\n%s#endif\n", ""),
    ],
)
def test_an_if_that_upstream_put_around_the_place_is_asked_for(
    was: str, now: str, said: str
) -> None:
    steps = "".join(f"\tstep({n});\n" for n in range(9))
    more = steps.replace("step(4);\n", "step(4);\n\tif (mine) {\n\t\tdo_it();\n\t}\n")

    def function(form: str, lines: str) -> bytes:
        return f"int f(void)\n{{\n{form % lines}\treturn 0;\n}}\n".encode()

    base = function(was, steps)
    payload = diff({"a.c": base}, {"a.c": function(was, more)})
    outcome = plan(payload, {"a.c": function(now, steps)}, base)
    assert (outcome.status is Status.CONFLICT) == bool(said)
    assert not said or outcome.reason == (
        f"files/x.diff:1: a.c: f() would have the change under another #if: {said}"
    )
