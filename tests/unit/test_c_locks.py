"""What ran under a lock and would not now, or the other way round, is a conflict that says so."""

from __future__ import annotations

from typing import Any

import pytest

from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import TreeOverlay
from tests.trees import DictTree, NoHistory
from tests.unit.test_kind_patch import diff, plan

FILE = RepoPath(b"drivers/foo/main.c")
WORK = "g(foo);"
LOCKS = [
    ("mutex_lock(&l);", "mutex_unlock(&l);"),
    ("spin_lock_irqsave(&l, flags);", "spin_unlock_irqrestore(&l, flags);"),
    ("raw_spin_lock(&l);", "raw_spin_unlock(&l);"),
    ("read_lock(&l);", "read_unlock(&l);"),
    ("write_lock_bh(&l);", "write_unlock_bh(&l);"),
    ("down(&l);", "up(&l);"),
    ("down_read(&l);", "up_read(&l);"),
    ("rcu_read_lock();", "rcu_read_unlock();"),
    ("preempt_disable();", "preempt_enable();"),
    ("local_irq_save(flags);", "local_irq_restore(flags);"),
    ("local_bh_disable();", "local_bh_enable();"),
    ("idx = srcu_read_lock(&l);", "srcu_read_unlock(&l, idx);"),
    ("rtnl_lock();", "rtnl_unlock();"),
    ("lock_sock(sk);", "release_sock(sk);"),
    ("foo_lock(dev);", "foo_unlock(dev);"),
    ("foo_dev_lock_all(dev);", "foo_dev_unlock_all(dev);"),
    ("ret = mutex_lock_interruptible(&l);\nif (ret)\n\treturn ret;", "mutex_unlock(&l);"),
    ("if (mutex_lock_killable(&l))\n\treturn -EINTR;", "mutex_unlock(&l);"),
    ("if (!mutex_trylock(&l))\n\treturn -EBUSY;", "mutex_unlock(&l);"),
    ("foo->ops->lock(dev);", "foo->ops->unlock(dev);"),
    ("if (on)\n\tmutex_lock(&l);", "if (on)\n\tmutex_unlock(&l);"),
    ("guard(mutex)(&l);", ""),
    ("guard(rcu)();", ""),
    ("CLASS(foo_lock, held)(dev);", ""),
    ("scoped_guard(mutex, &l) {", "}"),
    ("scoped_guard(rcu) {", "}"),
    ("scoped_cond_guard(mutex_intr, return -EINTR, &l) {", "}"),
]


def function(lines: str, locals_: str = "int ret;") -> str:
    body = "".join(f"\t{line}\n" if line else "\n" for line in f"{locals_}\n\n{lines}".split("\n"))
    return f"int f(struct foo *foo)\n{{\n{body}\n\treturn 0;\n}}\n"


def planned(was: str, now: str, **changes: Any) -> Outcome:
    then, there = (DictTree({FILE.decode(): text.encode()}) for text in (was, now))
    edit = CCallEdit(where=Where("x"), file=FILE, function="f", statement="rust_f(foo);", **changes)
    return C_CALL.plan(edit, Ground(TreeOverlay(there), NoHistory(), then))


@pytest.mark.parametrize(("takes", "gives_up"), LOCKS)
def test_a_lock_that_came_or_went(takes: str, gives_up: str) -> None:
    free, locked = function(f"h();\n{WORK}"), function(f"h();\n{takes}\n{WORK}\n{gives_up}")
    for was, now in ((free, locked), (locked, free)):
        outcome = planned(was, now, at="before-call", call="g")
        assert outcome.status is Status.CONFLICT
        assert not outcome.tree.changes
        assert "in the last kernel" in outcome.reason


@pytest.mark.parametrize("guard", ["guard(xe_pm_runtime)(xe);", "guard(pm_runtime_active)(dev);"])
def test_a_guard_of_runtime_power_is_no_lock(guard: str) -> None:
    was, now = (function(f"h();\n{takes}{WORK}") for takes in ("", f"{guard}\n"))
    assert planned(was, now, at="before-call", call="g").status is Status.EXACT


