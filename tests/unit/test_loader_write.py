"""Recipe → text → the same recipe, whatever is in it; and series.toml changed in place."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpatch_rs.errors import KpatchError, Refused
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.loader.amend import with_learned, with_variant
from kpatch_rs.loader.document import read_document
from kpatch_rs.loader.message import MessageRefused, checked_body, checked_notes, checked_subject
from kpatch_rs.loader.recipe import read_recipe
from kpatch_rs.loader.save import prepare
from kpatch_rs.loader.write import payloads, recipe_text
from kpatch_rs.model.outcome import Learned
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import Edit, Payload, Person, Recipe, Variant, Where
from kpatch_rs.model.version import Guard

HERE = Where("x.toml")
LETTERS = st.characters(
    exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"], include_characters="\t\"'\\#[]={}"
)
TEXT = st.lists(st.text(LETTERS, max_size=20), max_size=6).map("\n".join)


def is_sound(check: Callable[[str], str], text: str) -> bool:
    try:
        check(text)
    except MessageRefused:
        return False
    return True


GUARDS = st.none() | st.builds(
    Guard, min=st.sampled_from([None, "6.1"]), max=st.sampled_from([None, "6.12.3"])
)
EDITS = st.one_of(
    st.builds(
        CCallEdit,
        where=st.just(HERE),
        when=GUARDS,
        file=st.just(repo_path("drivers/fö o/main.c")),
        function=st.just("f"),
        statement=TEXT,
        at=st.sampled_from(["entry", "before-call"]),
        call=st.none() | TEXT,
    ),
    st.builds(
        KconfigEdit,
        where=st.just(HERE),
        file=st.just(repo_path("Kconfig")),
        symbol=st.just("FOO"),
        depends=st.lists(TEXT, max_size=3).map(tuple),
        help=TEXT,
    ),
    st.builds(
        RustFileEdit,
        where=st.just(HERE),
        path=st.just(repo_path("a.rs")),
        source=st.builds(Payload, st.sampled_from(["files/a", "b"]), st.just(b"\xff\r\n\0")),
    ),
)
VARIANTS = st.builds(
    Variant, where=st.just(HERE), when=GUARDS, edits=st.lists(EDITS, min_size=1).map(tuple)
) | st.builds(Variant, where=st.just(HERE), when=st.just(Guard(min="7.2")))
RECIPES = st.builds(
    Recipe,
    where=st.just(HERE),
    id=st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True),
    subject=st.text(LETTERS, min_size=1).filter(lambda t: is_sound(checked_subject, t)),
    body=TEXT.filter(lambda t: is_sound(checked_body, t)),
    author=st.none() | st.just(Person("Ä. Maintainer, Jr.", "a@example.org")),
    date=st.none() | st.just("1700000000 +0100"),
    trailers=st.lists(st.just('Fixes: 0123456789ab ("x")'), max_size=2).map(tuple),
    notes=TEXT.filter(lambda t: is_sound(checked_notes, t)),
    when=GUARDS,
    edits=st.lists(EDITS, min_size=1, max_size=4).map(tuple),
    variants=st.lists(VARIANTS, max_size=2).map(tuple),
)


def placeless(recipe: Recipe) -> Recipe:
    def edits(placed: Sequence[Edit]) -> tuple[Edit, ...]:
        return tuple(dataclasses.replace(e, where=HERE) for e in placed)

    variants = tuple(
        dataclasses.replace(v, where=HERE, edits=edits(v.edits)) for v in recipe.variants
    )
    return dataclasses.replace(recipe, where=HERE, edits=edits(recipe.edits), variants=variants)


@settings(deadline=None)
@given(RECIPES)
def test_round_trip(recipe: Recipe) -> None:
    files = {payload.name: payload for payload in payloads(recipe)}
    document = read_document("x.toml", recipe_text(recipe).encode())
    again = read_recipe(document, files.__getitem__)
    assert placeless(again) == recipe
    assert recipe_text(again) == recipe_text(recipe)


def test_text_as_people_write_it() -> None:
    recipe = Recipe(
        where=HERE,
        id="call",
        subject='foo: Call "bar"',
        body="One line.\nAnd another.\n",
        when=Guard(min="6.1", has=repo_path("rust/kernel")),
        edits=(CCallEdit(where=HERE, file=repo_path("a.c"), function="f", statement="g();"),),
    )
    assert (
        recipe_text(recipe)
        == '''\
id = "call"
subject = "foo: Call \\"bar\\""
body = """
One line.
And another.
"""
when = {min = "6.1", has = "rust/kernel"}

[[edit]]
kind = "c-call"
file = "a.c"
function = "f"
statement = "g();"
'''
    )


SERIES = """\
# the series
format   = 1     # one
name = 'hello'
base =   "v6.12"   # last rendered
change-id = "20261122-hello-3f1c9a7d52e0"

[mail]    # how
to = [
  "kvm@vger.kernel.org",  # the list
]
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def series(tmp_path: Path) -> Path:
    (tmp_path / "series.toml").write_text(SERIES)
    return tmp_path


