"""The calls that take a lock, or give it up, by their names.

One name for one lock, however it is taken: `mutex_lock(&l)`, `mutex_lock_interruptible(&l)` and
`guard(mutex)(&l)` all hold "mutex". What keeps others away counts as a lock as well: RCU, and
preemption, interrupts or bottom halves that are off. Names: include/linux/{mutex,spinlock,rwlock,
rwsem,semaphore,percpu-rwsem,rcupdate,srcu,seqlock,local_lock,preempt,irqflags,bottom_half,
cleanup}.h of 6.1, 6.12 and 7.2. Of any other function its name tells: what `rtnl_lock()` takes,
`rtnl_unlock()` gives up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Taking:
    """What a call does to locks."""

    locks: tuple[bytes, ...]
    """The kind of each: `spin` and `irq` for spin_lock_irqsave()."""
    gives_up: bool = False
    where: bool | None = None
    """What it returns where it has the lock; None where it always has: trylock may fail."""


SWITCHES = frozenset((b"preempt", b"migrate", b"irq", b"bh", b"pagefault", b"kernel_fpu"))
"""What is there once, for a processor: an argument only says where the flags go."""

_PLAIN = (
    (rb"down(?:_(?:interruptible|killable|timeout|trylock))?", b"semaphore", False),
    (rb"up", b"semaphore", True),
    (rb"down_(read|write)\w*", b"rwsem", False),
    (rb"up_(read|write)\w*", b"rwsem", True),
    (rb"percpu_down_(read|write)\w*", b"percpu", False),
    (rb"percpu_up_(read|write)\w*", b"percpu", True),
    (rb"preempt_disable\w*|get_cpu(?:_var|_ptr)?", b"preempt", False),
    (rb"preempt_enable\w*|put_cpu(?:_var|_ptr)?", b"preempt", True),
    (rb"migrate_disable", b"migrate", False),
    (rb"migrate_enable", b"migrate", True),
    (rb"(?:raw_)?local_irq_(?:disable|save)", b"irq", False),
    (rb"(?:raw_)?local_irq_(?:enable|restore)", b"irq", True),
    (rb"local_bh_disable", b"bh", False),
    (rb"local_bh_enable", b"bh", True),
    (rb"pagefault_disable", b"pagefault", False),
    (rb"pagefault_enable", b"pagefault", True),
    (rb"kmap_atomic", b"kmap", False),
    (rb"kunmap_atomic", b"kmap", True),
    (rb"write_seqlock", b"seqlock", False),
    (rb"write_sequnlock", b"seqlock", True),
    (rb"(?:raw_)?write_seqcount(?:_\w+)?_begin\w*", b"seqcount", False),
    (rb"(?:raw_)?write_seqcount(?:_\w+)?_end", b"seqcount", True),
    (rb"sb_start_\w+", b"sb", False),
    (rb"sb_end_\w+", b"sb", True),
    (rb"get_online_cpus", b"cpus_read", False),
    (rb"put_online_cpus", b"cpus_read", True),
    (rb"release_sock", b"sock", True),
    (rb"kernel_(?:fpu|neon)_begin\w*", b"kernel_fpu", False),
    (rb"kernel_(?:fpu|neon)_end", b"kernel_fpu", True),
)
_OFF = {b"irq": b"irq", b"irqsave": b"irq", b"irqrestore": b"irq", b"bh": b"bh"}
"""What a suffix switches off besides."""
_FAILS = frozenset((b"interruptible", b"killable", b"timeout", b"intr", b"kill"))
"""What returns an error where it has not got the lock."""
_HOW = frozenset((b"nested", b"nest", b"io", b"notrace", b"try", b"init", b"lock")) | _FAILS
"""What says how a lock is taken, not which."""
_TURN = {b"lock": False, b"trylock": False, b"unlock": True}
_NO_LOCK = frozenset(
    b"init destroy assert is held dep key class free alloc info stat stats owner contended cond"
    b" prefetch dump print show store size name file posix flock locks wait test ops map warn bug"
    b" debug".split()
)
"""Words of names that speak of a lock and take none: `spin_lock_init`, `wait_event_lock_irq`."""
_CLASSES = {
    b"spinlock": b"spin",
    b"raw_spinlock": b"raw_spin",
    b"rcu": b"rcu_read",
    b"srcu": b"srcu_read",
}
"""The classes of include/linux/cleanup.h that are not called as the functions are."""
_LOCKISH = re.compile(rb"lock|mutex|rwsem|rcu|irq|preempt|percpu_(?:read|write)")


@lru_cache(maxsize=4096)
def taking(function: bytes) -> Taking | None:
    """What a call of `function` does; None where it has nothing to do with locks."""
    name = function.strip(b"_").lower()
    for form, kind, gives_up in _PLAIN:
        if found := re.fullmatch(form, name):
            locks = (b"_".join((kind, *found.groups())),)
            return Taking(locks, gives_up, None if gives_up else _fallible(name.split(b"_")))
    words = name.split(b"_")
    turns = [n for n, word in enumerate(words) if word in _TURN]
    if not turns or not _NO_LOCK.isdisjoint(words):
        return None
    at = turns[0]
    rest = [*words[:at], *(w for w in words[at + 1 :] if w not in _HOW and w not in _OFF)]
    gives_up = _TURN[words[at]]
    kinds = (b"_".join(rest) or b"lock", *_switched_off(words[at + 1 :]))
    return Taking(kinds, gives_up, None if gives_up else _fallible(words))


@lru_cache(maxsize=256)
def guarding(class_: bytes, *, always: bool) -> Taking | None:
    """What a guard of `class_` holds; where not `always`, None for a class that is no lock's.

    One of runtime power (include/linux/pm_runtime.h, drivers/gpu/drm/xe/xe_pm.h) keeps nobody away.
    """
    if b"pm_runtime" in class_:
        return None
    if not always and not _LOCKISH.search(class_):
        return None
    words = class_.split(b"_")
    off = _switched_off(words)
    rest = [word for word in words if word not in _HOW and word not in _OFF]
    kind = b"_".join(rest)
    return Taking(((_CLASSES.get(kind, kind),) if kind else ()) + off)


def _switched_off(words: list[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(_OFF[word] for word in words if word in _OFF))


def _fallible(words: list[bytes]) -> bool | None:
    """What a call returns where it has the lock, if it may fail."""
    if b"trylock" in words:
        return words != [b"down", b"trylock"]
    return None if _FAILS.isdisjoint(words) else False
