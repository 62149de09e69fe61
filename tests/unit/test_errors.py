"""What is told of errors that nobody raised on purpose."""

from __future__ import annotations

import pytest

from kpatch_rs.errors import BUG, unexpected


@pytest.mark.parametrize("module", ["kpatch_rs", "kpatch_rs.nothing"])
def test_a_part_of_its_own_that_is_not_there_is_a_bug(module: str) -> None:
    error = ModuleNotFoundError(f"No module named '{module}'", name=module)
    said, hint, code = unexpected(error)
    assert said == f"a bug in kpatch-rs: ModuleNotFoundError: No module named '{module}'"
    assert "report" in hint
    assert code == BUG


def test_a_package_that_is_not_installed_is_none() -> None:
    said, hint, code = unexpected(ModuleNotFoundError("No module named 'x'", name="x"))
    assert said == "the Python package x is not installed, and kpatch-rs needs it"
    assert ".ci/setup" in hint
    assert code == 1
