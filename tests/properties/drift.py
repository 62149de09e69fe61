"""What years do to a kernel: random drift, of which the test knows each step.

A step is a strategy over kernels. It keeps every function's identity, so that what a series must
find after it is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st

from tests.properties.code import bodies, c_functions
from tests.properties.kernels import Kernel, Piece, paths

Drift = Callable[[st.DrawFn, Kernel], Kernel]

_FOLDERS = ("arch/x86/kvm", "arch/x86/kvm/vmx", "virt/kvm", "arch/x86/kernel", "drivers/virt")


@st.composite
def drifted(draw: st.DrawFn, kernel: Kernel, most: int = 6) -> Kernel:
    """`kernel` some steps later."""
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=most)):
        kernel = step(draw, kernel)
    return kernel


def _function(draw: st.DrawFn, kernel: Kernel) -> tuple[str, int]:
    return draw(st.sampled_from(sorted(kernel.functions())))


def _source(draw: st.DrawFn, kernel: Kernel) -> str:
    return draw(st.sampled_from(paths(kernel, ".c")))


def _without(kernel: Kernel, path: str, number: int) -> Kernel:
    pieces = kernel.files[path]
    return kernel.with_file(path, (*pieces[:number], *pieces[number + 1 :]))


def _with(draw: st.DrawFn, kernel: Kernel, path: str, piece: Piece) -> Kernel:
    """`piece` behind one of the pieces of `path`."""
    pieces = kernel.files[path]
    number = draw(st.integers(1, len(pieces)))
    spaced = (Piece(b"\n"), piece)
    return kernel.with_file(path, (*pieces[:number], *spaced, *pieces[number:]))


def moved_function(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A function goes to another file that exists."""
    path, number = _function(draw, kernel)
    piece = kernel.files[path][number]
    return _with(draw, _without(kernel, path, number), _source(draw, kernel), piece)


def split_file(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Functions go to a file of their own."""
    path = _source(draw, kernel)
    into = f"{draw(st.sampled_from(_FOLDERS))}/{draw(st.sampled_from(['split', 'main', 'x86']))}.c"
    mine = [piece for piece in kernel.files[path] if piece.name]
    gone = mine[draw(st.integers(0, len(mine))) :]
    if into in kernel.files or not gone:
        return kernel
    kernel = kernel.with_file(path, tuple(p for p in kernel.files[path] if p not in gone))
    head = Piece(b"// SPDX-License-Identifier: GPL-2.0-only\n#include <linux/kvm_host.h>\n\n")
    return kernel.with_file(into, (head, *gone))


def renamed_file(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A file gets another name or folder."""
    path = _source(draw, kernel)
    folder, _, name = path.rpartition("/")
    into = draw(st.sampled_from([f"{folder}/new_{name}", *(f"{f}/{name}" for f in _FOLDERS)]))
    if into in kernel.files:
        return kernel
    files = {into if p == path else p: pieces for p, pieces in kernel.files.items()}
    ending = {into if p == path else p: end for p, end in kernel.ending.items()}
    return replace(kernel, files=files, ending=ending)


def renamed_function(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A function gets another name, and its callers follow."""
    piece = kernel.functions()[_function(draw, kernel)]
    old = piece.name.removeprefix(b"sys_")
    new = draw(st.sampled_from([b"__" + old, old + b"_locked"]))
    word = re.compile(rb"\b%s\b" % old)

    def told(p: Piece) -> Piece:
        name = p.name[: len(p.name) - len(old)] + new if p.name == piece.name else p.name
        return replace(p, text=word.sub(new, p.text), name=name)

    return replace(
        kernel, files={path: tuple(map(told, pieces)) for path, pieces in kernel.files.items()}
    )


def new_function(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A function is added: now and then a static namesake of another one."""
    name = draw(st.sampled_from([b"kvm_new", b"kvm_more"]))
    if draw(st.booleans()):
        name = kernel.functions()[_function(draw, kernel)].name
    path, text = _source(draw, kernel), draw(c_functions(name))
    if any(piece.name == name for piece in kernel.files[path]):
        return kernel
    text = text if text.startswith(b"static ") else b"static " + text
    return _with(draw, kernel, path, Piece(text, name))


def gone_function(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A function is removed."""
    return _without(kernel, *_function(draw, kernel))


_LINES = [
    b"\tkvm_more(kvm);\n",
    b"\n",
    b"\t/* why: { this */\n",
    b"\tguard(mutex)(&kvm_lock);\n",
    b"\tint late = 0;\n",
    b"\tif (!kvm)\n\t\treturn;\n",
    b"\tif (unlikely(bad))\n\t\tgoto out;\n",
    b"#ifdef CONFIG_KVM_XEN\n\tkvm_xen();\n#endif\n",
    b'\tpr_debug("\xe9t\xe9\\n");\n',
]


def changed_body(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Lines come and go in a function."""
    path, number = _function(draw, kernel)
    piece = kernel.files[path][number]
    start, end = piece.body
    lines = piece.text[start:end].splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines)))
        plain = at < len(lines) and bool(re.fullmatch(rb"\t[\w>.-]+\(.*\);\n", lines[at]))
        goes: bool = plain and draw(st.booleans())
        if goes:
            del lines[at]
        elif at == len(lines) or re.match(rb"\t(?!\t)", lines[at]):
            lines.insert(at, draw(st.sampled_from(_LINES)))
    return _rewritten(kernel, path, number, b"".join(lines))


