"""The command line: options in, a report printed, an exit code out. No logic.

The only module that prints, exits or reads the environment. A verb's module is imported when the
verb is called, so that `--help` and completion stay fast. Exit codes: 0 done, 1 failed, 2 usage,
3 conflict, 4 a check failed, 5 refused for safety, 70 bug, 130 interrupted.
"""

from __future__ import annotations

import difflib
import gc
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import click

from kpatch_rs import __version__
from kpatch_rs.commands.session import Progress, Session
from kpatch_rs.errors import KpatchError, unexpected
from kpatch_rs.report import FORMAT, SCREEN, Report, Screen, clean

KEPT_ENVIRONMENT = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "TMPDIR", "EMAIL"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"),
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"),
    *("LLVM", "RUSTC", "BINDGEN", "RUST_LIB_SRC", "LIBCLANG_PATH"),
    *("RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "CARGO_HOME"),
)
"""What children may see of the environment; everything else could change what git and make do."""

INTERRUPTED = 130


class Verb(click.Command):
    """A verb; `--json` may stand before it or after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--json", "as_json"],
                is_flag=True,
                expose_value=False,
                callback=lambda ctx, _, given: ctx.find_root().params.update(
                    as_json=given or ctx.find_root().params["as_json"]
                ),
                help="One JSON document on stdout, errors too.",
            )
        )


class Verbs(click.Group):
    """The verbs in the order a newcomer meets them; an unknown one gets a suggestion."""

    command_class = Verb

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they were defined below."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError with the nearest verb."""
        name = args[0]
        if name not in self.commands:
            close = difflib.get_close_matches(name, self.commands, n=1)
            meant = f" Did you mean '{close[0]}'?" if close else ""
            ctx.fail(f"No verb '{name}'.{meant}")
        return super().resolve_command(ctx, args)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kpatch-rs")
