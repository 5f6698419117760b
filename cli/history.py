"""`log`, `show`: what happened to a model, and all that one version recorded."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import click

from ..results import Log, LogEntry, VersionRecord
from .command import Session, command
from .graph import Row, draw
from .revision import of_model
from .shapes import ENTRY, METRICS, VERSION
from .text import arrow, columns, count, dim, figure, headline, names, section, short, size, title, version, when, width

TENSOR: Final = {"name": "text", "dtype": "text", "shape": ["number"], "bytes": "number", "digest": "digest"}


@command(
    {"model": "text", "entries": [ENTRY]},
    "lepton log",
    "lepton log risk --graph -n 20",
    "lepton log main~2..main",
    "lepton log 'main@{1}'",
)
@click.argument("rev", required=False, metavar="[REV|A..B]")
@click.option("--graph", is_flag=True, help="Draw how the versions come from each other.")
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N entries only.")
@click.option("--model", metavar="NAME", help="The model, where the ledger holds several.")
def log(session: Session, rev: str | None, graph: bool, limit: int | None, model: str | None) -> None:
    """Show a model's history, newest first.

    Of a branch all of its past, of another revision what it comes from, of A..B what B comes from and A does not.
    Beside the versions stand the moves of branches and aliases: rollbacks, promotions, what was opened and given up.
    """
    found = session.manager.log(of_model(rev, model), model=model)
    found = replace(found, entries=found.entries[:limit])
    if session.as_json or len(found) < shutil.get_terminal_size().lines or not session.colour:
        session.answer(found.to_dict(), lambda: _log(found, graph))
    else:
        click.echo_via_pager("\n".join(_log(found, graph)) + "\n", color=True)


@command(
    {
        "version": VERSION,
        "seq": "number",
        "time": "time",
        "actor": "text",
        "message": "text",
        "description": "text",
        "tags": ["text"],
        "branches": ["text"],
        "aliases": ["text"],
        "hyperparameters": {"NAME": "any"},
        "architecture": {"NAME": "any"},
        "settings": {"NAME": "any"},
        "data": "any",
        "derivation": "any",
        "environment": {"NAME": "any"},
        "code": {"NAME": "any"},
        "metrics": METRICS,
        "annotations": {"NAME": "any"},
        "files": [{"name": "text", "digest": "digest", "bytes": "number"}],
        "tensors": [TENSOR],
        "parameters": "number",
        "bytes": "number",
        "keyframe": "true or false",
        "delta": "any",
        "run": "text?",
    },
    "lepton show",
    "lepton show production",
    "lepton show main~1 --json",
)
@click.argument("rev", default="main")
def show(session: Session, rev: str) -> None:
    """Show all that a version recorded; without REV the head of main."""
    found = session.manager.show(rev)
    session.answer(found.to_dict() | {"version": found.version.to_dict()}, lambda: _show(found))


def _log(found: Log, graph: bool) -> Iterator[str]:
    """One line an entry; its columns align over the whole log."""
    cells = [_cells(entry) for entry in found]
    if not graph:
        yield from columns(cells, right=(0,))
        return
    drawing, lines = _drawing(found.entries), columns(cells)
    widest = max((width(row.line) for row in drawing.values()), default=0)
    rails, below = "", tuple[str, ...]()
    for entry, line in zip(found, lines, strict=True):
        row = drawing.get(entry.seq)
        yield from below
        yield f"{_coloured(row.line if row else rails, widest)}  {line}".rstrip()
        rails, below = (row.rails, tuple(_coloured(each) for each in row.below)) if row else (rails, ())
    yield from (each for each in below if width(each.strip()))


def _drawing(entries: Sequence[LogEntry]) -> Mapping[int, Row]:
    """The drawn rows of the entries that are versions, by their `seq`; a parent that is not shown is not drawn."""
    made = {int(entry.version): entry for entry in entries if entry.version and _is_version(entry)}
    nodes = [(number, [each for each in entry.parents if each in made]) for number, entry in made.items()]
    return {made[row.node].seq: row for row in draw(nodes)}


def _is_version(entry: LogEntry) -> bool:
    return entry.kind in ("committed", "merged")


def _cells(entry: LogEntry) -> tuple[str, str, str, str]:
    """Which version or move, when, who, and what it was."""
    where = version(entry.version) if _is_version(entry) and entry.version else _move(entry)
    return where, dim(when(entry.time)), dim(entry.actor), _words(entry)


def _words(entry: LogEntry) -> str:
    message = entry.message.strip().partition("\n")[0]
    if _is_version(entry):
        others = f"from {', '.join(map(str, entry.other_parents))}" if entry.other_parents else ""
        return "  ".join(filter(None, (message, others, names(entry), dim(headline(entry.metrics)))))
    kind, _, name = entry.ref.partition(" ")
    ref = click.style(name if kind == "branch" else entry.ref, fg="green" if kind == "branch" else "magenta")
    done = {
        "created": f"branch {ref} opened",
        "moved": f"{ref} moved" if entry.from_version else f"{ref} set",
        "rolled_back": f"{ref} {click.style('rolled back', fg='red', bold=True)}",
        "deleted": f"{kind + ' ' if kind == 'branch' else ''}{ref} deleted",
    }[entry.kind]
    return f"{done}: {message}" if message else done


def _move(entry: LogEntry) -> str:
    return click.style(f"{entry.from_version or ''}{arrow()}{entry.version or ''}", fg="cyan")


def _coloured(line: str, room: int = 0) -> str:
    """A line of the drawing, its strokes in red and versions bright, padded to `room`."""
    strokes = "".join(character if character == " " else _stroke(character) for character in line)
    return strokes + " " * (room - len(line))


def _stroke(character: str) -> str:
    return click.style(character, bold=True) if character == "*" else click.style(character, fg="red")


def _show(found: VersionRecord) -> Iterator[str]:
    yield f"{title('version')} {version(found)} {title('of')} {found.version.model}  {names(found)}".rstrip()
    yield from columns([row for row in _facts(found) if row[1]])
    if found.description:
        yield ""
        yield from (f"    {line}" for line in found.description.splitlines())
    for name in ("metrics", "hyperparameters", "settings", "architecture", "data", "derivation", "annotations", "code"):
        yield from section(name, _pairs(getattr(found, name) or {}))
    yield from section("files", ((file["name"], size(file["bytes"])) for file in found.files))
    yield from section(f"tensors  {dim(_bytes(found))}", _tensors(found.tensors))
    yield from section("environment", _pairs(found.environment))


def _facts(found: VersionRecord) -> Iterator[tuple[str, str]]:
    parents = ", ".join(f"{number} ({role})" for number, role in found.version.parents)
    yield dim("digest"), found.version.digest
    yield dim("parents"), parents or "none"
    yield dim("made"), f"{when(found.time, seconds=True)} by {found.actor} on {found.version.branch}, event {found.seq}"
    yield dim("run"), found.run or ""
    yield dim("message"), found.message.strip().replace("\n", " ")


def _bytes(found: VersionRecord) -> str:
    parameters = f"{count(len(found.tensors), 'tensor')}, {count(found.parameters, 'parameter')}, {size(found.bytes)}"
    kept = ["stored whole"] if found.keyframe else []
    if found.delta:
        changed = f"{found.delta['elements']:,} elements of {count(found.delta['tensors'], 'tensor')}"
        kept.append(f"delta from {found.delta['from_version']}: {changed}, {size(found.delta['bytes'])}")
    return "; ".join((parameters, *kept))


def _tensors(tensors: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for tensor in tensors:
        shape = "×".join(map(str, tensor["shape"])) or "scalar"
        yield tensor["name"], tensor["dtype"], shape, size(tensor["bytes"]), dim(short(tensor["digest"]))


def _pairs(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values, nested ones by dotted names."""
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping) and value:
            yield from _pairs(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{name}", figure(value)
