"""new: whatever it writes loads, and it writes over nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kpatch_rs.cli import main
from kpatch_rs.commands import init, new
from kpatch_rs.commands.session import Session
from kpatch_rs.errors import KpatchError, Refused, Usage
from kpatch_rs.kinds import KINDS
from kpatch_rs.kinds.c_call import CCallEdit
from kpatch_rs.kinds.kconfig import KconfigEdit
from kpatch_rs.loader.load import load_series
from kpatch_rs.model.series import Where

C_MODULE = [
    "module=kvm",
    "file=arch/x86/kvm/Makefile",
    "in=arch/x86/kvm/x86.c",
    "function=kvm_x86_init",
    "after=KVM_X86",
    "entry=KERNEL VIRTUAL MACHINE FOR X86 (KVM/x86)",
]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session(
        kernel=None,
        series="hello",
        cwd=tmp_path,
        cache=tmp_path / "cache",
        state=tmp_path / "state",
        environment={},
        progress=lambda _: None,
    )
    init.run(session, "hello")
    return session


def names(session: Session) -> list[str]:
    folder = session.series_folder()
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_every_kind_loads_at_once(session: Session) -> None:
    for kind in KINDS:
        new.run(session, kind)
    recipes = session.load_series().recipes
    assert [recipe.id for recipe in recipes] == list(KINDS)
    assert [recipe.edits[0].kind for recipe in recipes] == list(KINDS)
    assert recipes[0].where == Where("0001-rust-file.toml", 1)


def test_comments_speak_of_toml(session: Session) -> None:
    for kind in KINDS:
        new.run(session, kind)
    texts = [(session.series_folder() / name).read_text() for name in names(session)]
    comments = [line for text in texts for line in text.splitlines() if line.startswith("#")]
    assert comments
    assert not [line for line in comments if re.search(r"\b(None|True|False)\b", line)]
    assert not [line for line in comments if line != line.rstrip()]


def test_keys_are_explained(session: Session) -> None:
    report = new.run(session, "c-call")
    assert report.written == ("0001-c-call.toml",)
    text = (session.series_folder() / "0001-c-call.toml").read_text()
    edit = text[text.index("[[edit]]") :]
    field_docs = (line for line in edit.splitlines() if line.startswith("#"))
    assert any("expected" in line for line in field_docs)
    assert "# call = …" in edit
    assert '\nfile = "drivers/foo/main.c"\n' in edit


def test_given_values_replace_the_example(session: Session) -> None:
    values = ["file=a/Kconfig", "symbol=A", "depends=B", "depends=C || D", 'prompt=Say "hi"']
    new.run(session, "kconfig", id="sym", values=values)
    edit = session.load_series().recipes[0].edits[0]
    assert isinstance(edit, KconfigEdit)
    assert (edit.file, edit.symbol, edit.depends) == (b"a/Kconfig", "A", ("B", "C || D"))
    assert (edit.prompt, edit.help, edit.after) == ('Say "hi"', "", None)


def test_numbers_and_ids_go_on(session: Session) -> None:
    new.run(session, "kbuild")
    (session.series_folder() / "0001-kbuild.toml").rename(
        session.series_folder() / "0041-kbuild.toml"
    )
    new.run(session, "kbuild")
    new.run(session, "kbuild", id="third")
    assert names(session)[:3] == ["0041-kbuild.toml", "0042-kbuild-2.toml", "0043-third.toml"]


def test_template(session: Session) -> None:
    report = new.run(session, None, template="c-module", values=C_MODULE)
    assert report.written[:2] == ("0001-rust-file.toml", "files/rust_kvm.rs")
    series = load_series(session.series_folder())
    kinds = [
        "rust-file",
        "kconfig",
        "kbuild",
        "c-declare",
        "c-call",
        "rust-analyzer",
        "maintainers",
    ]
    assert [recipe.edits[0].kind for recipe in series.recipes] == kinds
    call = series.recipes[4].edits[0]
    assert isinstance(call, CCallEdit)
    assert (call.function, call.statement) == ("kvm_x86_init", "rust_kvm_init();")
    source = (session.series_folder() / "files/rust_kvm.rs").read_text()
    assert 'b"kvm\\0"' in source, "the prefix is passed to C as a string"
    assert 'pub extern "C" fn rust_kvm_init()' in source
    assert "#[no_mangle]" in source


def test_template_twice(session: Session) -> None:
    """The second one needs other ids and another file; nothing is half done."""
    new.run(session, None, template="c-module", values=C_MODULE)
    before = names(session)
    with pytest.raises(Refused, match=r"the id 'rust-file' is the one of 0001-rust-file\.toml"):
        new.run(session, None, template="c-module", values=C_MODULE)
    other = [*C_MODULE, "function=kvm_x86_exit"]
    with pytest.raises(KpatchError, match=r"files/rust_kvm\.rs is there already"):
        new.run(session, None, id="b", template="c-module", values=other)
    assert names(session) == before
    new.run(session, None, id="b", template="c-module", values=[*other, "name=bye"])
    assert session.load_series().recipes[7].id == "b-rust-file"


@pytest.mark.parametrize(
    ("kind", "options", "said", "hint"),
    [
        ("kbuid", {}, "no kind 'kbuid'", "did you mean 'kbuild'?"),
        (None, {}, "a kind or a template?", "new KIND (rust-file,"),
        ("kbuild", {"template": "c-module"}, "a kind or a template?", "new KIND"),
        (None, {"template": "c-modul"}, "no template 'c-modul'", "did you mean 'c-module'?"),
        ("kbuild", {"values": ["file"]}, "'file' is no KEY=VALUE", "--set file="),
        ("kbuild", {"values": ["fiel=x"]}, "kbuild has no 'fiel'", "did you mean 'file'?"),
        ("kbuild", {"values": ["where=x"]}, "kbuild has no 'where'", "known here"),
        ("kbuild", {"values": ["file=x", "file=y"]}, "'file' is given twice", "one 'file'"),
        (
            None,
            {"template": "c-module", "values": C_MODULE[:4]},
            "c-module needs after, entry too",
            "--set after=…",
        ),
        (
            None,
            {"template": "c-module", "values": [*C_MODULE, "nam=x"]},
            "c-module has no 'nam'",
            "it has: module",
        ),
        (
            None,
            {"template": "c-module", "values": [*C_MODULE, "name=a-b"]},
            "'a-b' cannot be the name of a Rust crate",
            "letters",
        ),
    ],
)
def test_usage(
    session: Session, kind: str | None, options: dict[str, object], said: str, hint: str
) -> None:
    before = names(session)
    with pytest.raises(Usage) as caught:
        new.run(session, kind, **options)  # type: ignore[arg-type]  # as the table above has them
    assert caught.value.message == said
    assert hint in caught.value.hint
    assert names(session) == before


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("kbuild", "file=../x"),
        ("rust-file", "source=../x.rs"),
        ("rust-file", "source=/etc/passwd"),
        ("c-call", "at=nowhere"),
    ],
)
def test_what_would_not_load_is_not_written(session: Session, kind: str, value: str) -> None:
    before = names(session)
    with pytest.raises(KpatchError) as caught:
        new.run(session, kind, values=[value])
    assert caught.value.hint
    assert names(session) == before


def test_nothing_is_written_through_a_link(session: Session, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (session.series_folder() / "files").rmdir()
    (session.series_folder() / "files").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused, match="would leave the series folder"):
        new.run(session, "rust-file")
    assert list((tmp_path / "outside").iterdir()) == []
    assert names(session) == ["cover.txt", "series.toml"]


def test_a_payload_that_is_there_is_kept(session: Session) -> None:
    file = session.series_folder() / "files/rust_foo.rs"
    file.write_bytes(b"mine")
    assert new.run(session, "rust-file").written == ("0001-rust-file.toml",)
    assert file.read_bytes() == b"mine"


def test_command_line(
    session: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(session.cwd)
    monkeypatch.setenv("HOME", str(session.state))
    template = [word for value in C_MODULE for word in ("--set", value)]
    with pytest.raises(SystemExit) as ended:
        main(["-s", "hello", "new", "--template", "c-module", *template, "--json"])
    assert ended.value.code == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 8
