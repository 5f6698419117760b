"""Completion: the models, revisions, branches, aliases, jobs and runs that a word on the command line may become."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from ..domain.model.state import ModelState
    from ..versions.workspace import Workspace

Names = Callable[["Workspace", click.Context, str], Iterable[str]]
Complete = Callable[[click.Context, click.Parameter, str], list[str]]

PATIENCE: Final = 0.3
"""Seconds that a ledger is waited for: whoever presses a key waits for the answer."""
MOST: Final = 50
"""Jobs, runs and numbers that are proposed."""


def completing(names: Names) -> Complete:
    """Make names of the ledger what click asks for. What goes wrong is silent: its place would be the prompt."""

    @functools.wraps(names)
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
        try:
            with _ledger(ctx) as workspace:
                return [name for name in names(workspace, ctx, incomplete) if name.startswith(incomplete)]
        except Exception:  # noqa: BLE001
            return []

    return complete


@completing
def models(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Names of models."""
    return workspace.models()


@completing
def data_names(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Names that data goes by."""
    return [stream.removeprefix("data/") for stream in workspace.ledger.store.streams("data/")]


@completing
def suites(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Names of suites."""
    return [stream.removeprefix("suite/") for stream in workspace.ledger.store.streams("suite/")]


@completing
def revisions(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:
    """Branches, aliases, tags and numbers of the model that is named, or of the only one; else models. Also of A..B."""
    before, dots, last = incomplete.rpartition("..")
    model, at, rest = last.rpartition("@")
    known = [model] if at else _models(workspace, ctx)
    if len(known) != 1:
        yield from (f"{before}{dots}{name}@" for name in known)
        return
    state = workspace.model(known[0])
    shown = {**state.live("branch"), **state.live("alias"), **state.tags}
    yield from (f"{before}{dots}{model}{at}{name}" for name in sorted(shown))
    if rest.isdecimal():
        numbers = [str(number) for number in range(len(state.versions), 0, -1)]
        yield from (f"{before}{dots}{model}{at}{number}" for number in numbers[:MOST])


@completing
def branches(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Branches of the model that is named, or of all."""
    return sorted({name for state in _states(workspace, ctx) for name in state.live("branch")})


@completing
def aliases(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Aliases of the model that is named, or of all."""
    return sorted({name for state in _states(workspace, ctx) for name in state.live("alias")})


@completing
def tags(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Tags of the model that is named, or of all."""
    return sorted({name for state in _states(workspace, ctx) for name in state.tags})


@completing
def jobs(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Ids of jobs, the newest first."""
    return _ids(workspace, "job/", incomplete)


@completing
def runs(workspace: Workspace, ctx: click.Context, incomplete: str) -> Iterable[str]:  # noqa: ARG001
    """Ids of runs, the newest first."""
    return _ids(workspace, "run/", incomplete)


@contextmanager
def _ledger(ctx: click.Context) -> Generator[Workspace]:
    """The ledger that the command would be about, opened without a word and with little patience."""
    logging.disable()
    os.environ["LEPTON_WAIT"] = str(PATIENCE)
    from .. import settings
    from ..wiring import Home

    homes = (each.params.get("home") for each in (ctx, ctx.parent) if each is not None)
    home = Home(settings.load(next(filter(None, homes), None)))
    try:
        home.seek()
        yield home.workspace
    finally:
        home.close()


def _models(workspace: Workspace, ctx: click.Context) -> list[str]:
    named = ctx.params.get("model")
    return [named] if isinstance(named, str) else workspace.models()


def _states(workspace: Workspace, ctx: click.Context) -> list[ModelState]:
    return [workspace.model(name) for name in _models(workspace, ctx)]


def _ids(workspace: Workspace, prefix: str, incomplete: str) -> list[str]:
    streams = workspace.ledger.store.streams(prefix)
    ids = (stream.removeprefix(prefix) for stream in reversed(streams))
    return [id for id in ids if id.startswith(incomplete)][:MOST]
