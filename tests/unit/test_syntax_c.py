from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.c_body import (
    Body,
    Unclear,
    body_of,
    calls,
    declarations_end,
    returns,
    statement_around,
)
from kpatch_rs.syntax.c_functions import (
    functions,
    functions_named,
    macros_named,
    returns_nothing,
)
from kpatch_rs.syntax.c_header import header_end
from kpatch_rs.syntax.c_includes import below_includes, guard_of, included, includes
from kpatch_rs.syntax.c_prototype import Prototype, prototype, prototypes_named
from kpatch_rs.syntax.c_text import c_text


def names(source: bytes) -> list[bytes]:
    return [f.name for f in functions(c_text(source))]


def body(source: bytes, name: bytes = b"f") -> Body:
    text = c_text(source)
    (function,) = functions_named(text, name)
    return body_of(text, function)


def declared(source: bytes) -> bytes:
    read = body(source)
    return source[read.function.open + 1 : declarations_end(read)]


class TestText:
    def test_code_keeps_the_length_and_the_lines(self) -> None:
        source = b'/* { */ a("}\\"{"); // {\n#define X { \\\n\t{\nint b = \'{\';\n'
        text = c_text(source)
        assert len(text.code) == len(source)
        assert text.code.count(b"\n") == source.count(b"\n")
        assert b"{" not in text.code
        assert b"int b" in text.code

    def test_an_apostrophe_in_a_directive_is_no_literal(self) -> None:
        text = c_text(b"#error don't\nint a; /* it's */ int b;\n")
        assert text.code.split() == [b"int", b"a;", b"int", b"b;"]
        assert text.directives[0].name == b"error"

    def test_a_directive_goes_on_behind_a_backslash_and_a_comment(self) -> None:
        (directive,) = c_text(b"#define A(x) \\\n\tfoo(x) /* one\n two */\nint a;\n").directives
        assert directive.rest.startswith(b"A(x)")
        assert b"two" not in directive.rest

    def test_both_arms_of_an_if_count_from_the_same_depth(self) -> None:
        source = (
            b"int f(int a)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (!a) {\n#endif\n\t}\n}\n"
            b"int g(void)\n{\n}\n"
        )
        assert names(source) == [b"f", b"g"]

    def test_a_brace_that_both_arms_close_is_closed_once(self) -> None:
        source = b"int f(void)\n{\n\t{\n#ifdef A\n\t}\n#else\n\t}\n#endif\n\tg();\n}\n"
        (function,) = functions(c_text(source))
        assert source[function.close :] == b"}\n"

    def test_if_0_is_a_comment(self) -> None:
        source = b"#if 0\nint f(void)\n{\n#if X\n#endif\n}\n#else\nint g(void)\n{\n}\n#endif\n"
        assert names(source) == [b"g"]

    @given(st.binary(max_size=200))
    def test_any_bytes_can_be_read(self, source: bytes) -> None:
        text = c_text(source)
        assert len(text.code) == len(source)
        for function in functions(text):
            assert source[function.open : function.open + 1] == b"{"
            assert source[function.close : function.close + 1] == b"}"

    @given(
        st.lists(
            st.sampled_from(
                [
                    b"{",
                    b"}",
                    b'"',
                    b"'",
                    b"/*",
                    b"*/",
                    b"//",
                    b"\n",
                    b"\\",
                    b"#if A\n",
                    b"#else\n",
                    b"#endif\n",
                    b"f(",
                    b")",
                    b";",
                ]
            )
        )
    )
    def test_any_mixture_of_marks_can_be_read(self, marks: list[bytes]) -> None:
        source = b"".join(marks)
        text = c_text(source)
        assert re.findall(rb"\n", text.code) == re.findall(rb"\n", source)
        functions(text)