@pytest.mark.parametrize(("takes", "gives_up"), LOCKS)
def test_the_same_lock_is_no_difference(takes: str, gives_up: str) -> None:
    was, now = (function(f"{more}{takes}\n{WORK}\n{gives_up}") for more in ("h();\n", "h(1);\n"))
    for where in ({"at": "before-call", "call": "g"}, {"at": "after-call", "call": "g"}, {}):
        for then, there in ((was, was), (was, now)):
            assert planned(then, there, **where).status is Status.EXACT


@pytest.mark.parametrize(("takes", "gives_up"), LOCKS)
def test_entry_is_above_what_takes_a_lock(takes: str, gives_up: str) -> None:
    code = function(f"{takes}\n{WORK}\n{gives_up}")
    made = planned(code, code).tree.read(FILE)
    assert made
    lines = [line for line in made.data.decode().split("\n") if line.strip()]
    assert lines[3] == "\trust_f(foo);"


@pytest.mark.parametrize(
    "declaration",
    [
        "struct x *p = get(foo);",
        "char buf[n];",
        "struct x x = { .a = g(1), .b = { 2 }, };",
        "static int once;",
        "static const char *const names[] = { NULL };",
        "const struct x *p;",
        "struct x *p __free(kfree) = NULL;",
        "void *p __cleanup(put) = take();",
        "DECLARE_BITMAP(map, 8);",
        "DEFINE_WAIT(wait);",
        "DECLARE_COMPLETION_ONSTACK(done);",
        "LIST_HEAD(list);",
        "SHASH_DESC_ON_STACK(desc, tfm);",
        "u8 *p, **q;",
        "typeof(*foo) *p = foo;",
    ],
)
def test_entry_is_below_what_declares(declaration: str) -> None:
    code = function("h();", f"int ret;\n\t{declaration}")
    made = planned(code, code).tree.read(FILE)
    assert made
    above, _, below = made.data.decode().partition("rust_f(foo);")
    assert declaration in above
    assert "h();" in below


@pytest.mark.parametrize(
    "acts",
    [
        "INIT_LIST_HEAD(&list);",
        "if (WARN_ON(!foo))\n\treturn 0;",
        "lockdep_assert_held(&l);",
        "WARN_ON_ONCE(1);",
        "BUILD_BUG_ON(1);",
    ],
)
def test_entry_is_above_what_acts(acts: str) -> None:
    code = function(f"{acts}\nh();")
    made = planned(code, code).tree.read(FILE)
    assert made
    above, _, below = made.data.decode().partition("rust_f(foo);")
    assert acts.split("\n", maxsplit=1)[0] in below
    assert "int ret;" in above


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (f"h();\n{WORK}", f"lockdep_assert_held(&l);\nh();\n{WORK}"),
        (f"h();\n{WORK}", f"h();\nif (on) {{\n\tspin_lock(&l);\n\tspin_unlock(&l);\n}}\n{WORK}"),
        (f"h();\n{WORK}", f"h();\nmutex_init(&l);\nf_locked(foo);\n{WORK}"),
        (
            f"mutex_lock(&l);\n{WORK}\nmutex_unlock(&l);",
            f"guard(mutex)(&l);\n{WORK}",
        ),
        (
            f"mutex_lock(&l);\nif (h())\n\tgoto out;\n{WORK}\nout:\nmutex_unlock(&l);",
            f"mutex_lock(&l);\n{WORK}\nmutex_unlock(&l);",
        ),
        (
            f"mutex_lock(&l);\nif (h()) {{\n\tmutex_unlock(&l);\n\treturn 1;\n}}\n{WORK}\n"
            "mutex_unlock(&l);",
            f"mutex_lock(&l);\n{WORK}\nmutex_unlock(&l);",
        ),
    ],
)
def test_what_holds_the_same_is_no_conflict(was: str, now: str) -> None:
    for then, there in ((was, now), (now, was)):
        outcome = planned(function(then), function(there), at="before-call", call="g")
        assert outcome.status is Status.EXACT, outcome.reason


