from __future__ import annotations

import pytest

from kpatch_rs.errors import KpatchError
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit, _parses_worse
from kpatch_rs.model.outcome import Outcome, Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.proof import ObjectBuilds, Unprovable
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.c_body import body_of
from kpatch_rs.syntax.c_functions import functions
from kpatch_rs.syntax.c_text import c_text
from tests.trees import DictTree, NoHistory

FILE = "drivers/foo/main.c"


def an_edit(**changes: object) -> CCallEdit:
    fields: dict[str, object] = {
        "where": Where("0001.toml"),
        "file": RepoPath(FILE.encode()),
        "function": "f",
        "statement": "rust_f();",
    }
    return CCallEdit(**(fields | changes))  # type: ignore[arg-type]  # fields of one edit, by name


def planned(files: dict[str, str], **changes: object) -> Outcome:
    tree = TreeOverlay(DictTree({path: text.encode() for path, text in files.items()}))
    return C_CALL.plan(an_edit(**changes), Ground(tree, NoHistory()))


def result(source: str, **changes: object) -> str:
    outcome = planned({FILE: source}, **changes)
    assert outcome.status is Status.EXACT, outcome.reason
    again = C_CALL.plan(an_edit(**changes), Ground(outcome.tree, NoHistory()))
    assert again.status is Status.PRESENT, again.reason
    file = outcome.tree.read(RepoPath(FILE.encode()))
    assert file and outcome.place
    assert "rust_f" in file.data.decode().splitlines()[outcome.place.line - 1]
    return file.data.decode()


def refused(source: str, **changes: object) -> str:
    outcome = planned({FILE: source}, **changes)
    assert outcome.status is Status.CONFLICT
    assert outcome.hint
    return outcome.reason


class TestRecipe:
    @pytest.mark.parametrize(
        "statement",
        [
            "",
            "rust_f()",
            "rust_f(); rust_g();",
            "int a = rust_f();",
            "}",
            "#define X",
            "rust_f(;",
            "a(); } void g(void) { b();",
        ],
    )
    def test_not_one_statement(self, statement: str) -> None:
        with pytest.raises(KpatchError, match="is no statement of C"):
            planned({FILE: "void f(void)\n{\n}\n"}, statement=statement)

    @pytest.mark.parametrize(
        "changes",
        [
            {"at": "before-call"},
            {"at": "entry", "call": "g"},
            {"function": "f()"},
            {"function": "SYSCALL_DEFINE3"},
        ],
    )
    def test_fields_that_do_not_fit_each_other(self, changes: dict[str, object]) -> None:
        with pytest.raises(KpatchError) as error:
            planned({FILE: "void f(void)\n{\n}\n"}, **changes)
        assert error.value.hint