class TestFunctions:
    @pytest.mark.parametrize(
        ("head", "name"),
        [
            (b"static int __init f(void)\n", b"f"),
            (b"__printf(1, 2)\nvoid __f(const char *fmt, ...)\n", b"__f"),
            (b"static void f(int a)\n\t__releases(&a) __acquires(&b)\n", b"f"),
            (
                b"SYSCALL_DEFINE3(open, const char __user *, name, int, flags, umode_t, mode)\n",
                b"sys_open",
            ),
            (b"SYSCALL_DEFINE0(getpid)\n", b"sys_getpid"),
            (b"SYSCALL_DEFINE1(32_sigaction, long, sig)\n", b"sys_32_sigaction"),
            (b"COMPAT_SYSCALL_DEFINE2(open, int, a, int, b)\n", b"compat_sys_open"),
            (b"BPF_CALL_1(bpf_get, u64, a)\n", b"bpf_get"),
            (b"DEFINE_IDTENTRY(exc_overflow)\n", b"exc_overflow"),
            (b"struct foo __attribute__((packed)) *f(void)\n", b"f"),
            (b"u8 (f)(int a), ", b""),
            (b"struct foo __attribute__((packed)) ", b""),
            (b"static struct foo a = ", b""),
            (b"#define f(a) \\\n", b""),
            (b"if (a) ", b""),
        ],
    )
    def test_heads(self, head: bytes, name: bytes) -> None:
        assert names(b"int a;\n" + head + b"{\n}\n") == ([name] if name else [])

    def test_a_prototype_and_a_call_are_no_definitions(self) -> None:
        assert (
            names(b"int f(void);\nstatic int (*p)(void) = f;\nstruct x { int (*f)(void); };\n")
            == []
        )

    def test_macros_that_end_in_no_semicolon_do_not_hide_what_follows(self) -> None:
        assert names(b"MODULE_FOO(a, b)\nint f(void)\n{\n}\n") == [b"f"]

    def test_twins_are_both_found(self) -> None:
        source = b"#ifdef A\nint f(void)\n{\n}\n#else\nint f(void)\n{\n}\n#endif\n"
        assert [f.named for f in functions_named(c_text(source), b"f")] == [13, 35]

    def test_a_macro_is_found_by_its_whole_name(self) -> None:
        text = c_text(b"#define foobar(x) x\n#  define foo(x) x\n")
        assert [text.data[at:][:6] for at in macros_named(text, b"foo")] == [b"foo(x)"]

    @pytest.mark.parametrize(
        ("head", "nothing"),
        [
            (b"static void __init f(void)", True),
            (b"void *f(void)", False),
            (b"int f(void)", False),
            (b"DEFINE_GUARD(x, void *)\nint f(void)", False),
        ],
    )
    def test_void(self, head: bytes, nothing: bool) -> None:
        text = c_text(head + b"\n{\n}\n")
        assert returns_nothing(text, functions(text)[0]) is nothing