@pytest.mark.parametrize("other", ["mutex_lock(&m);", "spin_lock(&l);", "down_write(&l);"])
def test_another_lock_is_a_difference(other: str) -> None:
    was = function(f"mutex_lock(&l);\n{WORK}\nmutex_unlock(&l);")
    unlock = other.replace("lock", "unlock").replace("down", "up")
    outcome = planned(was, function(f"{other}\n{WORK}\n{unlock}"), at="before-call", call="g")
    assert "it ran under mutex_lock(&l) in the last kernel" in outcome.reason
    assert f"would run under {other[:-1]} here" in outcome.reason


def test_behind_an_error_path_that_came_to_hold_the_lock() -> None:
    was = "mutex_lock(&l);\nif (h())\n\tgoto out;\nmutex_unlock(&l);\nout:\n" + WORK
    now = "mutex_lock(&l);\nh();\nmutex_unlock(&l);\n" + WORK
    outcome = planned(function(was), function(now), at="before-call", call="g")
    assert outcome.status is Status.CONFLICT


MANY = "".join(f"if (a{n})\n\tmutex_lock(&l{n});\n" for n in range(6)) + WORK


def test_what_cannot_be_followed_is_asked_where_locks_came_or_went() -> None:
    many, one = function(MANY), function("mutex_lock(&l1);\n" + WORK)
    for was, now in ((many, one), (one, many)):
        outcome = planned(was, now, at="before-call", call="g")
        assert outcome.status is Status.CONFLICT
        assert "which are held there cannot be told" in outcome.reason
    more = function("h();\n" + MANY)
    assert planned(many, more, at="before-call", call="g").status is Status.EXACT


def carried(was: str, now: str, *, lines: str = "trust(foo);") -> Outcome:
    """A patch that was made on `was`, on `now`."""
    new = was.replace(f"\t{WORK}\n", f"\t{lines}\n\t{WORK}\n")
    assert new != was
    payload = diff({"foo.c": was.encode()}, {"foo.c": new.encode()})
    return plan(payload, {"foo.c": now.encode()}, was.encode())


@pytest.mark.parametrize(("take", "give"), LOCKS)
def test_a_patch_says_what_a_call_says(take: str, give: str) -> None:
    """It puts its statement where it was, and that has come under a lock, or out of it."""
    held, free = function(f"h(foo);\n{take}\n{WORK}\n{give}"), function(f"h(foo);\n{WORK}")
    for was, now in ((free, held), (held, free)):
        outcome = carried(was, now)
        assert outcome.status is Status.CONFLICT, (was, now)
    assert carried(held, "int above;\n" + held).status in (Status.EXACT, Status.MOVED)


def test_a_patch_asks_where_locks_came_and_cannot_be_followed() -> None:
    many = MANY.replace(WORK, f"h(foo);\n{WORK}")
    one = function(f"mutex_lock(&l1);\nh(foo);\n{WORK}")
    outcome = carried(one, function(many))
    assert outcome.status is Status.CONFLICT
    assert "which are held there cannot be told" in outcome.reason, outcome.reason
    same = carried(function(many), "int above;\n" + function(many))
    assert same.status in (Status.EXACT, Status.MOVED)


def test_locks_below_the_place_that_cannot_be_followed_are_no_reason() -> None:
    """As sys_perf_event_open() of 6.12: a check at its top, and locks enough below."""
    was = function(f"h(foo);\n{WORK}\nmutex_lock(&l1);")
    now = function(f"h(foo);\n{MANY.replace(WORK, '')}").replace(
        "h(foo);\n", f"h(foo);\n\t{WORK}\n"
    )
    outcome = carried(was, now, lines="if (!g0(foo))\n\t\treturn -EACCES;")
    assert outcome.status in (Status.EXACT, Status.ADAPTED), outcome.reason
    assert planned(was, now, at="before-call", call="g").status is not Status.CONFLICT
