"""What the tree's own scripts say: rust-analyzer's crates, the maintainers of a file."""

from __future__ import annotations

from kpatch_rs.build.artifacts import crate_roots
from kpatch_rs.build.failure import Failure, failure
from kpatch_rs.build.make import child_environment, target
from kpatch_rs.build.process import run
from kpatch_rs.build.sight import Sight
from kpatch_rs.model.path import show
from kpatch_rs.model.proof import AnalyzerLists, Maintained

_SCRIPT_SECONDS = 120.0


def analyzer_lists(sight: Sight, proof: AnalyzerLists) -> None:
    """The crates stand in the rust-project.json that the tree makes."""
    workspace, case = sight.workspace, sight.case
    project = workspace.out / "rust-project.json"
    project.unlink(missing_ok=True)
    ran = workspace.ask("rust-analyzer")
    if not ran.ok:
        failed = failure("rust-analyzer", ran, workspace.make)
        return case.gap(sight.no_rust) if sight.no_rust else case.fail(failed)
    try:
        roots = crate_roots(project, workspace.tree)
    except (OSError, ValueError) as error:
        reason = f"rust-project.json cannot be read: {error}"
        return case.fail(Failure(target="rust-analyzer", reason=reason))
    if absent := [show(r) for r in proof.roots if show(r) not in roots]:
        reason = f"rust-project.json lacks {', '.join(absent)}"
        hint = (
            "see that scripts/generate_rust_analyzer.py covers the folder and a Makefile lists it"
        )
        return case.fail(Failure(target="rust-analyzer", reason=reason, hint=hint))
    named = ", ".join(show(r) for r in proof.roots) or "it runs; no crate stands there yet"
    return case.show(f"rust-project.json: {named}")


def maintained(sight: Sight, proof: Maintained) -> None:
    """The answer must not depend on the user's ~/.get_maintainer.conf nor on git history."""
    workspace, path = sight.workspace, target(proof.path)
    script = "scripts/get_maintainer.pl"
    try:
        ran = run(
            ["perl", script, "--no-git", "--no-git-fallback", "--sections", "-f", path],
            cwd=workspace.tree,
            environment=child_environment(workspace.make.environment)
            | {"HOME": str(workspace.out)},
            timeout=_SCRIPT_SECONDS,
        )
    except FileNotFoundError:
        return sight.case.gap("no perl")
    if ran.ok and proof.section in (line.strip() for line in ran.text.splitlines()):
        return sight.case.show(f"get_maintainer.pl names '{proof.section}' for {path}")
    failed = failure(script, ran, workspace.make)
    reason = f"get_maintainer.pl does not name '{proof.section}' for {path}"
    return sight.case.fail(
        Failure(target=script, reason=reason, errors=failed.errors, passing=failed.passing)
    )
