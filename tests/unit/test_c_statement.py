"""What a recipe's statement may be, how it stands in a function, and what lift makes of one."""

from __future__ import annotations

import textwrap
from typing import Literal

import pytest

from kpatch_rs.engine.lift import Patch, lift
from kpatch_rs.kinds.base import Ground
from kpatch_rs.kinds.c_call import C_CALL, CCallEdit
from kpatch_rs.model.outcome import Status
from kpatch_rs.model.path import RepoPath
from kpatch_rs.model.series import Where
from kpatch_rs.model.tree import File, TreeOverlay
from kpatch_rs.syntax.c_statement import functions_called, statements
from tests.trees import DictTree, NoHistory

PATH = RepoPath(b"drivers/foo/main.c")
CHECKED = "r = rust_f(dev);\nif (r)\n\tgoto out;"
GUARDED = "#ifdef CONFIG_FOO_RUST\nrust_f(dev);\n#else\nnone(dev);\n#endif"
COMMENTED = "/* Rust has\n * its say. */\nrust_f(dev);"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("\trust_f();\n", "rust_f();"),
        (CHECKED, CHECKED),
        (textwrap.indent(CHECKED, "\t\t"), CHECKED),
        (textwrap.indent(COMMENTED, "\t"), COMMENTED),
        (
            "#ifdef X\n\trust_f(a,\n\t       b);\n#endif\n",
            "#ifdef X\nrust_f(a,\n       b);\n#endif",
        ),
        ("\n  #if IS_ENABLED(X)\n  rust_f();\n  #endif", "#if IS_ENABLED(X)\nrust_f();\n#endif"),
        ("a();\n\nb();", "a();\n\nb();"),
        ("/* nothing */", None),
        ("#ifdef X\n#endif", None),
        ("#ifdef X\nint a;\n#endif", None),
        ("#ifdef X\na();", None),
        ("a();\nint b = c();", None),
        ("a(); b();", None),
        ("a(); }\nvoid g(void) { b();", None),
    ],
)
def test_what_a_statement_is(text: str, lines: str | None) -> None:
    assert statements(text) == (lines.encode() if lines else None)


def test_all_that_it_calls_is_known() -> None:
    assert functions_called(GUARDED) == ("rust_f", "none")


BEFORE = """int probe(struct device *dev)
{
	int r;

	r = first(dev);
	if (r)
		goto out;

	r = second(dev);
	if (r)
		goto out;
	if (third(dev))
		return 0;
out:
	return r;
}
"""


def added(statement: str, anchor: str, *, blank: str = "") -> str:
    """BEFORE with the statement above the line `anchor`."""
    lines = "".join(
        line if line.startswith("#") else textwrap.indent(line, "\t")
        for line in statement.splitlines(keepends=True)
    )
    assert BEFORE.count(anchor) == 1
    return BEFORE.replace(anchor, f"{lines}\n{blank}{anchor}")


@pytest.mark.parametrize("statement", [CHECKED, GUARDED, COMMENTED, "if (X(Y))\n\trust_f(dev);"])
@pytest.mark.parametrize(
    ("anchor", "blank"),
    [("\tr = first(dev);\n", "\n"), ("\tr = second(dev);\n", "\n"), ("\tif (third(dev))\n", "")],
)
def test_what_a_patch_adds_comes_back(statement: str, anchor: str, blank: str) -> None:
    before = TreeOverlay(DictTree({"drivers/foo/main.c": BEFORE.encode()}))
    made = File(added(statement, anchor, blank=blank).encode())
    patch = Patch(before=before, after=before.write(PATH, made))
    (edit,) = lift(patch, NoHistory(), payload="x.diff", where=Where("x"), taken={})
    assert isinstance(edit, CCallEdit)
    assert edit.statement == statement, "and none of what a diff may take for it"
    outcome = C_CALL.plan(edit, Ground(before, NoHistory()))
    assert outcome.tree.read(PATH) == made
    assert C_CALL.plan(edit, Ground(outcome.tree, NoHistory())).status is Status.PRESENT


