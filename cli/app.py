"""The root of the command line: it finds a command, runs it, and turns how that ended into an exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from ..errors import LeptonError, read_at
from ..escapes import escaped
from ..permissions import DENIED, denied
from .command import DocumentedCommand, shared

SECTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "What happened": ("history", ("log", "versions", "show")),
    "What differs": ("work.comparing", ("diff", "compare", "find", "suggest")),
    "Which to take": ("work.picking", ("pick",)),
    "What must hold": ("work.gating", ("gate",)),
    "Suites": ("work.suites", ("suite",)),
    "Names": ("refs", ("branch", "tag", "alias")),
    "Moving": ("rollback", ("rollback", "merge")),
    "What is known": ("describing", ("models", "metric", "annotate", "describe", "clear", "archive", "unarchive")),
    "What can be trained": ("work.library", ("library",)),
    "Work": ("work.train", ("train", "evaluate")),
    "Judging": ("work.reports", ("report", "card")),
    "Correcting": ("work.correct", ("calibrate", "threshold", "robustness")),
    "Named data": ("work.data", ("data",)),
    "Predicting": ("work.predict", ("predict",)),
    "Files": ("files", ("save", "export", "checkout")),
    "Runs": ("work.runs", ("runs",)),
    "Jobs": ("work.jobs", ("jobs", "logs", "cancel")),
    "Search": ("work.tune", ("tune", "studies")),
    "Building": ("work.build", ("build",)),
    "Chains": ("work.chain", ("chain", "chains")),
    "Evidence": ("evidence", ("sign-head", "prove", "verify")),
    "Asking the ledger": ("query", ("sql", "events", "snapshot")),
    "Keeping the ledger": (
        "maintenance",
        ("init", "sync", "kept", "adopt", "fsck", "rebuild", "forget", "upgrade"),
    ),
    "Running the ledger": (
        "work.processes",
        ("status", "worker", "relay", "projector", "intake", "rejected", "restore"),
    ),
    "Over HTTP": ("work.serving", ("serve",)),
    "Trying it out": ("work.demo", ("demo",)),
    "Who may": ("access", ("token",)),
    "The shell": ("shell", ("completion",)),
}
"""Each section of the help: the module that holds its commands, and their names."""

ASKED: Final = "_LEPTON_COMPLETE"
"""The variable in which a shell asks to have a line completed; click's own name for it."""
USAGE, INTERRUPTED, CLOSED, BUG = 2, 130, 141, 70
"""Exit codes beside those that errors carry: click's own, the shell's (128 + SIGINT, SIGPIPE), that of sysexits.h."""


class Root(click.Group):
    """The group of all commands, each imported only when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for _, names in SECTIONS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> DocumentedCommand | None:  # noqa: ARG002
        for module, names in SECTIONS.values():
            if cmd_name in names:
                return getattr(import_module(f".{module}", __package__), cmd_name.replace("-", "_"))
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            near = get_close_matches(name, known, 1)
            ctx.fail(
                f"there is no command {name!r}; "
                + (f"did you mean {near[0]}?" if near else "`lepton --help` lists them")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, (_, names) in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, _short(self.get_command(ctx, name))) for name in names], col_max=12)

    def main(self, args: Any = None, prog_name: Any = None, *others: Any, **extra: Any) -> NoReturn:
        """Run a command line and exit: 0 done, else as `_told` has it."""
        extra |= {"standalone_mode": False}
        if ASKED in os.environ:
            import_module(".shell", __package__)  # which has click know bash as it is here
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # a terminal that cannot show a message still shows the rest
        with read_at("cli"):
            try:
                code: Any = super().main(args, prog_name or "lepton", *others, **extra)
            except Exception as error:  # noqa: BLE001 - the last one to see it
                code = _told(error)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever read has seen enough
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # else Python flushes once more and complains
            raise click.exceptions.Exit(CLOSED) from None
        return answer


def _short(command: DocumentedCommand | None) -> str:
    return command.get_short_help_str(200) if command else ""


def _told(error: Exception) -> int:
    """Say in one sentence on stderr why a command ended, and return its exit code."""
    match error:
        case click.exceptions.NoArgsIsHelpError():
            click.echo(error.format_message(), err=True)
            return USAGE
        case click.UsageError():
            return _said(_usage(error), USAGE)
        case click.ClickException():
            return _said(_sentence(error.format_message()), error.exit_code)
        case click.Abort():
            return INTERRUPTED
        case LeptonError():
            return _said(str(error), error.exit_code)
        case OSError() if error.errno in DENIED:
            refusal = denied(error, error.filename or "a file", "used")
            return _said(str(refusal), refusal.exit_code)
        case _ if "KeyboardInterrupt" in str(error):  # as pydantic tells one that comes while it builds a class
            return INTERRUPTED
        case _:
            return _bug(error)


def _usage(error: click.UsageError) -> str:
    """What is wrong with a command line, and what to do: our own messages say both."""
    message = _sentence(error.format_message())
    command = error.ctx.command_path if error.ctx else "lepton"
    return message if "; " in message else f"{message}; `{command} --help` shows how"


def _bug(error: Exception) -> int:
    if os.environ.get("LEPTON_DEBUG") == "1":
        traceback.print_exception(error)
        return BUG
    what = f"{type(error).__name__}: {error}".partition("\n")[0]
    return _said(f"this is a fault of Lepton itself ({what}); report it with what LEPTON_DEBUG=1 shows", BUG)


def _said(sentence: str, code: int) -> int:
    click.echo(f"{click.style('lepton:', fg='red', bold=True)} {escaped(sentence)}", err=True)
    return code


def _sentence(message: str) -> str:
    """A message of click's as the end of a sentence."""
    first = message.strip().replace("\n", " ").rstrip(".")
    return first[:1].lower() + first[1:] if first[1:2].islower() else first


@click.group(cls=Root, name="lepton", context_settings={"help_option_names": ["-h", "--help"]})
@shared
@click.version_option(package_name="lepton-ai-sdk", message="%(prog)s %(version)s")
@click.pass_context
def lepton(ctx: click.Context, home: str | None, actor: str | None) -> None:
    """Keep every version of every model, and get back the one that worked.

    REV is a number, a branch, tag or alias, or a digest's first letters, then ~n, ^n or @{...}; where the ledger holds
    several models write MODEL@REV.
    """
    ctx.obj = {"home": home, "actor": actor}
