"""`library`: the classes that can be trained, each with its card."""

from __future__ import annotations

import click

from ...results import Library
from ...results.shapes.library import LIBRARY
from ..command import Session, command, importing


def _names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    from ...models.registry import OWN

    return [name for name in OWN if name.startswith(incomplete)]


@command(LIBRARY, "lepton library", "lepton library table-model")
@click.argument("name", required=False, metavar="[NAME]", shell_complete=_names)
@importing
def library(session: Session, name: str | None) -> None:
    """List the classes that can be trained, or show the whole card of one by its NAME.

    A card says what a class reads, how large it is, where it comes from, under which licence, what it is good at and
    where it should not be used; with NAME also its hyperparameters, their defaults, what each may be and what is
    searched. Of a server they are the classes that the server has.
    """
    manager = session.manager
    if name is None:
        shown = manager.library()
        session.answer(shown.to_dict(), shown)
    else:
        entry = manager.library(name)
        session.answer(Library([entry]).to_dict(), entry)