def test_in_an_arm_it_gets_braces() -> None:
    edit = CCallEdit(
        where=Where("x"), file=PATH, function="probe", statement=GUARDED, at="before-returns"
    )
    tree = TreeOverlay(DictTree({"drivers/foo/main.c": BEFORE.encode()}))
    made = C_CALL.plan(edit, Ground(tree, NoHistory())).tree.read(PATH)
    assert made is not None
    assert made.data.decode().endswith(
        "\tif (third(dev)) {\n#ifdef CONFIG_FOO_RUST\n\t\trust_f(dev);\n#else\n\t\tnone(dev);\n"
        "#endif\n\t\treturn 0;\n\t}\nout:\n#ifdef CONFIG_FOO_RUST\n\trust_f(dev);\n#else\n"
        "\tnone(dev);\n#endif\n\treturn r;\n}\n"
    )


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("r = first(dev);\nif (r)\n\tgoto out;", id="nothing new is called"),
        pytest.param("\n".join(f"rust_{n}(dev) + 1;" for n in range(13)), id="too long"),
    ],
)
def test_what_is_the_file_s_own_stays_a_patch(statement: str) -> None:
    before = TreeOverlay(DictTree({"drivers/foo/main.c": BEFORE.encode()}))
    made = File(added(statement, "\tif (third(dev))\n").encode())
    patch = Patch(before=before, after=before.write(PATH, made))
    (edit,) = lift(patch, NoHistory(), payload="x.diff", where=Where("x"), taken={})
    assert edit.kind == "patch"


def test_a_comment_with_the_statement_is_not_it() -> None:
    code = "int f(void)\n{\n\t/* rust_f(dev); */\n\tg();\n\treturn 0;\n}\n"
    tree = TreeOverlay(DictTree({"drivers/foo/main.c": code.encode()}))
    edit = CCallEdit(where=Where("x"), file=PATH, function="f", statement="rust_f(dev);")
    assert C_CALL.plan(edit, Ground(tree, NoHistory())).status is Status.EXACT


_At = Literal["before-returns", "after-call", "before-call", "after-check"]


class TestAnotherOneOfTheSeries:
    """Each stays whole, so that each is known again where it is."""

    FIRST = CCallEdit(
        where=Where("x"), file=PATH, function="probe", statement=CHECKED, at="after-check",
        call="second",
    )  # fmt: skip

    def planned(self, second: CCallEdit) -> tuple[Status, str, TreeOverlay]:
        tree = TreeOverlay(DictTree({"drivers/foo/main.c": BEFORE.encode()}))
        for edit in (self.FIRST, second):
            outcome = C_CALL.plan(edit, Ground(tree, NoHistory(), edits=(self.FIRST, second)))
            tree = outcome.tree
        return outcome.status, outcome.reason, tree

    def second(self, at: _At, call: str | None = None) -> CCallEdit:
        return CCallEdit(
            where=Where("y"), file=PATH, function="probe", statement="more(dev);", at=at, call=call
        )

    def test_its_returns_are_its_own(self) -> None:
        first = self.FIRST
        self.FIRST = CCallEdit(
            where=first.where, file=PATH, function="probe", at="entry",
            statement="r = rust_f(dev);\nif (r)\n\treturn r;",
        )  # fmt: skip
        second = self.second(at="before-returns")
        status, _, tree = self.planned(second)
        assert status is Status.EXACT
        made = tree.read(PATH)
        assert made
        assert made.data.count(b"more(dev);") == 2
        for edit in (self.FIRST, second):
            again = C_CALL.plan(edit, Ground(tree, NoHistory(), edits=(self.FIRST, second)))
            assert again.status is Status.PRESENT

    @pytest.mark.parametrize("at", ["after-call", "before-call", "after-check"])
    def test_what_is_next_to_its_call(self, at: _At) -> None:
        status, reason, tree = self.planned(self.second(at=at, call="rust_f"))
        if at == "after-call":
            assert "amid another statement of the series" in reason
        else:
            made = tree.read(PATH)
            assert (status, made and CHECKED.replace("\n", "\n\t").encode() in made.data) == (
                Status.EXACT,
                True,
            )
