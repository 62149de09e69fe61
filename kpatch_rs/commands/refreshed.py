"""The report of refresh: the differences of the files first, then what became of each recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kpatch_rs.commands.rewriting import FileChange, Plan
from kpatch_rs.model.oid import Oid
from kpatch_rs.model.series import Variant
from kpatch_rs.model.version import show_guard
from kpatch_rs.report import clean, table


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A recipe, and what is new about it."""

    id: str
    file: str
    subject: str
    news: tuple[str, ...]
    """`message`, `edits`, `place`, `new`, `emptied`, `dropped`; none where it is as it was."""
    commit: Oid | None
    """The commit on the branch; None where it has none."""
    variant: Variant | None = None
    """What it is on this kernel; None: its own edits."""

    def note(self) -> str:
        """What became of the variant; empty where nothing did."""
        if self.variant is None or not {"edits", "emptied"} & set(self.news):
            return ""
        meant = show_guard(self.variant.when)
        where = f"{self.id} ({self.variant.where})"
        if "emptied" in self.news:
            return (
                f"{where}: its commit is gone, so the variant {meant} has no edits any more; "
                "elsewhere the recipe stays as it was"
            )
        return f"{where}: the edits are those of the variant {meant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshReport:
    """What a branch had that its series had not."""

    branch: str
    tip: Oid
    dry_run: bool
    rows: tuple[Row, ...] = ()
    """None: nobody edited the branch."""
    apply: str = ""
    """What to type where it is the recipes that changed since they were rendered."""
    files: tuple[FileChange, ...] = ()
    exit_code: int = 0

    @property
    def diff(self) -> str:
        """All differences of the series' files."""
        return "\n".join(change.diff() for change in self.files)

    def as_json(self) -> dict[str, Any]:
        """The recipes in their new order, the files by name, the differences as text."""
        return {
            "branch": self.branch,
            "tip": self.tip,
            "dry-run": self.dry_run,
            "changed": bool(self.files) and not self.dry_run,
            "recipes": [
                {
                    "id": row.id,
                    "file": row.file,
                    "subject": row.subject,
                    "news": list(row.news),
                    "commit": row.commit,
                    "variant": str(row.variant.where) if row.variant else None,
                }
                for row in self.rows
            ],
            "files": [{"was": change.was, "is": change.name} for change in self.files],
            "diff": self.diff,
        }

    def as_text(self) -> str:
        """The diff, a line a recipe, and the sum."""
        if not self.rows:
            apply = f"; the recipes changed since: {self.apply}" if self.apply else ""
            return f"nothing to refresh: {self.branch} is as rendered{apply}"
        rows = [
            (row.id, ", ".join(row.news) or "as it was", (row.commit or "")[:12], row.file)
            for row in self.rows
        ]
        blocks = [clean(self.diff)] if self.files else []
        blocks.append(table(("recipe", "refreshed", "commit", "file"), rows))
        blocks += [clean(note) for row in self.rows if (note := row.note())]
        return "\n\n".join([*blocks, self._sum()])

    def _sum(self) -> str:
        counts = Counter(_fate(row) for row in self.rows)
        told = ", ".join(f"{counts[fate]} {fate}" for fate in _FATES if counts[fate])
        said = told or "no recipe is concerned"
        if self.dry_run:
            return f"{said}. Dry run: nothing was changed."
        return f"{said}; {self.branch} stays at {self.tip[:12]}, and is what the recipes say."


def report_of(plan: Plan, branch: str, tip: Oid, *, dry_run: bool) -> RefreshReport:
    """What was found, in the new order; what was dropped, last."""
    rows = [_row(plan, id_) for id_ in plan.order]
    rows += [
        Row(id=r.id, file=r.where.file, subject=r.subject, news=("dropped",), commit=None)
        for r in plan.old
        if r.id not in plan.files
    ]
    return RefreshReport(
        branch=branch, tip=tip, dry_run=dry_run, rows=tuple(rows), files=tuple(plan.changes())
    )


def _row(plan: Plan, id_: str) -> Row:
    old = next((recipe for recipe in plan.old if recipe.id == id_), None)
    revised = plan.revised.get(id_)
    recipe = revised.recipe if revised else old
    news = revised.news if revised else ()
    if old and old.where.file != plan.files[id_]:
        news = (*news, "place")
    return Row(
        id=id_,
        file=plan.files[id_],
        subject=recipe.subject if recipe else "",
        news=news,
        commit=revised.commit if revised else None,
        variant=revised.variant if revised else None,
    )


_FATES = ("changed", "new", "emptied", "dropped", "moved")


def _fate(row: Row) -> str:
    if not row.news:
        return ""
    if row.news == ("place",):
        return "moved"
    return row.news[0] if row.news[0] in ("new", "emptied", "dropped") else "changed"
