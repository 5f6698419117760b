"""Saves and a run's commands as plain JSON, and back: what an entry of the spool holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final, cast

from ...domain.commands import FinishRun, LogMetrics, StartRun
from ...events.run import MetricsLogged
from ...plain import in_json
from ...results import LastMove, PendingVersion, VersionRef
from ...tensors.graph import Graph
from ...tensors.objects import ObjectStore
from ..runs.run_file import RunFile
from ..save_request import Named, Save
from ..source import Subject
from .entry import Kind

if TYPE_CHECKING:
    from ...tensors.tensor import Tensor
    from ...tensors.vault import Vault

RunCommand = StartRun | LogMetrics | FinishRun
"""Those of a run that carry no tensors."""
_KINDS: Final[Mapping[type[RunCommand], Kind]] = {StartRun: "start", LogMetrics: "log", FinishRun: "finish"}


def kept(tensors: Mapping[str, Tensor], files: Mapping[str, Any]) -> Callable[[ObjectStore], Mapping[str, Any]]:
    """What writes tensors, as a keyframe, and files into an entry, and says under which digests."""

    def keep(objects: ObjectStore) -> Mapping[str, Any]:
        written = _vault(objects).keep(tensors, base=None, graph=Graph({}, ()), files=files)
        return {"tensors": written.manifest.digest, "files": {file.name: file.digest for file in written.files}}

    return keep


def kept_files(files: Sequence[RunFile]) -> Callable[[ObjectStore], Mapping[str, Any]]:
    """What writes a run's files into an entry, and says under which digests."""

    def keep(objects: ObjectStore) -> Mapping[str, Any]:
        written = _vault(objects).keep_files({file.name: file.content for file in files}).files
        return {"files": {file.name: file.digest for file in written}}

    return keep


def tensors_of(
    asked: Mapping[str, Any], objects: Callable[[], ObjectStore]
) -> tuple[Mapping[str, Tensor], dict[str, bytes]]:
    """The tensors and files of an entry, none where it has none. Raises `Damaged`."""
    if not {"tensors", "files"} & asked.keys():
        return {}, {}
    vault, digest = _vault(objects()), asked.get("tensors")
    files = {name: vault.blob(each) for name, each in asked["files"].items()}
    return {} if digest is None else vault.restore(digest, Graph({digest: 1}, ())), files


def written_save(name: str, save: Save) -> dict[str, Any]:
    """A save, filled in, as JSON; its files lie in packs."""
    plain = {f.name: getattr(save, f.name) for f in fields(save) if f.name != "files"}
    parents = save.parents and [[each.words, _number(each.version), each.role] for each in save.parents]
    numbers = {"origin": _number(save.origin), "expected": _number(save.expected)}
    rest = {"tags": list(save.tags), "metrics": in_json(save.metrics)}
    return {"name": name, **plain, "parents": parents, **numbers, **rest}


def revision_of(model: str, words: str, version: int | Sequence[Any] | None) -> str:
    """A parent as `written_save` has it, as a revision: its words may be those of a version that was pending then."""
    if version is None:
        return words
    return f"{model}@{version}" if isinstance(version, int) else "{}@{}".format(*version)


def read_save(
    asked: Mapping[str, Any], tensors: Mapping[str, Tensor], files: Mapping[str, bytes]
) -> tuple[Subject, Save]:
    """The subject and the save that an entry holds."""
    named, known = asked["parents"], {f.name: asked[f.name] for f in fields(Save) if f.name in asked}
    known["parents"] = named and tuple(Named(words, _read(number), role) for words, number, role in named)
    known |= {"origin": _read(asked["origin"]), "expected": _read(asked["expected"])}
    known |= {"tags": tuple(asked["tags"]), "files": files}
    return Subject(name=asked["name"], named=True, tensors=tensors), Save(**known)


def written_command(command: RunCommand) -> tuple[Kind, dict[str, Any]]:
    """A run's command by its kind, and as JSON."""
    plain = {f.name: getattr(command, f.name) for f in fields(command)}
    if isinstance(command, LogMetrics):
        plain["blocks"] = [in_json(block.model_dump(mode="json")) for block in command.blocks]
    return _KINDS[type(command)], plain


def read_command(kind: Kind, asked: Mapping[str, Any]) -> RunCommand:
    """The command that an entry of such a kind holds."""
    if kind == "log":
        return LogMetrics(run=asked["run"], blocks=tuple(map(MetricsLogged.model_validate, asked["blocks"])))
    return StartRun(**asked) if kind == "start" else FinishRun(**asked)


def _vault(objects: ObjectStore) -> Vault:
    from ...tensors.pack import KnownPlacements, told_by
    from ...tensors.vault import Vault

    return Vault(objects, KnownPlacements(lambda: told_by(objects, objects.list("packs/"))))


def _number(version: int | str | VersionRef | PendingVersion | LastMove | None) -> Any:
    """A version's number, words for it, its model and number, or which pending one it is; or a branch's last move."""
    if isinstance(version, LastMove):
        return {"last_move": [version.seq, list(version.others), list(version.never)]}
    if isinstance(version, PendingVersion):
        return {"pending": version.key, "model": version.model, "branch": version.branch}
    return int(version) if isinstance(version, int) else version


def _read(written: Any) -> Any:
    if isinstance(written, list):
        return VersionRef(*cast("list[Any]", written))
    if not isinstance(written, Mapping):
        return written
    if moved := cast("Mapping[str, Any]", written).get("last_move"):
        seq, others, never = moved
        return LastMove(seq, tuple(others), tuple(never))
    pending = cast("Mapping[str, str]", written)
    return PendingVersion(pending["pending"], model=pending["model"], branch=pending["branch"])
