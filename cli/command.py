"""What every command has in common: its options, its session with the ledger, and how it answers."""

from __future__ import annotations

import functools
import gc
import logging
import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Timer
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from ..errors import Refused
from ..escapes import escaped
from ..results import Shown
from ..results.description import Block, Grid, Text
from ..results.figures import encoded
from ..results.render import screen, terminal
from ..results.words import FOUND, of_locale

if TYPE_CHECKING:
    from ..manager import ModelManager
    from ..wiring import Home

Shape = Mapping[str, Any]
"""The object that `--json` prints, with words for its values; docs/cli.md says what they mean."""
F = TypeVar("F", bound=Callable[..., Any])

LOG: Final = logging.getLogger("lepton")
PATIENCE: Final = 1.0
"""Seconds before something on a terminal shows that work goes on."""


class DocumentedCommand(click.Command):
    """A command that says what its `--json` prints, and gives examples that the tests run."""

    answer: Shape
    examples: tuple[str, ...]

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


class Repeats(logging.Filter):
    """Lets a sentence pass once in a while: what is away is tried again more often than anybody wants to read of it."""

    EVERY: Final = 30.0

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it was not said within the last half minute."""
        name = record.name, record.getMessage()
        if record.created - self._said.get(name, 0.0) < self.EVERY:
            return False
        if len(self._said) > 100:
            self._said.clear()
        self._said[name] = record.created
        return True


def colourful() -> bool:
    """Whether stdout shows colours: a terminal, unless NO_COLOR (no-color.org) or TERM=dumb says otherwise."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@dataclass
class Session:
    """What a command works with: the ledger, and the terminal or program that it answers."""

    home: str | None
    actor: str | None
    as_json: bool
    colour: bool = field(default_factory=colourful)
    logged: logging.Handler = field(default_factory=logging.StreamHandler)
    """What the ledger logs, such as that it makes a new home, goes to stderr."""

    @cached_property
    def manager(self) -> ModelManager:
        """The ledger's door, opened on first use."""
        self._log()
        from ..manager import ModelManager

        gc.enable()
        return ModelManager(self.home, actor=self.actor)

    @property
    def is_remote(self) -> bool:
        """Whether the ledger is a server's."""
        from ..home import is_url

        return is_url(self.home or os.environ.get("LEPTON_HOME", ""))

    @cached_property
    def parts(self) -> Home:
        """The ledger's parts, for the processes that keep it running. `Refused` where it is a server's."""
        if self.is_remote:
            name = click.get_current_context().info_name
            raise Refused(f"`lepton {name}` belongs on the ledger's own machine; run it there, with --home its folder")
        self._log()
        from .. import settings
        from ..wiring import Home

        gc.enable()
        loaded = settings.load(self.home, actor=self.actor)
        if loaded.log_as_json:
            from .work.observing import JsonLines

            self.logged.setFormatter(JsonLines())
        return Home(loaded)

    def _log(self) -> None:
        """Have what is logged go to stderr; once, whichever of the ledger's doors is opened first."""
        if self.logged in LOG.handlers:
            return
        self.logged.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        self.logged.addFilter(Repeats())
        LOG.addHandler(self.logged)
        LOG.setLevel(logging.INFO)
        # it says at every try what Lepton says once, in a sentence
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

    def close(self) -> None:
        """Give back what of the ledger was opened."""
        for opened in ("manager", "parts"):
            if opened in vars(self):
                getattr(self, opened).close()
        LOG.removeHandler(self.logged)

    def answer(self, answer: Mapping[str, Any], shown: Shown | Block | Iterable[Block]) -> None:
        """Print an answer: one JSON object, or what is shown to people."""
        if self.as_json:
            click.echo(encoded(answer))
        else:
            self.show(shown)

    def show(self, shown: Shown | Block | Iterable[Block], *, err: bool = False) -> None:
        """Print lines and tables to stdout, or to stderr, which then has no colours but a terminal's."""
        blocks = shown.blocks() if isinstance(shown, Shown) else shown
        room = screen(sys.stderr if err else sys.stdout)
        for line in terminal([blocks] if isinstance(blocks, str | Text | Grid) else blocks, room):
            click.echo(line, err=err, color=None if err else self.colour)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask on a terminal before something happens; elsewhere only `--yes` will do."""
        if yes:
            return
        self.confirmable()
        if not click.confirm(escaped(question), err=True):
            raise Refused("nothing was changed; you said no")

    def confirmable(self) -> None:
        """Raise a usage error where there is no terminal to ask on."""
        if not sys.stdin.isatty():
            here = click.get_current_context()
            raise click.UsageError(f"without a terminal to ask on, {here.info_name} needs --yes; add it if sure", here)

    @contextmanager
    def noted(self) -> Generator[Callable[[], bool]]:
        """Whether what is done within it was news to the ledger, or stood there already."""
        from ..versions.news import noted

        with noted() as news:
            yield news

    @contextmanager
    def waiting(self, words: str) -> Generator[Callable[[int, int], None]]:
        """Show on a terminal that work goes on, once it has gone on for a second, and how far, where it tells that."""
        if not sys.stderr.isatty():
            yield lambda _done, _of: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TimeRemainingColumn

        columns = (SpinnerColumn(), words, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        bar = Progress(*columns, console=Console(stderr=True), transient=True)
        work = bar.add_task(words, total=None)
        timer = Timer(PATIENCE, bar.start)
        timer.daemon = True
        timer.start()
        try:
            yield lambda done, of: bar.update(work, completed=done, total=of)
        finally:
            timer.cancel()
            bar.stop()


def shared(function: F) -> F:
    """The options that may stand before a command's name or after it."""
    home = click.option("--home", metavar="FOLDER", help="The ledger's folder, instead of LEPTON_HOME or .lepton.")
    actor = click.option("--actor", metavar="NAME", help="Who acts, instead of LEPTON_ACTOR or the login.")
    return home(actor(function))


def importing(function: F) -> F:
    """The option that names modules of the user's own, imported before anything else is done."""

    def take(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> None:
        if names:
            from ..models.imports import import_modules

            import_modules(names)

    return click.option(
        "--import",
        "modules",
        multiple=True,
        metavar="MODULE",
        expose_value=False,
        callback=take,
        help="A module of yours that registers classes or metrics, from this folder or Python's path; may be repeated. "
        "LEPTON_IMPORT names some for every command.",
    )(function)


def keyed(function: F) -> F:
    """The option of a command that records something."""
    return click.option(
        "--key", metavar="KEY", help="A name of your own for this act: sent again under it, it happens once."
    )(function)


def _import_named() -> None:
    from ..models.imports import import_modules, named_in

    import_modules(named_in())


def command(answer: Shape, *examples: str) -> Callable[[Callable[..., None]], DocumentedCommand]:
    """Make a function of a session and its own options a command."""

    def made(function: Callable[..., None]) -> DocumentedCommand:
        @functools.wraps(function)
        def run(home: str | None, actor: str | None, as_json: bool, **options: Any) -> None:
            above = cast("dict[str, str | None]", click.get_current_context().obj or {})
            session = Session(home or above.get("home"), actor or above.get("actor"), as_json)
            spoken = FOUND.set(of_locale())
            try:
                if os.environ.get("LEPTON_IMPORT"):
                    _import_named()
                function(session, **options)
            finally:
                FOUND.reset(spoken)
                session.close()

        as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
        made = click.command(function.__name__.replace("_", "-"), cls=DocumentedCommand)(as_json(shared(run)))
        made.params.sort(key=lambda param: param.name in ("as_json", "home", "actor"))  # what all share comes last
        made.answer, made.examples = answer, examples
        return made

    return made