def rewritten_body(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A function is written anew."""
    path, number = _function(draw, kernel)
    gives = not re.search(rb"\bvoid \w", kernel.files[path][number].text.partition(b"(")[0])
    return _rewritten(kernel, path, number, draw(bodies(gives=gives)))


def _rewritten(kernel: Kernel, path: str, number: int, body: bytes) -> Kernel:
    pieces = kernel.files[path]
    start, end = pieces[number].body
    text = pieces[number].text[:start] + body + pieces[number].text[end:]
    piece = replace(pieces[number], text=text)
    return kernel.with_file(path, (*pieces[:number], piece, *pieces[number + 1 :]))


def other_blanks(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """A file's lines end otherwise, its last one not at all, or blanks stand where none were."""
    path = draw(st.sampled_from(paths(kernel, ".c", ".h", "Makefile", "Kconfig", "MAINTAINERS")))
    how = draw(st.sampled_from(["crlf", "no-end", "trailing", "big"]))
    if how == "crlf":
        return replace(kernel, ending={**kernel.ending, path: b"\r\n"})
    *rest, last = kernel.files[path]
    if how == "no-end" and not last.name:
        return kernel.with_file(path, (*rest, replace(last, text=last.text.rstrip(b"\n"))))
    if how == "big" and path.endswith((".c", ".h")):
        filler = b"".join(b"#define KVM_FILLER_%d\t%d\n" % (n, n) for n in range(2000))
        return kernel.with_file(path, (Piece(b"/* \xff\xfe */\n" + filler), *rest, last))
    return kernel


_INSERTED = {
    "Makefile": [
        b"kvm-$(CONFIG_KVM_NEW)\t+= new.o\n",
        b"kvm-y += more.o\n",
        b"obj-$(CONFIG_KVM_NEW) += kvm-new.o\n",
        b"# a comment\n",
        b"ifdef CONFIG_KVM_NEW\nkvm-y += newer.o\nendif\n",
        b"kvm-objs += old.o\n",
    ],
    "Kconfig": [
        b'config KVM_NEW\n\tbool "New"\n\tdepends on KVM\n',
        b"if KVM\n\nconfig KVM_NEWER\n\tdef_bool y\n\nendif\n",
        b"# a comment\n",
        b'menu "More"\n\nconfig KVM_MORE\n\ttristate "More"\n\nendmenu\n',
    ],
    "MAINTAINERS": [
        b"KERNEL VIRTUAL MACHINE FOR Z80\nM:\tZoe <zoe@example.org>\nS:\tOrphan\nF:\tarch/z80/\n",
        b"A FIRST ONE\nM:\tAda <ada@example.org>\nS:\tMaintained\nF:\tdrivers/a/\n",
    ],
    ".h": [
        b"int kvm_declared(void);\n",
        b"#ifdef CONFIG_KVM_XEN\nvoid kvm_xen(void);\n#else\n"
        b"static inline void kvm_xen(void) { }\n#endif\n",
        b"#include <linux/kvm_types.h>\n",
        b"#define KVM_ONE(x)\tdo { } while (0)\n",
    ],
}


def changed_list(draw: st.DrawFn, kernel: Kernel) -> Kernel:
    """Something comes between two paragraphs of a list or a header, or they change places."""
    path = draw(st.sampled_from(paths(kernel, *_INSERTED)))
    news = next(news for ending, news in _INSERTED.items() if path.endswith(ending))
    head, *parts = kernel.data(path).replace(b"\r\n", b"\n").split(b"\n\n")
    if not parts:
        return kernel
    at = draw(st.integers(0, len(parts) - 1))
    if draw(st.booleans()) and path.endswith(("Makefile", "Kconfig")) and at + 1 < len(parts):
        if not any(re.search(rb"(?m)^(end)?(if|menu)", part) for part in parts[at : at + 2]):
            parts[at : at + 2] = parts[at : at + 2][::-1]
    else:
        parts.insert(at, draw(st.sampled_from(news)).rstrip(b"\n"))
    return kernel.with_text(path, b"\n\n".join([head, *parts]))


STEPS: list[Drift] = [
    moved_function,
    split_file,
    renamed_file,
    renamed_function,
    new_function,
    gone_function,
    changed_body,
    rewritten_body,
    other_blanks,
    changed_list,
]