class TestPlaces:
    def test_an_empty_body(self) -> None:
        assert result("void f(void)\n{\n}\n") == "void f(void)\n{\n\trust_f();\n}\n"

    def test_declarations_alone_get_a_blank_line(self) -> None:
        source = "int f(void)\n{\n\tint r = g();\n\treturn r;\n}\n"
        wanted = source.replace("g();\n", "g();\n\n\trust_f();\n")
        assert result(source) == wanted
        assert result(source, at="before-last-return") == wanted

    def test_a_statement_of_two_lines_with_a_return_of_its_own(self) -> None:
        source = "int f(void)\n{\n\tif (a)\n\t\treturn 1;\n\treturn 0;\n}\n"
        statement = "if (rust_f())\n\treturn -EIO;"
        assert result(source, statement=statement, at="before-returns") == (
            "int f(void)\n{\n"
            "\tif (a) {\n\t\tif (rust_f())\n\t\t\treturn -EIO;\n\t\treturn 1;\n\t}\n"
            "\tif (rust_f())\n\t\treturn -EIO;\n\treturn 0;\n}\n"
        )

    def test_a_comment_stays_with_its_return(self) -> None:
        source = "int f(void)\n{\n\tg();\n\n\t/* Done. */\n\treturn 0;\n}\n"
        wanted = source.replace("\t/* Done", "\trust_f();\n\t/* Done")
        assert result(source, at="before-returns") == wanted

    def test_a_comment_a_blank_line_above_stays_with_what_follows(self) -> None:
        source = "void f(void)\n{\n\tg();\n\n\t/* Set up h. */\n\n\th();\n}\n"
        wanted = source.replace("\t/* Set", "\trust_f();\n\t/* Set")
        assert result(source, at="before-call", call="h") == wanted

    def test_one_line_arms(self) -> None:
        source = "int f(void)\n{\n\tif (a) return 1; else return 2;\n}\n"
        assert result(source, at="before-returns") == (
            "int f(void)\n{\n\tif (a) {\n\t\trust_f();\n\t\treturn 1;\n\t} else {\n"
            "\t\trust_f();\n\t\treturn 2;\n\t}\n}\n"
        )

    def test_a_label_on_the_line_of_the_return(self) -> None:
        source = "int f(void)\n{\n\tg();\nout: return 1;\n}\n"
        assert result(source, at="before-returns") == (
            "int f(void)\n{\n\tg();\nout:\n\trust_f();\n\treturn 1;\n}\n"
        )

    def test_arms_of_the_preprocessor_each_get_it(self) -> None:
        source = "int f(void)\n{\n#ifdef A\n\treturn 1;\n#else\n\treturn 2;\n#endif\n}\n"
        wanted = source.replace("\treturn", "\trust_f();\n\treturn")
        assert result(source, at="before-returns") == wanted

    def test_a_void_function_is_left_at_its_brace_too(self) -> None:
        source = "void f(void)\n{\n\tif (a)\n\t\treturn;\n\tg();\n}\n"
        assert result(source, at="before-returns") == (
            "void f(void)\n{\n\tif (a) {\n\t\trust_f();\n\t\treturn;\n\t}\n\tg();\n\trust_f();\n}\n"
        )

    def test_next_to_a_call_in_a_condition(self) -> None:
        source = "int f(void)\n{\n\ta();\n\tif (g(1))\n\t\treturn 1;\n\tb();\n\treturn 0;\n}\n"
        assert result(source, at="before-call", call="g") == source.replace(
            "\tif (g", "\trust_f();\n\tif (g"
        )
        assert result(source, at="after-call", call="g") == source.replace(
            "return 1;\n", "return 1;\n\trust_f();\n"
        )

    def test_behind_a_declaration_that_calls(self) -> None:
        source = "int f(void)\n{\n\tint a;\n\tint r = g();\n\n\tb();\n\treturn r;\n}\n"
        assert result(source, at="after-call", call="g") == source.replace(
            "\tb();", "\trust_f();\n\tb();"
        )


class TestRefused:
    @pytest.mark.parametrize(
        ("lines", "changes", "reason"),
        [
            ("return g();", {"at": "after-call", "call": "g"}, "nothing comes after it"),
            ("g(); g();", {"at": "after-call", "call": "g"}, "g() is called 2 times"),
            ("ops->g();", {"at": "after-call", "call": "g"}, "g() is not called"),
            ("while (g())\n\t\tb();", {"at": "before-call", "call": "g"}, "head of a loop"),
            ("int r = g();\n\tint s;", {"at": "after-call", "call": "g"}, "in a declaration"),
            ("a(); g();", {"at": "before-call", "call": "g"}, "shares its line"),
            ("MAKE(x)\n\tg();", {"at": "before-call", "call": "g"}, "neither a statement nor"),
            ("if (x)\n\t\t/* no */\n\t\tg();", {"at": "before-call", "call": "g"}, "no braces"),
            (
                "if (a)\n\t\tfor (;;)\n\t\t\tg();\n\telse\n\t\tb();",
                {"at": "before-call", "call": "g"},
                "more than one if",
            ),
            ("for (;;)\n\t\tg();", {"at": "before-last-return"}, "no return at the top level"),
            ("rust_f();\n\trust_f();", {"at": "entry"}, "in the function already"),
        ],
    )
    def test_uncertain_places(self, lines: str, changes: dict[str, object], reason: str) -> None:
        assert reason in refused(f"int f(void)\n{{\n\t{lines}\n}}\n", **changes)

    def test_a_void_function_with_an_error_path_behind_its_return(self) -> None:
        source = "void f(void)\n{\n\tg();\n\treturn;\nerr:\n\th();\n}\n"
        assert "more than one way out" in refused(source, at="before-last-return")

    def test_a_body_on_one_line(self) -> None:
        assert "on one line" in refused("void f(void) { }\n")