class TestBody:
    @pytest.mark.parametrize(
        "lines",
        [
            b"\tint a, *b;",
            b"\tstruct foo *p __free(kfree) = NULL;\n\tu8 __user *q;",
            b"\tLIST_HEAD(list);\n\tint a;",
            b"\tDECLARE_BITMAP(map, 4);\n\tSHASH_DESC_ON_STACK(desc, tfm);",
            b"\tstruct foo *p __free(kfree) = g();\n\tVMA_ITERATOR(vmi, mm, 0);",
            b"\tFOO_VAR(a);\n\tint b;",
            b"\tstatic DEFINE_RATELIMIT_STATE(rs, 5, 5);",
            b"\tstruct foo *p = container_of(a, struct foo, b)->dev;",
            b"\tconst struct foo t[] = {\n\t\t{ .a = 1 },\n\t};",
            b"\tint a;\n#ifdef X\n\tint b;\n#endif",
            b"\tenum { A = 30, B = 31 };\n\n\tu16 const e = a + b;",
            b"\tu64 n;\n\n\ttypeof(ni->list[f(1)]) *al = &ni->list;",
            b"\ttypeof(*p) x, y = 3;\n\t__typeof__(a->b) c;",
            b"\tstatic DEFINE_TEST_FAIL(test_ll_fail) = {\n\t\t{ 92, 10 },\n\t};",
            b"\tint ret;\n\tbool (*fn)(struct ctl *ctl,\n\t\t   struct info *info);",
            b"\tbool (*fn)(struct ctl *ctl);",
            b"\tfoo_t (*const fn)(void) = NULL;\n\tint a;",
            b"\tvoid *(*ops[2])(int);\n\tu8 (*buf)[4] = NULL;\n\tconst struct x (*p)[N];",
        ],
    )
    def test_declarations(self, lines: bytes) -> None:
        for statement in (
            b"foo();",
            b"if (x)\n\t\tfoo();",
            b"for_each_x(x)\n\t\tfoo();",
            b"a = 1;",
        ):
            source = b"void f(void)\n{\n%s\n\n\t%s\n\treturn;\n}\n" % (lines, statement)
            assert declared(source).strip() == lines.strip()

    @pytest.mark.parametrize(
        "statement",
        [
            b"WARN_ON(x);",
            b"for_each_x(x)\n\t\tfoo();",
            b"foo * 1;",
            b"REG(x) = 1;",
            b"foo(*a);",
            b"(*fn)(a);",
            b"guard(mutex)(&lock);",
            b"guard(mutex)(&lock);\n\tint late = g();",
            b"CLASS(fd, f)(fd);\n\tint late;",
            b"ACQUIRE(mutex_intr, lock)(&foo->mutex);\n\tint late;",
            b"INIT_LIST_HEAD(&list);",
            b"INIT_WORK_ONSTACK(&work, g);\n\tint late;",
            b"scoped_guard(mutex, &lock)\n\t\tfoo();",
            b"WARN_ON(x);\n\tint late;",
        ],
    )
    def test_no_declarations(self, statement: bytes) -> None:
        assert declared(b"void f(void)\n{\n\t%s\n}\n" % statement) == b""

    def test_an_if_that_declarations_and_statements_share_is_unclear(self) -> None:
        with pytest.raises(Unclear, match="share an #if"):
            declared(b"void f(void)\n{\n#ifdef X\n\tint b;\n\n\tb = 1;\n#endif\n\tfoo();\n}\n")

    @pytest.mark.parametrize(
        "source",
        [
            b"#ifdef A\nint f(int a)\n{\n#else\nint f(void)\n{\n#endif\n\tg();\n}\n",
            b"int f(void)\n{\n#ifdef A\n\tg();\n}\n#else\n\th();\n}\n#endif\n",
        ],
    )
    def test_a_body_that_arms_share_is_unclear(self, source: bytes) -> None:
        text = c_text(source)
        with pytest.raises(Unclear, match="in an #if"):
            body_of(text, functions(text)[0])

    def test_returns_in_macro_loops_and_casts_are_seen(self) -> None:
        source = (
            b"int f(void)\n{\n\tfor_each_x(a)\n\t\treturn 1;\n"
            b"\tif (b)\n\t\treturn (long) c;\nout:\n\treturn 2;\n}\n"
        )
        assert [(source[r.start : r.end], r.top) for r in returns(body(source))] == [
            (b"return 1;", False),
            (b"return (long) c;", False),
            (b"return 2;", True),
        ]

    def test_a_return_hidden_in_a_macro_argument_is_unclear(self) -> None:
        with pytest.raises(Unclear):
            returns(body(b"int f(void)\n{\n\tTRY(x, return 1, y);\n\treturn 2;\n}\n"))

    def test_members_are_no_calls(self) -> None:
        source = b"void f(void)\n{\n\tops->g();\n\tops.g();\n\tg ();\n\tgg();\n}\n"
        assert [source[at : at + 3] for at in calls(body(source), b"g")] == [b"g ("]

    def test_the_statement_around_a_call(self) -> None:
        source = b"void f(void)\n{\n\tif (a)\n\t\tr = h(g(1), 2);\n}\n"
        found = statement_around(body(source), source.index(b"g(1)"))
        assert source[found.start : found.end] == b"r = h(g(1), 2);"
        assert not found.top


HEADER = b"""#ifndef A_H
#define A_H
#include <a.h>
#ifdef B
#include <b.h>
#endif
#define CREATE_TRACE_POINTS
#include "t.h"
int a;
#include <late.h>
#endif
"""


class TestIncludes:
    def test_plain_ones_are_told_from_others(self) -> None:
        found = includes(c_text(HEADER))
        assert [(i.header, i.plain) for i in found] == [
            (b"<a.h>", True),
            (b"<b.h>", False),
            (b'"t.h"', False),
        ]

    def test_what_is_included_whatever_the_configuration(self) -> None:
        text = c_text(HEADER)
        assert included(text, b"<late.h>")
        assert included(text, b"<b.h>") is None

    def test_the_block_ends_behind_its_conditionals(self) -> None:
        text = c_text(b"#include <a.h>\n#ifdef A\n#include <b.h>\n#endif\nint a;\n")
        assert text.data[below_includes(text) or 0 :] == b"int a;\n"

    def test_an_if_around_an_include_and_code_is_unclear(self) -> None:
        with pytest.raises(Unclear):
            below_includes(c_text(b"#ifdef A\n#include <b.h>\nint a;\n#endif\n"))

    @pytest.mark.parametrize(
        "source",
        [
            b"#ifndef A\n#define B\n#endif\n",
            b"#ifndef A\n#define A\n#else\n#endif\n",
            b"#ifndef A\n#define A\n#endif\nint a;\n",
            b"int a;\n#ifndef A\n#define A\n#endif\n",
            b"#ifndef A\n#define A\n",
        ],
    )
    def test_no_guard(self, source: bytes) -> None:
        assert guard_of(c_text(source)) is None

    @pytest.mark.parametrize(
        ("source", "rest"),
        [
            (b"#ifndef A\n#define A\nint a;\n#endif /* A */\n", b"#endif /* A */\n"),
            (b"#pragma once\nint a;\n", b""),
            (b"int a;\n", b""),
            (
                b"#ifndef A\n#define A\n#ifndef __ASSEMBLY__\nint a;\n#endif\n#endif\n",
                b"#endif\n#endif\n",
            ),
            (
                b"#ifndef A\n#define A\n#ifdef __ASSEMBLY__\n#else\nint a;\n#endif\n#endif\n",
                b"#endif\n#endif\n",
            ),
            (
                b"#ifndef A\n#define A\n#ifndef __ASSEMBLER__\nint a;\n#else\n#endif\n#endif\n",
                b"#else\n#endif\n#endif\n",
            ),
        ],
    )
    def test_where_a_header_ends(self, source: bytes, rest: bytes) -> None:
        assert source[header_end(c_text(source)) :] == rest

    @pytest.mark.parametrize(
        "source",
        [
            b"#ifndef A_H\n#define A_H\n#ifdef __KERNEL__\nint f(void);\n@#endif /* k */\n#endif\n",
            b"#pragma once\n#ifdef __KERNEL__\nint f(void);\n@#endif\n",
            b"#ifndef A_H\n#define A_H\n#ifndef __ASSEMBLER__\nint f(void);\n@#endif\n#endif\n",
            b"#ifndef A_H\n#define A_H\n#ifdef CONFIG_A\nint f(void);\n#endif\n@#endif\n",
        ],
    )
    def test_the_end_is_where_the_kernels_c_is(self, source: bytes) -> None:
        before, after = source.split(b"@")
        assert header_end(c_text(before + after)) == len(before)


