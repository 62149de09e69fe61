"""The Kbuild reader: what GNU make takes for a line, and nothing it does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kpatch_rs.syntax.kbuild import Assignment, Include, ListName, list_name, read_makefile


def assigned(text: bytes) -> list[tuple[bytes, list[bytes]]]:
    found = read_makefile(text).statements
    return [(s.name, [w.text for w in s.words]) for s in found if isinstance(s, Assignment)]


def test_continuations_join_and_keep_offsets() -> None:
    text = b"a-y := x.o \\\n\ty.o # z.o\nb-y += w.o\n"
    first, second = read_makefile(text).statements
    assert isinstance(first, Assignment)
    assert [text[w.start : w.start + 3] for w in first.words] == [b"x.o", b"y.o"]
    assert text[second.start :] == b"b-y += w.o\n"


def test_a_comment_goes_on_with_its_backslash() -> None:
    assert assigned(b"# note \\\na-y := x.o\nb-y := y.o\n") == [(b"b-y", [b"y.o"])]


def test_tab_lines_are_recipes_only_while_a_rule_is_open() -> None:
    text = b"x.o: y.c\n\ta-y := no\n\nb-y := yes\n\tc-y := yes\n"
    assert [name for name, _ in assigned(text)] == [b"b-y", b"c-y"]


def test_define_bodies_are_no_statements() -> None:
    text = b"define a\nb-y := no\ndefine c\nendef\nd-y := no\nendef # a\ne-y := yes\n"
    assert [name for name, _ in assigned(text)] == [b"e-y"]


def test_names_with_references_and_odd_operators() -> None:
    text = b"obj-$(subst m,y,$(CONFIG_IPV6)) += a.o\nb-y?=$(addprefix v/, c.o d.o) e.o\nf+=g\n"
    assert assigned(text) == [
        (b"obj-$(subst m,y,$(CONFIG_IPV6))", [b"a.o"]),
        (b"b-y", [b"$(addprefix v/, c.o d.o)", b"e.o"]),
        (b"f", [b"g"]),
    ]


def test_conditions_nest_and_branches_are_told_apart() -> None:
    text = (
        b"ifdef CONFIG_A\nx-y := 1\nelse ifeq ($(B),y) # b\nx-y := 2\nelse\n"
        b"  ifneq ($(C),)\nx-y := 3\n  endif\nendif # A\nx-y := 4\n"
    )
    makefile = read_makefile(text)
    contexts = [[(c.branch, c.text) for c in s.context] for s in makefile.statements]
    assert contexts == [
        [(0, b"ifdef CONFIG_A")],
        [(1, b"else ifeq ($(B),y)")],
        [(2, b"else"), (0, b"ifneq ($(C),)")],
        [],
    ]
    outer = makefile.block(makefile.statements[0].context[0])
    assert outer is not None
    assert (outer.branches, outer.complete) == (3, True)
    assert text[outer.end :] == b"x-y := 4\n"


def test_includes() -> None:
    found = read_makefile(b"-include a b # c\nincludecheck:\n\tx\n").statements
    assert [s.names for s in found if isinstance(s, Include)] == [(b"a", b"b")]


def test_list_names() -> None:
    assert list_name(b"kvm-intel-y") == ListName(b"kvm-intel", plain=b"y")
    assert list_name(b"kvm-$(CONFIG_X)") == ListName(b"kvm", config=b"X")
    assert list_name(b"obj-${CONFIG_X}") == ListName(b"obj", config=b"X")
    assert list_name(b"a-$(subst m,y,$(CONFIG_X))") == ListName(
        b"a", other=b"$(subst m,y,$(CONFIG_X))"
    )
    assert list_name(b"CFLAGS_foo.o") is None


@given(st.binary(max_size=200) | st.text("ab-y:=+ \\\n\t#$()if endef", max_size=80).map(str.encode))
def test_any_bytes_can_be_read(data: bytes) -> None:
    """Offsets stay within the data and in order, whatever it is."""
    ends = [0]
    for statement in read_makefile(data).statements:
        assert ends[-1] <= statement.start < statement.end <= len(data)
        ends.append(statement.end)