DEFINITION = "void f(void)\n{\n}\n"
OTHER = "void g(void)\n{\n}\n"


class TestWhere:
    def test_the_same_folder_comes_before_the_tree(self) -> None:
        outcome = planned(
            {FILE: OTHER, "drivers/foo/sub/a.c": DEFINITION, "drivers/bar/a.c": DEFINITION}
        )
        assert outcome.status is Status.MOVED
        assert str(outcome.place) == "drivers/foo/sub/a.c:3"
        assert outcome.reason == "f() is in drivers/foo/sub/a.c now, not in drivers/foo/main.c"

    def test_two_equally_near_are_offered(self) -> None:
        outcome = planned(
            {FILE: OTHER, "drivers/bar/a.c": DEFINITION, "drivers/baz/a.c": DEFINITION}
        )
        assert outcome.status is Status.CONFLICT
        assert [str(c.place) for c in outcome.candidates] == [
            "drivers/bar/a.c:1",
            "drivers/baz/a.c:1",
        ]

    def test_a_stub_in_a_header_and_a_tool_do_not_count(self) -> None:
        outcome = planned(
            {
                "drivers/bar/a.c": DEFINITION,
                "drivers/foo/a.h": "static inline " + DEFINITION,
                "drivers/foo/b.c": DEFINITION,
                "tools/a.c": DEFINITION,
            }
        )
        assert str(outcome.place) == "drivers/foo/b.c:3"
        assert str(planned({FILE: OTHER, "tools/a.c": DEFINITION}).status) == "conflict"

    def test_a_system_call_and_a_function_named_like_one(self) -> None:
        call = "SYSCALL_DEFINE1(f, int, a)\n{\n\treturn 0;\n}\n"
        plain = "long sys_ni(void)\n{\n\treturn 0;\n}\n"
        files = {FILE: OTHER, "kernel/a.c": call, "kernel/b.c": plain}
        assert str(planned(files, function="sys_f").place) == "kernel/a.c:3"
        assert str(planned(files, function="sys_ni").place) == "kernel/b.c:3"

    def test_no_such_file_and_no_such_function(self) -> None:
        outcome = planned({"drivers/foo/main2.c": OTHER})
        assert outcome.reason == "drivers/foo/main.c: the tree has no such file"
        assert [str(c.place) for c in outcome.candidates] == ["drivers/foo/main2.c:1"]

    def test_a_macro_elsewhere_is_named(self) -> None:
        outcome = planned({FILE: OTHER, "include/foo.h": "#define f() g()\n"})
        assert outcome.reason == "f is a macro, not a function (include/foo.h:1)"


def test_assembly_has_no_functions_of_c() -> None:
    with pytest.raises(KpatchError, match="is no C file"):
        planned({"a.S": ""}, file=RepoPath(b"a.S"))


def test_braces_are_no_part_of_what_is_compared() -> None:
    """`adapted` is for another number of places, not for the shape around one."""
    braced = planned(
        {FILE: "int f(void)\n{\n\tif (a)\n\t\treturn 1;\n\treturn 0;\n}\n"}, at="before-returns"
    )
    assert braced.text == b"rust_f();\nrust_f();"


class TestProofs:
    def test_only_what_rust_defines_must_come_from_outside(self) -> None:
        rust = '#[no_mangle]\npub extern "C" fn rust_f() {}\n'
        outcome = planned(
            {FILE: DEFINITION, "drivers/foo/r.rs": rust}, statement="pr_info(X, rust_f());"
        )
        assert C_CALL.proofs(an_edit(statement="pr_info(X, rust_f());"), outcome) == (
            ObjectBuilds(RepoPath(b"drivers/foo/main.o"), uses=("rust_f",), off_too=True),
        )

    def test_a_header_is_proven_by_what_includes_it(self) -> None:
        header = RepoPath(b"drivers/foo/foo.h")
        files = {
            "drivers/foo/foo.h": "static inline " + DEFINITION,
            "drivers/foo/a.c": '#include "../foo/foo.h"\n',
        }
        outcome = planned(files, file=header)
        (proof,) = C_CALL.proofs(an_edit(file=header), outcome)
        assert isinstance(proof, ObjectBuilds)
        assert proof.target == b"drivers/foo/a.o"
        alone = planned({"drivers/foo/foo.h": files["drivers/foo/foo.h"]}, file=header)
        assert isinstance(C_CALL.proofs(an_edit(file=header), alone)[0], Unprovable)


