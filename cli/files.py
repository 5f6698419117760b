"""`save`, `export`, `checkout`: versions from safetensors files and folders, and these from versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from ..models.tensor_file import read_tensors
from ..results import PendingVersion
from ..results.description import Block, joined, number
from ..results.figures import count
from ..results.shapes.names import VERSION
from ..results.words import say
from .command import Session, command, keyed
from .completion import models, revisions
from .revision import branch_option

EXPORTED: Final = {"version": VERSION, "file": "text", "tensors": "number"}
CHECKED_OUT: Final = {"version": VERSION, "folder": "text", "tensors": "number", "files": "number"}


@command(
    VERSION | {"version": "number?", "digest": "digest?", "key?": "text"},
    "lepton save net.safetensors --model net",
    "lepton save net.safetensors --model net --branch trial -m 'from the cluster'",
)
@click.argument("file", metavar="FILE|FOLDER")
@click.option(
    "--model", metavar="NAME", shell_complete=models, help="The model that gets the version; a FOLDER names its own."
)
@branch_option("The branch that gets the version.")
@click.option("-m", "--message", default="", metavar="TEXT", help="What was done.")
@keyed
def save(session: Session, file: str, model: str | None, branch: str, message: str, key: str | None) -> None:
    """Keep the tensors of a safetensors file, or what `lepton checkout` wrote, as the next version of a branch.

    Of a FOLDER also its architecture, hyperparameters, settings, data schema and files are kept, never its figures: who
    trusts them records them anew.
    """
    from ..versions.export.checkout import read

    made: dict[str, Any] = {}
    if Path(file).is_dir():
        found = read(Path(file))
        model, tensors, made = model or found.model, found.tensors, found.made | {"files": found.files}
    elif model is None:
        raise click.UsageError("a file says not whose version it is; name the model with --model")
    else:
        tensors = read_tensors(Path(file))
    with session.waiting("saving"), session.noted() as news:
        version = session.manager.save_version(tensors, name=model, branch=branch, message=message, key=key, **made)
    blank: dict[str, Any] = {"key": None}
    session.answer(blank | version.to_dict(), _saved(version, branch, new=news()))


@command(EXPORTED, "lepton export credit@main -o credit.safetensors")
@click.argument("rev", default="main", shell_complete=revisions)
@click.option("-o", "--output", required=True, metavar="FILE", help="The file, written whole or not at all.")
def export(session: Session, rev: str, output: str) -> None:
    """Write a version's tensors to a safetensors file; without REV those of the head of main."""
    with session.waiting("exporting"):
        version = session.manager.export(rev, output)
    tensors = len(session.manager.show(f"{version.model}@{version}").tensors)
    answer = {"version": version.to_dict(), "file": output, "tensors": tensors}
    names = {"version": version, "model": version.model, "file": output, "tensors": count(tensors, "tensor")}
    session.answer(answer, say("{tensors} of version {version} of {model} in {file}", **names))


@command(CHECKED_OUT, "lepton checkout production approved")
@click.argument("rev", shell_complete=revisions)
@click.argument("folder", type=click.Path())
@click.option("--force", is_flag=True, help="Into a folder that holds something, too; other files in it stay.")
def checkout(session: Session, rev: str, folder: str, force: bool) -> None:
    """Write a version to a folder that is read without Lepton: its tensors, its recipe and a README that says how.

    model.safetensors holds the tensors, recipe.json the architecture, hyperparameters, data schema, environment,
    parents and provenance, files/ what was kept beside. The version's digest is proved over the bytes as they were
    written. `lepton save FOLDER` takes it back, here or into another ledger.
    """
    from ..versions.export.checkout import FILES, RECIPE, WEIGHTS

    with session.waiting("checking out"):
        version = session.manager.checkout(rev, folder, force=force)
    record = session.manager.show(f"{version.model}@{version}")
    answer = {
        "version": version.to_dict(),
        "folder": folder,
        "tensors": len(record.tensors),
        "files": len(record.files),
    }
    beside = [say("{files} in {folder}", files=count(len(record.files), "file"), folder=FILES)] if record.files else []
    names = {"version": version, "model": version.model, "folder": folder}
    files = joined(", ", (WEIGHTS, RECIPE, *beside))
    session.answer(answer, say("version {version} of {model} is in {folder}: {files}", **names, files=files))


def _saved(made: Any, branch: str, *, new: bool) -> Block:
    if isinstance(made, PendingVersion):
        waits = "the version of {model} on {branch} waits in the spool; `lepton sync` tells the ledger"
        return say(waits, model=made.model, branch=branch)
    has = (
        "{model} on {branch} has version {version}"
        if new
        else "{model} on {branch} holds that already, as version {version}"
    )
    return say(has, model=made.model, branch=branch, version=number(made))