@click.option(
    "-k",
    "--kernel",
    envvar="KPATCH_RS_KERNEL",
    metavar="KERNEL",
    help="A kernel's git repository.",
)
@click.option(
    "-s",
    "--series",
    envvar="KPATCH_RS_SERIES",
    metavar="SERIES",
    help="Folder, or name in series/.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout, also on errors."
)
@click.option("-v", "--verbose", is_flag=True, help="Show a traceback with a bug.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.pass_context
def verbs(
    ctx: click.Context,
    kernel: str | None,
    series: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Keep Rust inside C kernel subsystems as recipes: render, rebase, prove, mail.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello rebase v7.2
    """
    home = Path(os.environ.get("HOME") or "/nonexistent")
    ctx.obj = Session(
        kernel=Path(kernel) if kernel else None,
        series=series,
        cwd=Path.cwd(),
        cache=Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "kpatch-rs",
        state=Path(os.environ.get("XDG_STATE_HOME") or home / ".local/state") / "kpatch-rs",
        environment={k: os.environ[k] for k in KEPT_ENVIRONMENT if k in os.environ},
        progress=_progress(ctx, quiet=quiet or as_json),
    )


def _progress(ctx: click.Context, *, quiet: bool) -> Progress:
    """A line on stderr that replaces itself, on a terminal; nothing anywhere else."""
    if quiet or not sys.stderr.isatty():
        return lambda _: None
    from rich.console import Console

    status = Console(stderr=True).status("")
    ctx.with_resource(status)
    return lambda line: status.update(clean(line))


PUT_ON = click.option(
    "--branch", metavar="NAME", help="Where to; default: the last one's, at first kpatch/SERIES."
)
RENDERED_ON = click.option(
    "--branch", metavar="NAME", help="The rendering on this branch; default: the last one."
)


@verbs.command()
@click.option("--keep", metavar="DIR", help="Leave everything in this new folder.")
@click.pass_obj
def demo(session: Session, keep: str | None) -> Report:
    """Show the whole way on an embedded miniature kernel.

    \b
    Example: kpatch-rs demo
    """
    from kpatch_rs.commands import demo as verb

    return verb.run(session, keep=Path(keep) if keep else None)


@verbs.command()
@click.argument("name")
@click.option("--base", metavar="REV", help="The kernel it starts on.")
@click.pass_obj
def init(session: Session, name: str, base: str | None) -> Report:
    """Make an empty series.

    \b
    Example: kpatch-rs init kvm-rust-stats --base v6.12
    """
    from kpatch_rs.commands import init as verb

    return verb.run(session, name, base=base)


@verbs.command()
@click.argument("kind", required=False)
@click.option("--id", "recipe_id", metavar="ID", help="The recipe's id.")
@click.option("--template", metavar="NAME", help="A whole set of recipes: c-module.")
@click.option(
    "--set",
    "values",
    metavar="KEY=VALUE",
    multiple=True,
    help="A key of the edit, or a value of the template; again for a list.",
)
@click.pass_obj
def new(
    session: Session,
    kind: str | None,
    recipe_id: str | None,
    template: str | None,
    values: Sequence[str],
) -> Report:
    """Add a recipe of KIND, or a whole set, to the series.

    \b
    Example: kpatch-rs -s kvm-rust-stats new c-call --id call
    """
    from kpatch_rs.commands import new as verb

    return verb.run(session, kind, id=recipe_id, template=template, values=values)


@verbs.command("import")
@click.argument("range_", metavar="[A..B]", required=False)
@click.option("--quilt", metavar="DIR", help="Folder with a quilt series.")
@click.option("--mbox", metavar="FILE", help="Mails, as git am takes them.")
@click.option("--base", metavar="REV", help="The kernel those are made for.")
@click.pass_obj
def import_(
    session: Session, range_: str | None, quilt: str | None, mbox: str | None, base: str | None
) -> Report:
    """Make a series of existing patches: commits, a quilt series, mails.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-old import v6.12..my-branch
    """
    from kpatch_rs.commands import import_ as verb

    return verb.run(
        session,
        range_,
        quilt=session.cwd / quilt if quilt else None,
        mbox=session.cwd / mbox if mbox else None,
        base=base,
    )


@verbs.command()
@click.option(
    "--onto", metavar="REV", help="Render here; default: the series' base; of --branch, its own."
)
@PUT_ON
@click.option("--dry-run", is_flag=True, help="Say what would become of each step, change nothing.")
@click.pass_obj
def apply(session: Session, onto: str | None, branch: str | None, dry_run: bool) -> Report:
    """Render the series as commits on a branch.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello apply --onto v6.12
    """
    from kpatch_rs.commands import apply as verb

    return verb.run(session, onto=onto, branch=branch, dry_run=dry_run)


@verbs.command()
@click.argument("rev", required=False)
@click.option("--newest-of", metavar="A..B", help="The newest of these kernels that is clean.")
@PUT_ON
@click.option("--check", is_flag=True, help="Prove the steps afterwards.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each step, change nothing.")
@click.option("--range-diff", is_flag=True, help="Add git's range-diff against the last rendering.")
@click.option("--edit", is_flag=True, help="Answer a conflict in a folder, once and for all.")
@click.pass_obj
def rebase(
    session: Session,
    rev: str | None,
    newest_of: str | None,
    branch: str | None,
    check: bool,
    dry_run: bool,
    range_diff: bool,
    edit: bool,
) -> Report:
    """Render the series on REV and make that its base.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello rebase v7.2
             kpatch-rs -k ~/linux -s kvm-rust-hello rebase v7.2 --branch kpatch/hello-7.2
             kpatch-rs -k ~/linux -s kvm-rust-hello rebase --newest-of v7.2..master
    """
    from kpatch_rs.commands import newest
    from kpatch_rs.commands import rebase as verb

    if dry_run and (check or range_diff):
        raise click.UsageError("--check and --range-diff are about commits; --dry-run makes none.")
    how = {"check": check, "dry_run": dry_run, "range_diff": range_diff}
    if newest_of and not rev and not edit:
        return newest.run(session, newest_of, **how, branch=branch)
    if newest_of or not rev:
        raise click.UsageError("Give one of REV and --newest-of A..B; --edit goes with REV.")
    return verb.run(session, rev, **how, edit=edit, branch=branch)


@verbs.command()
@click.option(
    "--dry-run", is_flag=True, help="Show what would become of the files, change nothing."
)
@RENDERED_ON
@click.pass_obj
def refresh(session: Session, dry_run: bool, branch: str | None) -> Report:
    """Put into the recipes what was changed on the branch by hand: amend, rebase -i.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello refresh --dry-run
    """
    from kpatch_rs.commands import refresh as verb

    return verb.run(session, dry_run=dry_run, branch=branch)


@verbs.command()
@click.option("--step", metavar="ID", help="Only this step.")
@click.option("--fresh", is_flag=True, help="Ignore stored verdicts.")
@click.option("--trust", is_flag=True, help="Vouch for this series: building it runs its code.")
@RENDERED_ON
@click.pass_obj
def check(
    session: Session, step: str | None, fresh: bool, trust: bool, branch: str | None
) -> Report:
    """Prove every step with a partial build.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello check
    """
    from kpatch_rs.commands import check as verb

    return verb.run(session, step=step, fresh=fresh, trust=trust, branch=branch)


@verbs.command()
@click.option("-o", "--out", metavar="DIR", default="out", show_default=True, help="Where to.")
@click.option("-v", "--version", metavar="N", type=click.IntRange(1), help="Version of the series.")
@click.option("--force", is_flag=True, help="Write into DIR beside other files.")
@click.option("--unchecked", is_flag=True, help="Write mails of steps that no check has passed.")
@RENDERED_ON
@click.pass_obj
def export(
    session: Session,
    out: str,
    version: int | None,
    force: bool,
    unchecked: bool,
    branch: str | None,
) -> Report:
    """Write the series as mails, after applying them to see that they give the same trees.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello export -o out
    """
    from kpatch_rs.commands import export as verb

    return verb.run(
        session,
        out=session.cwd / out,
        version=version,
        force=force,
        unchecked=unchecked,
        branch=branch,
    )


@verbs.command()
@RENDERED_ON
@click.pass_obj
def status(session: Session, branch: str | None) -> Report:
    """Where the series stands: base, branch, steps, verdicts; and all its branches.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello status
    """
    from kpatch_rs.commands import status as verb

    return verb.run(session, branch=branch)


@verbs.command()
@click.argument("recipe_id", metavar="[ID]", required=False)
@RENDERED_ON
@click.pass_obj
def show(session: Session, recipe_id: str | None, branch: str | None) -> Report:
    """Show the series, or one recipe with its edits and the patch it was rendered as.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello show kbuild
    """
    from kpatch_rs.commands import show as verb

    return verb.run(session, recipe_id, branch=branch)


@verbs.command()
@click.option("-n", "limit", metavar="N", type=click.IntRange(1), help="Only the newest N.")
@click.pass_obj
def log(session: Session, limit: int | None) -> Report:
    """List what was done to the series' branches.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello log
    """
    from kpatch_rs.commands import log as verb

    return verb.run(session, limit=limit)


@verbs.command()
@click.argument("operation", metavar="[OP]", required=False)
@click.pass_obj
def undo(session: Session, operation: str | None) -> Report:
    """Take back the last operation, or OP; undoing an undo does it again.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello undo
    """
    from kpatch_rs.commands import undo as verb

    return verb.run(session, operation)


@verbs.command()
@click.pass_obj
def doctor(session: Session) -> Report:
    """Say what this machine lacks to build Rust in this kernel, and the cure.

    \b
    Example: kpatch-rs -k ~/linux -s kvm-rust-hello doctor
    """
    from kpatch_rs.commands import doctor as verb

    return verb.run(session)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    args = list(sys.argv[1:] if argv is None else argv)
    # A run is short and makes few cycles: collecting less often is a twentieth of it (measured).
    gc.set_threshold(100_000, 50, 50)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    sys.exit(_run(args))


def _stop(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that every `finally` runs, with the signal's own exit code."""
    sys.exit(128 + number)


def _run(args: list[str]) -> int:
    try:
        with verbs.make_context("kpatch-rs", [*args]) as ctx:
            report: Report = verbs.invoke(ctx)
        return _answer(report, as_json=ctx.params["as_json"])
    except click.exceptions.Exit as done:  # --help, --version
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        hint = "see kpatch-rs --help"
        if isinstance(error, click.UsageError) and error.ctx:
            hint = f"see {error.ctx.command_path} --help"
        return _failed(args, error.format_message(), hint, 2)
    except KpatchError as error:
        return _failed(args, error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _failed(args, "interrupted", "", INTERRUPTED)
    except BrokenPipeError:  # `| head`: nobody reads on, and that is fine
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        if {"-v", "--verbose"} & set(itertools.takewhile(lambda a: a not in verbs.commands, args)):
            traceback.print_exc()
        return _failed(args, *unexpected(error))


def _screen() -> Screen:
    """Standard output as a person sees it. NO_COLOR: https://no-color.org."""
    if not sys.stdout.isatty():
        return Screen()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Screen(width=shutil.get_terminal_size().columns, colour=not plain)


def _answer(report: Report, *, as_json: bool) -> int:
    SCREEN.set(_screen())
    text = _document(report.as_json()) if as_json else report.as_text()
    print(text, flush=True)
    return report.exit_code


def _failed(args: list[str], message: str, hint: str, code: int) -> int:
    if "--json" in args:
        print(_document({"error": {"message": message, "hint": hint}, "exit-code": code}))
        return code
    for label, text in (("error", message), ("hint", hint)):
        if text:
            print(f"{label}: {clean(text)}", file=sys.stderr)
    return code


def _document(content: dict[str, Any]) -> str:
    return json.dumps({"format": FORMAT, **content}, indent=2, ensure_ascii=False)
