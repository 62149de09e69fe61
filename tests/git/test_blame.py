"""Who changed an anchor, on small histories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kpatch_rs.gitio.repository import Repository
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.path import repo_path
from tests.repos import Surroundings

PATH = repo_path("arch/x86/kvm/x86.c")


def committed(around: Surroundings, kernel: Path, subject: str, **files: bytes | None) -> str:
    for name, data in files.items():
        file = kernel / (PATH.decode() if name == "x86" else f"{name}.c")
        file.unlink() if data is None else file.write_bytes(data)
    around.git(kernel, "add", "-A")
    around.git(kernel, "commit", "-q", "--allow-empty", "-m", subject)
    return around.git(kernel, "rev-parse", "HEAD")


def asked(
    around: Surroundings, kernel: Path, old: str, new: str, text: str, seconds: float = 60
) -> tuple[list[str], bool]:
    with Repository.open(kernel, around.environment) as repository:
        ends = (repository.resolve(old), repository.resolve(new))
        blame = repository.blame(*ends, seconds)
        return [c.subject for c in blame.commits(PATH, text)], blame.late


def test_who_took_it_away(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    kernel = kernel_repo()
    committed(around, kernel, "Touch it", x86=b"int kvm_init(void)\n{\n\treturn 1;\n}\n")
    gone = committed(around, kernel, "Rename it", x86=b"int kvm_start(void)\n{\n\treturn 1;\n}\n")
    committed(around, kernel, "Another file", other=b"kvm_init\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init") == (["Rename it"], False)
    assert asked(around, kernel, "master", "v6.12.1", "kvm_init") == (["Rename it"], False), "back"
    assert asked(around, kernel, gone, "master", "kvm_init") == ([], False)
    assert asked(around, kernel, "v6.12.1", "master", "-e.*") == ([], False), "text, no option"
    with Repository.open(kernel, around.environment) as repository:
        blame = repository.blame(repository.resolve("v6.12.1"), repository.resolve("master"), 60)
        (commit,) = blame.commits(PATH, "kvm_init")
    assert (commit.commit, commit.date) == (Oid(gone), "2023-11-14")


def test_who_changed_the_function(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    kernel = kernel_repo()
    twin = b"\nint kvm_exit(void)\n{\n\treturn %d;\n}\n"
    body = b"int kvm_init(void)\n{\n\treturn %d;\n}\n"
    committed(around, kernel, "Begin", x86=body % 0 + twin % 0)
    start = around.git(kernel, "rev-parse", "HEAD")
    committed(around, kernel, "Change it", x86=body % 1 + twin % 0)
    committed(around, kernel, "Change its neighbour", x86=body % 1 + twin % 1)
    assert asked(around, kernel, start, "master", "kvm_init") == (["Change it"], False)
    assert asked(around, kernel, start, "master", "kvm_none") == ([], False)


def test_a_file_that_went(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    kernel = kernel_repo()
    committed(around, kernel, "Touch it", x86=b"int kvm_init(void)\n{\n\treturn 1;\n}\n")
    committed(around, kernel, "Drop it", x86=None)
    assert asked(around, kernel, "v6.12.1", "master", PATH.decode())[0] == ["Drop it"]


def test_no_more_than_three(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    kernel = kernel_repo()
    for number in range(5):
        committed(around, kernel, f"Call {number}", x86=b"kvm_init();\n" * (number + 2))
    found = asked(around, kernel, "v6.12.1", "master", "kvm_init")[0]
    assert found == ["Call 4", "Call 3", "Call 2"]


def test_kernels_with_no_history_in_common(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    kernel = kernel_repo()
    around.git(kernel, "checkout", "-q", "--orphan", "apart")
    committed(around, kernel, "Apart", x86=b"nothing\n")
    assert asked(around, kernel, "v6.12.1", "apart", "kvm_init") == ([], False)


def test_the_time_is_bounded(kernel_repo: Callable[..., Path], around: Surroundings) -> None:
    kernel = kernel_repo()
    committed(around, kernel, "Rename it", x86=b"int kvm_start(void)\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init", seconds=0) == ([], True)


def test_attributes_and_settings_do_not_show(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    kernel = kernel_repo()
    for setting in ("log.showSignature=true", "log.follow=true", "color.ui=always"):
        around.git(kernel, "config", *setting.split("="))
    committed(around, kernel, "Rename \x1b[31m it", x86=b"int kvm_start(void)\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init")[0] == ["Rename \x1b[31m it"]


def test_where_a_shallow_clone_ends_nobody_is_blamed(
    kernel_repo: Callable[..., Path], around: Surroundings, tmp_path: Path
) -> None:
    """One line is cut off, the other reaches back to the old kernel."""
    kernel = kernel_repo()
    around.git(kernel, "checkout", "-q", "-b", "side")
    cut = committed(around, kernel, "Name it twice", x86=b"kvm_init, kvm_init\n")
    around.git(kernel, "checkout", "-q", "master")
    committed(around, kernel, "Go on", other=b"")
    around.git(kernel, "merge", "-q", "-m", "Merge", "side")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init")[0] == ["Name it twice"]
    (kernel / ".git/shallow").write_text(f"{cut}\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init") == ([], False)


def test_a_commit_that_brings_a_whole_kernel_says_nothing(
    kernel_repo: Callable[..., Path], around: Surroundings
) -> None:
    """Kernels from packages are a commit each: who took one line of it away, it does not tell."""
    kernel = kernel_repo()
    version = b"VERSION = 7\nPATCHLEVEL = %d\nSUBLEVEL = 0\n"
    (kernel / "Makefile").write_bytes(version % 1)
    committed(around, kernel, "Linux 7.1", x86=b"int kvm_start(void)\n{\n}\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_init") == ([], False)
    (kernel / "Makefile").write_bytes(version % 1 + b"# more\n")
    committed(around, kernel, "Rename it again", x86=b"int kvm_run(void)\n{\n}\n")
    assert asked(around, kernel, "v6.12.1", "master", "kvm_start")[0] == ["Rename it again"]
