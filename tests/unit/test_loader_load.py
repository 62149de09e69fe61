"""A whole series as its folder says; what is refused stands in tests/invalid."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.kbuild import KbuildEdit
from kpatch_rs.kinds.rust_file import RustFileEdit
from kpatch_rs.loader.fields import _hints
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.path import repo_path
from kpatch_rs.model.series import CheckSettings, Cover, MailSettings, Payload, Person, Where
from kpatch_rs.model.version import Guard

VALID = Path(__file__).parents[1] / "invalid/valid/series"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(VALID, tmp_path / "hello"))


def test_series(folder: Path) -> None:
    series = load_series(folder)
    assert (series.name, series.base, series.version) == ("hello", "v1", 1)
    assert series.change_id == "20261122-hello-3f1c9a7d52e0"
    assert series.mail == MailSettings(prefix=("RFC",), to=("kvm@vger.kernel.org",))
    config = Payload("check.config", b"CONFIG_FOO=y\n")
    assert series.check == CheckSettings(config=config)
    assert series.cover == Cover("foo: Call Rust", "Call Rust from the foo driver.\n")
    assert [r.id for r in series.recipes] == ["file", "kconfig", "kbuild", "call"]


def test_recipe(folder: Path) -> None:
    recipe = load_series(folder).recipes[0]
    assert recipe.where == Where("0001-file.toml", 1)
    assert recipe.author == Person("A Maintainer", "maintainer@example.org")
    assert recipe.message() == (
        "foo: Add a Rust file\n\nNothing builds it yet.\n\n"
        "Signed-off-by: A Maintainer <maintainer@example.org>\n"
    )


def test_edits_know_their_header(folder: Path) -> None:
    kbuild, call = load_series(folder).recipes[2:]
    assert kbuild.edits == (
        KbuildEdit(
            where=Where("0003-kbuild.toml", 4),
            file=repo_path("drivers/foo/Makefile"),
            object="rust_foo.o",
            module="foo",
            config="FOO_RUST",
        ),
    )
    assert [str(e.where) for e in call.edits] == ["0004-call.toml:4", "0004-call.toml:10"]
    assert isinstance(call.edits[1], CCallEdit)
    assert call.edits[1].file == b"drivers/foo/main.c"


def source(folder: Path) -> Payload:
    edit = load_series(folder).recipes[0].edits[0]
    assert isinstance(edit, RustFileEdit)
    return edit.source


def test_payload_is_byte_for_byte(folder: Path) -> None:
    data = b"\xef\xbb\xbf\r\n\0\x0c\xff no end of line"
    (folder / "files/rust_foo.rs").write_bytes(data)
    assert source(folder) == Payload("files/rust_foo.rs", data)


def test_link_inside_the_series_is_followed(folder: Path) -> None:
    (folder / "files/rust_foo.rs").rename(folder / "real.rs")
    (folder / "files/rust_foo.rs").symlink_to("../real.rs")
    assert source(folder).data == (folder / "real.rs").read_bytes()


def test_recipes_come_in_the_order_of_bytes(folder: Path) -> None:
    for name in ("B", "a", "é", "_"):
        text = (folder / "0003-kbuild.toml").read_text()
        file = folder / f"1-{name}.toml"
        file.write_text(text.replace('"kbuild"\nsub', f'"x{ord(name)}"\nsub'))
    ids = [r.id for r in load_series(folder).recipes]
    assert ids == ["file", "kconfig", "kbuild", "call", "x66", "x95", "x97", "x233"]


def test_what_editors_leave_is_no_recipe(folder: Path) -> None:
    (folder / ".#0001-file.toml").symlink_to("someone@host.123")
    (folder / "0001-file.toml~").write_text("broken")
    assert len(load_series(folder).recipes) == 4


def test_no_cover_no_base_no_settings(folder: Path) -> None:
    (folder / "cover.txt").unlink()
    text = 'format = 1\nname = "x"\nbase = ""\nchange-id = "20261122-x-3f1c9a7d52e0"\n'
    (folder / "series.toml").write_text(text)
    series = load_series(folder)
    assert (series.cover, series.base, series.mail) == (None, "", MailSettings())
    assert series.check == CheckSettings()


def with_top(folder: Path, line: str) -> None:
    file = folder / "0003-kbuild.toml"
    file.write_text(file.read_text().replace("\n[[edit]]", f"{line}\n[[edit]]"))


def test_notes_by_version_come_newest_first(folder: Path) -> None:
    with_top(folder, 'notes = { v2 = "Renamed.", v10 = """Moved.\\n""" }\n')
    notes = load_series(folder).recipes[2].notes
    assert notes == "Changes in v10:\nMoved.\n\nChanges in v2:\nRenamed."


def test_notes_may_hold_the_cut(folder: Path) -> None:
    """They stand below it already."""
    with_top(folder, 'notes = """a\n---\nb"""\n')
    assert load_series(folder).recipes[2].notes == "a\n---\nb"


@pytest.mark.parametrize(
    "body", ["Indented:\n diff --git a b", "----\n--", "From here on\nIndex of it", "a: From: b"]
)
def test_bodies_that_only_look_dangerous(folder: Path, body: str) -> None:
    with_top(folder, f'body = """{body}"""\n')
    assert load_series(folder).recipes[2].body == body


def test_guards(folder: Path) -> None:
    with_top(folder, 'when = { min = "6.1", max = "6.12", has = "virt/kvm" }\n')
    guard = load_series(folder).recipes[2].when
    assert guard == Guard(min="6.1", max="6.12", has=repo_path("virt/kvm"))


@pytest.mark.parametrize("id_", ["a", "A.b-c_d", "0", "k" * 100, "a.locks"])
def test_ids(folder: Path, id_: str) -> None:
    file = folder / "0003-kbuild.toml"
    file.write_text(file.read_text().replace('id = "kbuild"', f'id = "{id_}"'))
    assert load_series(folder).recipes[2].id == id_


def test_digest_is_of_the_recipes_alone(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    assert load_series(folder).digest() == load_series(other).digest()
    (other / "files/rust_foo.rs").write_bytes(b"other")
    assert load_series(folder).digest() != load_series(other).digest()


def test_a_file_is_read_once_however_many_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (folder / "0001-file.toml").read_text()
    for n in range(46):
        (folder / f"1{n:03}-x.toml").write_text(text.replace('id = "file"', f'id = "x{n}"'))
    parsed, loads = list[str](), tomllib.loads

    def counted(text: str) -> dict[str, Any]:
        parsed.append(text)
        return loads(text)

    monkeypatch.setattr(tomllib, "loads", counted)
    load_series(folder)
    hints = _hints.cache_info().misses
    assert len(load_series(folder).recipes) == 50
    assert len(parsed) == 2 * 51
    assert _hints.cache_info().misses == hints, "evaluating annotations takes longest"
