"""`save`, `export`: versions from safetensors files, and safetensors files from versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from ..models.tensor_file import read_tensors, write_tensors
from ..results import PendingVersion
from ..results.description import Block, number, text
from ..results.figures import count
from .command import Session, command, keyed
from .shapes import VERSION

EXPORTED: Final = {"version": VERSION, "file": "text", "tensors": "number"}


@command(
    VERSION | {"version": "number?", "digest": "digest?", "key?": "text"},
    "lepton save net.safetensors --model net",
    "lepton save net.safetensors --model net --branch trial -m 'from the cluster'",
)
@click.argument("file")
@click.option("--model", required=True, metavar="NAME", help="The model that gets the version.")
@click.option("--branch", default="main", show_default=True, metavar="NAME", help="The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What was done.")
@keyed
def save(session: Session, file: str, model: str, branch: str, message: str, key: str | None) -> None:
    """Keep the tensors of a safetensors file as the next version of a branch."""
    tensors = read_tensors(Path(file))
    with session.waiting("saving"), session.noted() as news:
        made = session.manager.save_version(tensors, name=model, branch=branch, message=message, key=key)
    blank: dict[str, Any] = {"key": None}
    session.answer(blank | made.to_dict(), _saved(made, branch, new=news()))


@command(EXPORTED, "lepton export credit@main -o credit.safetensors")
@click.argument("rev", default="main")
@click.option("-o", "--output", required=True, metavar="FILE", help="The file, written whole or not at all.")
def export(session: Session, rev: str, output: str) -> None:
    """Write a version's tensors to a safetensors file; without REV those of the head of main."""
    manager = session.manager
    version = manager.show(rev).version
    with session.waiting("exporting"):
        tensors = manager.load_tensors(f"{version.model}@{version}")
        write_tensors(
            tensors, Path(output), {"model": version.model, "version": str(version), "digest": version.digest}
        )
    answer = {"version": version.to_dict(), "file": output, "tensors": len(tensors)}
    session.answer(answer, f"{count(len(tensors), 'tensor')} of version {version} of {version.model} in {output}")


def _saved(made: Any, branch: str, *, new: bool) -> Block:
    if isinstance(made, PendingVersion):
        return text(f"the version of {made.model} on {branch} waits in the spool; `lepton sync` tells the ledger")
    words = "has version " if new else "holds that already, as version "
    return text(f"{made.model} on {branch} {words}", number(made))
