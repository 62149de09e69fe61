"""Cases that no repository should hold as files: links, devices, and a mebibyte of brackets.

Each function is named after its case (with '_' for '-') and gets the series folder.
"""

from __future__ import annotations

import os
from pathlib import Path


def recipe_byte_order_mark(series: Path) -> None:
    _put_before(series / "0003-kbuild.toml", b"\xef\xbb\xbf")


def recipe_not_utf_8(series: Path) -> None:
    (series / "0003-kbuild.toml").write_bytes(b'id = "kbuild"\nsubject = "M\xfcll"\n')


def recipe_utf_16(series: Path) -> None:
    (series / "0003-kbuild.toml").write_bytes('id = "kbuild"\n'.encode("utf-16"))


def recipe_with_nul(series: Path) -> None:
    (series / "0003-kbuild.toml").write_bytes(b'id = "kbuild"\nsubject = "a\0b"\n')


def recipe_with_crlf(series: Path) -> None:
    (series / "0003-kbuild.toml").write_bytes(b'id = "kbuild"\r\nsubject = "a"\r\n')


def recipe_too_deep(series: Path) -> None:
    _put_before(series / "0003-kbuild.toml", b"\nx = " + b"[" * 5000 + b"]" * 5000 + b"\n")


def recipe_key_too_deep(series: Path) -> None:
    _put_before(series / "0003-kbuild.toml", b"a." * 100_000 + b"a = 1\n")


def recipe_number_too_long(series: Path) -> None:
    _put_before(series / "0003-kbuild.toml", b"\n\nversion = " + b"7" * 5000 + b"\n")


def recipe_too_large(series: Path) -> None:
    _put_before(series / "0003-kbuild.toml", b"# padding\n" * 110_000)


def recipe_is_a_folder(series: Path) -> None:
    (series / "0009-folder.toml").mkdir()


def recipe_is_a_fifo(series: Path) -> None:
    os.mkfifo(series / "0009-fifo.toml")


def recipe_link_leaves(series: Path) -> None:
    (series / "0009-link.toml").symlink_to("/etc/passwd")


def recipe_link_to_nothing(series: Path) -> None:
    (series / "0009-link.toml").symlink_to("nowhere.toml")


def recipe_link_loop(series: Path) -> None:
    (series / "0009-link.toml").symlink_to("0009-link.toml")


def recipes_too_many(series: Path) -> None:
    for n in range(2000):
        (series / f"{n:05}-x.toml").touch()


def payload_link_leaves(series: Path) -> None:
    (series / "files/rust_foo.rs").unlink()
    (series / "files/rust_foo.rs").symlink_to("/etc/passwd")


def payload_folder_link_leaves(series: Path) -> None:
    (series / "files/rust_foo.rs").unlink()
    (series / "files").rmdir()
    (series / "files").symlink_to("/etc")


def payload_is_a_fifo(series: Path) -> None:
    (series / "files/rust_foo.rs").unlink()
    os.mkfifo(series / "files/rust_foo.rs")


def payload_is_a_device(series: Path) -> None:
    (series / "files/rust_foo.rs").unlink()
    (series / "files/rust_foo.rs").symlink_to("/dev/zero")


def payload_is_a_folder(series: Path) -> None:
    (series / "files/rust_foo.rs").unlink()
    (series / "files/rust_foo.rs").mkdir()


def payload_too_large(series: Path) -> None:
    with (series / "files/rust_foo.rs").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)


def series_toml_is_a_folder(series: Path) -> None:
    (series / "series.toml").unlink()
    (series / "series.toml").mkdir()


def series_is_a_file(series: Path) -> None:
    series.rename(series.with_name("was"))
    series.touch()


def series_is_not_there(series: Path) -> None:
    series.rename(series.with_name("was"))


def cover_not_utf_8(series: Path) -> None:
    (series / "cover.txt").write_bytes(b"foo: Call Rust\n\nGr\xfc\xdfe\n")


def cover_link_leaves(series: Path) -> None:
    (series / "cover.txt").unlink()
    (series / "cover.txt").symlink_to("/etc/passwd")


def _put_before(file: Path, data: bytes) -> None:
    file.write_bytes(data + file.read_bytes())
