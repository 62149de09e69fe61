"""init: a series that loads, made whole or not at all; and whose code may run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kpatch_rs.cli import main
from kpatch_rs.commands import init, trust
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.loader.load import load_series


def session(tmp_path: Path, series: str | None = None) -> Session:
    return Session(
        kernel=None,
        series=series,
        cwd=tmp_path / "here",
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment={},
        progress=lambda _: None,
    )


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_by_name(here: Path) -> None:
    report = init.run(session(here.parent), "kvm-rust", base="v6.12")
    assert report.folder == here / "series/kvm-rust"
    assert files(here) == [
        "series",
        "series/kvm-rust",
        "series/kvm-rust/cover.txt",
        "series/kvm-rust/files",
        "series/kvm-rust/series.toml",
    ]
    series = load_series(report.folder)
    assert (series.name, series.base, series.version) == ("kvm-rust", "v6.12", 1)
    assert series.recipes == ()
    assert series.change_id == report.change_id
    assert re.fullmatch(r"20\d{6}-kvm-rust-[0-9a-f]{12}", series.change_id)


def test_by_folder_without_a_base(here: Path) -> None:
    report = init.run(session(here.parent), "deep/er/hello")
    assert report.folder == here / "deep/er/hello"
    assert load_series(report.folder).base == ""


def test_an_empty_folder_is_filled(here: Path) -> None:
    (here / "hello").mkdir()
    assert load_series(init.run(session(here.parent), "./hello").folder).name == "hello"


def test_change_ids_differ(here: Path) -> None:
    one, two = (init.run(session(here.parent), name) for name in ("a/x", "b/x"))
    assert one.change_id != two.change_id


def test_a_folder_with_something_in_it_is_refused(here: Path) -> None:
    (here / "hello").mkdir()
    (here / "hello/mine").write_text("mine")
    with pytest.raises(Refused, match=r"hello is not empty$"):
        init.run(session(here.parent), "./hello")
    assert files(here) == ["hello", "hello/mine"]


def test_the_first_of_two_at_once_has_it(here: Path) -> None:
    """The folder was free when both looked."""
    folder = here / "hello"
    text = init.settings("hello", "", "20261122-hello-3f1c9a7d52e0")
    init.make(folder, text)
    with pytest.raises(Refused, match=r"hello is not empty$"):
        init.make(folder, text)
    assert load_series(folder).name == "hello"
    assert [path.name for path in here.iterdir()] == ["hello"]


def test_a_file_or_a_link_in_the_way_is_refused(here: Path) -> None:
    (here / "file").touch()
    (here / "series").mkdir()
    (here / "series/link").symlink_to("nowhere")
    for name in ("./file", "link"):
        with pytest.raises(Refused, match="is there and is no folder"):
            init.run(session(here.parent), name)
    assert files(here) == ["file", "series", "series/link"]


@pytest.mark.parametrize("name", ["a b", "-x", "a.lock", "a..b", "ä", ".hidden", "x" * 101])
def test_names_no_ref_can_have(here: Path, name: str) -> None:
    with pytest.raises(Usage, match="the series' name: "):
        init.run(session(here.parent), name)
    assert files(here) == []


def test_a_base_that_is_an_option_leaves_nothing(here: Path) -> None:
    with pytest.raises(KpatchError, match="'base': '--force' is no revision"):
        init.run(session(here.parent), "hello", base="--force")
    assert files(here) == ["series"]


def test_who_is_trusted(here: Path, tmp_path: Path) -> None:
    """Below ./series, made here, or vouched for; a copy elsewhere is asked about again."""
    mine = session(tmp_path)
    assert trust.is_trusted(mine, here / "series/any")
    assert not trust.is_trusted(mine, here / "other")
    assert not trust.is_trusted(mine, here / "series/../other")
    made = init.run(mine, "./other").folder
    assert trust.is_trusted(mine, made)
    made.rename(here / "moved")
    assert not trust.is_trusted(mine, here / "moved")
    trust.record(mine, here / "moved")
    assert trust.is_trusted(mine, here / "moved/")


def test_a_link_below_series_is_not_trusted_for_its_place(here: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (here / "series").mkdir()
    (here / "series/foreign").symlink_to(tmp_path / "foreign")
    assert not trust.is_trusted(session(tmp_path), here / "series/foreign")


def test_command_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here.parent / "home"))
    for argv, code in ((["init", "x", "--json"], 0), (["init", "x"], 5), (["init", "a b"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(argv)
        assert ended.value.code == code
        out, err = capsys.readouterr()
        if code:
            assert re.fullmatch(r"error: [^\n]+\nhint: [^\n]+\n", err)
        else:
            assert json.loads(out)["series"] == "x"