def read(source: bytes) -> Prototype:
    found = prototype(source)
    assert found is not None
    return found


class TestPrototype:
    @pytest.mark.parametrize(
        "source",
        [
            b"",
            b"int a;",
            b"int f(void)",
            b"f(void);",
            b"int f(void) { }",
            b"int f(void); int g(void);",
            b"int f(int a,);",
            b"#define f(x) x;",
        ],
    )
    def test_what_is_none(self, source: bytes) -> None:
        assert prototype(source) is None

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            (b"int f(struct a *b);", b"extern int f( struct a * );", True),
            (b"void f(void (*cb)(int x), u8 buf[4]);", b"void f(void (*)(int), u8 b[4]);", True),
            (b"int f(u8 __user *p);", b"int f(u8 *q);", True),
            (b"int f(int a);", b"int f(long a);", False),
            (b"int f(int a);", b"int *f(int a);", False),
            (b"int f(struct a *b);", b"int f(const struct a *b);", False),
        ],
    )
    def test_signatures(self, one: bytes, other: bytes, same: bool) -> None:
        assert (read(one).signature == read(other).signature) is same

    @pytest.mark.parametrize(
        ("source", "stub"),
        [
            (b"void f(void);", b"static inline void f(void) { }"),
            (b"extern bool f(int a);", b"static inline bool f(int a)\n{\n\treturn false;\n}"),
            (b"const char *f(int a);", b"static inline const char *f(int a)\n{\n\treturn NULL;\n}"),
            (
                b"unsigned long f(int a);",
                b"static inline unsigned long f(int a)\n{\n\treturn 0;\n}",
            ),
            (
                b"irqreturn_t f(int a);",
                b"static inline irqreturn_t f(int a)\n{\n\treturn IRQ_NONE;\n}",
            ),
        ],
    )
    def test_stubs(self, source: bytes, stub: bytes) -> None:
        found = read(source)
        assert found.stub(found.nothing_done() or ()) == stub

    @pytest.mark.parametrize(
        "source", [b"struct a f(void);", b"foo_t f(void);", b"enum e f(void);"]
    )
    def test_types_that_tell_no_stub(self, source: bytes) -> None:
        assert read(source).nothing_done() is None

    def test_long_ones_are_broken_and_aligned(self) -> None:
        source = (
            b"int rust_probe(struct rust_state *state, unsigned long flags, const char *name, "
            b"void *x);"
        )
        assert read(source).declaration() == (
            b"int rust_probe(struct rust_state *state, unsigned long flags, const char *name,\n"
            b"\t       void *x);"
        )

    def test_unnamed_parameters_are_noticed(self) -> None:
        assert not read(b"int f(struct a *, int b);").named
        assert read(b"int f(struct a *a, ...);").named

    def test_prototypes_of_a_file(self) -> None:
        source = (
            b"MAKE(a)\nint f(int a);\nstruct ops { int (*f)(int a); int f(long a); };\n"
            b"int g(void) { return f(1); }\n"
        )
        found = list(prototypes_named(c_text(source), b"f"))
        assert [(at, p.head) for at, p in found] == [(12, b"int")]
