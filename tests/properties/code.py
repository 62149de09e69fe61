"""Random C in kernel style: every shape of body that a call may have to find its place in."""

from __future__ import annotations

from hypothesis import strategies as st

CALLED = [b"kvm_%s" % word for word in (b"alloc", b"setup", b"lock", b"free", b"count", b"log")]

_HEADS: dict[bytes, bool] = {
    b"void %s(struct kvm *kvm)": False,
    b"int %s(struct kvm *kvm)": True,
    b"static int %s(struct kvm *kvm, u8 vector)": True,
    b"static void __init %s(void)": False,
    b"struct kvm *%s(unsigned int id,\n\t\t    size_t len)": True,
}
"""Heads, and whether what they head gives something back."""


@st.composite
def c_functions(draw: st.DrawFn, name: bytes) -> bytes:
    """One function of that name."""
    head = draw(st.sampled_from(sorted(_HEADS)))
    body = draw(bodies(gives=_HEADS[head]))
    return b"%s\n{\n%s}\n" % (head % name, body)


@st.composite
def bodies(draw: st.DrawFn, *, gives: bool) -> bytes:
    """What stands between the braces of a function."""
    declared: list[bytes] = draw(st.lists(st.sampled_from(_DECLARATIONS), max_size=2, unique=True))
    lines = [b"\t" + line + b"\n" for line in declared]
    parted: int = draw(st.integers(0, 9))
    lines += [b"\n"] if declared and parted else []
    lines += draw(_blocks(1, gives=gives, most=4))
    leaves = draw(st.sampled_from([b"", b"out", b"both"]))
    if leaves:
        lines.insert(len(lines), b"\tif (r)\n\t\tgoto out;\n\n")
        lines += [b"\treturn 0;\n\n"] if gives and leaves == b"both" else []
        lines += [b"out:\n\tkvm_unwind(kvm);\n"]
    lines += [b"\treturn r;\n"] if gives else []
    return b"".join(lines) or b"\tkvm_idle();\n"


_DECLARATIONS = [
    b"int r = 0;",
    b"unsigned long flags, mask;",
    b"struct kvm *p = kvm_find(id);",
    b"u8 *buffer __free(kfree) = NULL;",
    b"DECLARE_BITMAP(bits, 64);",
    b'const char *text = "{ not a brace; ";',
    b"int i, j;\t/* two of them */",
]


def _blocks(depth: int, *, gives: bool, most: int) -> st.SearchStrategy[list[bytes]]:
    return st.lists(_statement(depth, gives=gives), max_size=most)


@st.composite
def _statement(draw: st.DrawFn, depth: int, *, gives: bool) -> bytes:
    """One statement with its lines, `depth` tabs in."""
    shape = draw(st.sampled_from(_FLAT if depth > 2 else _FLAT + _NESTED))
    tabs = b"\t" * depth
    call = draw(st.sampled_from(CALLED))
    value = b" -EINVAL" if gives else b""
    inner = b""
    if b"%(inner)s" in shape:
        inner = (
            b"".join(draw(_blocks(depth + 1, gives=gives, most=2))) or b"%s\tkvm_idle();\n" % tabs
        )
    one = b"%s\t%s\n" % (tabs, draw(st.sampled_from(_ONE)) % {b"call": call, b"value": value})
    text: bytes = shape % {
        b"t": tabs,
        b"call": call,
        b"value": value,
        b"inner": inner,
        b"one": one,
    }
    return text


_ONE = [b"%(call)s(kvm);", b"return%(value)s;", b"r = %(call)s(kvm, 1);"]

_FLAT = [
    b"%(t)s%(call)s(kvm);\n",
    b"%(t)sr = %(call)s(kvm,\n%(t)s\t\tvector);\n",
    b"%(t)s/* before the call: { */\n%(t)s%(call)s(kvm);\n\n",
    b"\n",
    b"%(t)sint late = %(call)s(kvm);\n\n",
    b"%(t)sguard(mutex)(&kvm_lock);\n",
    b'%(t)spr_info("} return; %(call)s()\\n");\n',
    b"%(t)sif (%(call)s(kvm))\n%(one)s",
    b"%(t)sif (!kvm)\n%(t)s\treturn%(value)s;\n\n",
    b"#ifdef CONFIG_KVM_XEN\n%(t)s%(call)s(kvm);\n#else\n%(t)skvm_other(kvm);\n#endif\n",
    b"#ifdef CONFIG_SMP\n%(t)sif (r)\n%(t)s\treturn%(value)s;\n#endif\n",
]
_NESTED = [
    b"%(t)sif (%(call)s(kvm)) {\n%(inner)s%(t)s}\n",
    b"%(t)sif (r) {\n%(inner)s%(t)s} else {\n%(one)s%(t)s}\n",
    b"%(t)sif (r)\n%(one)s%(t)selse\n%(one)s",
    b"%(t)sfor (i = 0; i < %(call)s(kvm); i++)\n%(one)s",
    b"%(t)slist_for_each_entry(kvm, &vm_list, all) {\n%(inner)s%(t)s}\n",
    b"%(t)sscoped_guard(mutex, &kvm_lock)\n%(one)s",
    b"%(t)sswitch (r) {\n%(t)scase 1:\n%(one)s%(t)s\tbreak;\n%(t)sdefault:\n%(one)s%(t)s}\n",
    b"%(t)sdo {\n%(inner)s%(t)s} while (%(call)s(kvm));\n",
    b"%(t)s{\n%(inner)s%(t)s}\n",
]