def test_what_a_killed_command_left_goes_with_time(series: Path) -> None:
    old, new = series / ".series.toml.abcdefgh", series / ".series.toml.12345678"
    for left in (old, new):
        left.write_text(SERIES)
    os.utime(old, (0, 0))
    prepare(series, base="v7.2").commit()
    assert names(series) == [new.name, "series.toml"], "another one may be writing it"


def test_set_base_changes_nothing_else(series: Path) -> None:
    (series / "series.toml").chmod(0o640)
    prepare(series, base="v7.2").commit()
    assert (series / "series.toml").read_text() == SERIES.replace("v6.12", "v7.2")
    assert stat.S_IMODE((series / "series.toml").stat().st_mode) == 0o640
    assert names(series) == ["series.toml"]


def test_set_version_adds_it_above_the_tables(series: Path) -> None:
    prepare(series, version=2).commit()
    top = 'a7d52e0"\n'
    assert (series / "series.toml").read_text() == SERIES.replace(top, f"{top}version = 2\n")


def test_base_is_added_where_it_is_missing(series: Path) -> None:
    (series / "series.toml").write_text('format = 1\nname = "x"\n[mail]\n')
    prepare(series, base='a"b').commit()
    assert (
        series / "series.toml"
    ).read_text() == 'format = 1\nname = "x"\nbase = "a\\"b"\n\n[mail]\n'


def test_discard_leaves_no_trace(series: Path) -> None:
    prepared = prepare(series, base="v7.2")
    assert (series / "series.toml").read_text() == SERIES
    prepared.discard()
    assert (series / "series.toml").read_text() == SERIES
    assert names(series) == ["series.toml"]


def test_someone_elses_change_is_kept(series: Path) -> None:
    prepared = prepare(series, base="v7.2")
    (series / "series.toml").write_text(SERIES + "# mine\n")
    with pytest.raises(Refused, match="changed by someone else"):
        prepared.commit()
    assert (series / "series.toml").read_text() == SERIES + "# mine\n"
    assert names(series) == ["series.toml"]


def test_a_full_disk_leaves_the_old_file(series: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KpatchError, match=r"cannot be written: No space left on device$"):
        prepare(series, base="v7.2")
    assert (series / "series.toml").read_text() == SERIES
    assert names(series) == ["series.toml"]


def test_a_link_inside_the_series_stays_a_link(series: Path) -> None:
    (series / "series.toml").rename(series / "real.txt")
    (series / "series.toml").symlink_to("real.txt")
    prepare(series, base="v7.2").commit()
    assert (series / "series.toml").is_symlink()
    assert 'base =   "v7.2"' in (series / "real.txt").read_text()


AMENDED = """\
id = "call"
subject = "foo: Call Rust"

[[edit]]    # as it was
kind = "rust-file"
path = "a.rs"
source = "a.rs"

# for the newest
[[variant]]
when = { min = "7.2" }

[[variant.edit]]
kind = "rust-file"
path = "b.rs"
source = "a.rs"
"""


def with_one_more(number: int, text: str = AMENDED) -> str:
    source = Payload("a.rs", b"")
    edit = RustFileEdit(where=HERE, path=repo_path("c.rs"), source=source)
    variant = Variant(where=HERE, when=Guard(min="7.1"), edits=(edit,))
    after = with_variant("x.toml", variant, number, text.encode())
    read = read_recipe(read_document("x.toml", after), lambda _: source)
    assert placeless(read).variants[number] == variant
    return after.decode()


@pytest.mark.parametrize("number", [0, 1])
def test_a_variant_goes_in_between(number: int) -> None:
    after = with_one_more(number)
    added = after.replace(AMENDED.partition("\n# for")[0], "")
    assert len(after) > len(AMENDED)
    assert all(line in after.split("\n") for line in AMENDED.split("\n"))
    assert added.index('min = "7.1"') < added.index('min = "7.2"') or number == 1
    assert "# for the newest\n[[variant]]\nwhen = { min" in after, "its comment stays with it"


def test_a_variant_on_a_last_line_without_end() -> None:
    assert with_one_more(1, AMENDED.rstrip("\n")).startswith(AMENDED)


def test_a_variant_where_there_is_no_table_for_it() -> None:
    text = 'id = "a"\nsubject = "b: c"\nvariant = []\n[[edit]]\nkind = "x"\n'
    with pytest.raises(KpatchError, match="cannot be added without a change to the rest"):
        with_variant("x.toml", Variant(where=HERE, when=Guard(min="7.1")), 0, text.encode())


def test_what_was_learned_goes_to_the_variant_that_was_rendered() -> None:
    two = (Learned("also", "d.rs"), Learned("also", "e.rs"))
    lessons = {(0, 0): (Learned("also", "c.rs"),), (None, 0): two}
    after = with_learned("x.toml", lessons, AMENDED.encode()).decode()
    table = read_document("x.toml", after.encode()).table
    assert table["edit"][0]["also"] == ["d.rs", "e.rs"]
    assert table["variant"][0]["edit"][0]["also"] == ["c.rs"]
    kept = after.replace('also = ["d.rs", "e.rs"]\n', "").replace('also = ["c.rs"]\n', "")
    assert "".join(kept.split()) == "".join(AMENDED.split())