def test_a_result_that_parses_worse_is_noticed() -> None:
    text = c_text(b"void f(void)\n{\n\tg();\n}\nvoid h(void)\n{\n}\n")
    body = body_of(text, functions(text)[0])
    assert not _parses_worse(body, text.data.replace(b"g();", b"g();\n\tg();"))
    assert _parses_worse(body, text.data.replace(b"g();", b"g();\n\tg(;"))
    assert _parses_worse(body, text.data.replace(b"g();", b"g();\n}\nvoid i(void)\n{"))


def test_the_mode_of_the_file_is_kept() -> None:
    tree = TreeOverlay(DictTree({FILE: File(DEFINITION.encode(), "100755")}))
    outcome = C_CALL.plan(an_edit(), Ground(tree, NoHistory()))
    file = outcome.tree.read(RepoPath(FILE.encode()))
    assert file and file.mode == "100755"


GUARDED = """int f(void)
{
	struct foo *foo;

	guard(mutex)(&lock);
	g();
	return 0;
}
"""


def test_before_a_guard_is_not_behind_it() -> None:
    made = result(GUARDED, at="before-call", call="guard")
    assert made == GUARDED.replace("\tguard", "\trust_f();\n\tguard")


def test_two_statements_share_a_place() -> None:
    """On its own result, each is where it is wanted: what is between is the series' own."""
    first, second = an_edit(), an_edit(statement="rust_g();")
    base = TreeOverlay(DictTree({FILE: GUARDED.encode()}))
    tree = C_CALL.plan(first, Ground(base, NoHistory())).tree
    tree = C_CALL.plan(second, Ground(tree, NoHistory())).tree
    file = tree.read(RepoPath(FILE.encode()))
    assert file
    assert b"\trust_g();\n\trust_f();\n\tguard(mutex)" in file.data
    for edit in (first, second):
        known = Ground(tree, NoHistory(), edits=(first, second))
        assert C_CALL.plan(edit, known).status is Status.PRESENT
    foreign = C_CALL.plan(first, Ground(tree, NoHistory(), edits=(first,)))
    assert foreign.status is Status.CONFLICT, "what somebody else put there is not looked through"


CHECKED = """int f(void)
{
	int r;

	r = g();
	/* why */
	if (r < 0)
		goto out;

	h();
	if (r)
		return r;
	int late = k();
	if (late)
		return late;
out:
	return r;
}
"""


class TestAfterCheck:
    def test_it_comes_behind_the_if(self) -> None:
        made = result(CHECKED, at="after-check", call="g")
        assert "\t\tgoto out;\n\trust_f();\n\n\th();" in made

    def test_a_declaration_is_checked_too(self) -> None:
        made = result(CHECKED, at="after-check", call="k")
        assert "\t\treturn late;\n\trust_f();\nout:" in made

    def test_an_if_about_something_else_is_no_check(self) -> None:
        assert "tests what it returned" in refused(CHECKED, at="after-check", call="h")

    @pytest.mark.parametrize(
        ("blank", "lines"),
        [
            ("above", "\n\trust_f();\n\n\th();"),
            ("below", "\trust_f();\n\n\th();"),
            ("both", "\n\trust_f();\n\n\th();"),
        ],
    )
    def test_blank_lines_are_never_two(self, blank: str, lines: str) -> None:
        made = result(CHECKED, at="after-check", call="g", blank=blank)
        assert "\t\tgoto out;\n" + lines in made


def test_lines_end_as_the_files_do() -> None:
    made = result(GUARDED.replace("\n", "\r\n"), at="before-last-return")
    assert made == GUARDED.replace("\treturn", "\trust_f();\n\treturn").replace("\n", "\r\n")
