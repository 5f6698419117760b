"""Versions of a server restored here: its stored bytes are read, applied and verified by this process's own vault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import numpy as np

from ...errors import Damaged, Malformed
from ...results import PendingVersion, Version
from ...tensors.digest import digest_of
from ...versions.filling import RECALLED, Empty, all_converted, applied, checkpoint_loaded, loaded, parameters
from .connections import Connections
from .restoring import Restoring

if TYPE_CHECKING:
    from ...results import RunFileRecord
    from ...tensors.graph import Graph
    from ...tensors.tensor import LiveTensor
    from ...tensors.vault import Vault
    from .server import JsonServer

T = TypeVar("T")


class RemoteVersions:
    """Loads versions and checkpoints of a server. `origin` and `remember` tell which version a live object is.

    `model` is a model's name, or None where the revision names it or there is only one.
    """

    def __init__(
        self,
        server: JsonServer,
        origin: Callable[[Any], Version | PendingVersion | None],
        remember: Callable[[Any, Version], None],
    ) -> None:
        self._server = server
        self._origin = origin
        self._remember = remember
        self._connections = Connections(server)

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._connections.close()

    def load(self, rev: str, model: str | None = None, into: Any = None) -> Any:
        """The object that a version was saved from, rebuilt, or filled into one that the caller built."""
        found = self._version(rev, model)
        recalled = {name: found.facts[name] for name in RECALLED}
        bare = f"version {found.facts['version']} of {found.facts['model']}"
        target = loaded(found.vault, found.tensors, found.graph, recalled, bare, into)
        self._remember(target, found.version)
        return target

    def tensors(self, rev: str, names: Sequence[str] | None, empty: Empty[T], model: str | None = None) -> dict[str, T]:
        """A version's tensors, all or those named, in memory that `empty` gives; tied ones are one object."""
        found = self._version(rev, model, whole=names is None)
        known = {entry.name for entry in found.vault.manifest(found.tensors).tensors}
        wanted = sorted(known if names is None else set(names))
        if missing := sorted(set(wanted) - known):
            version = f"version {found.facts['version']} of {found.facts['model']}"
            raise Malformed(f"{version} has no tensor {missing[0]!r}; `lepton show` lists them")
        return all_converted(found.vault, found.tensors, found.graph, wanted, empty)

    def files(self, rev: str, model: str | None = None) -> dict[str, bytes]:
        """The files kept beside a version, each compared with its digest."""
        path = f"{_path(rev, model)}/files"
        return {each["name"]: self._file(path, each) for each in self._server.get(path)["files"]}

    def apply(self, rev: str, module: Any, model: str | None = None) -> tuple[str, ...]:
        """Put a live module on another version by deltas alone, else by reading it whole: the digests replayed."""
        origin = self._origin(module)
        known = None if origin is None or isinstance(origin, PendingVersion) else origin
        reached: list[Version] = []

        def replay(live: Mapping[str, LiveTensor]) -> tuple[str, ...]:
            assert known is not None
            found = self._version(rev, model, f"{known.model}@{int(known)}")
            stands = found.vault.manifest(found.facts["from"])
            steps = found.vault.apply(found.tensors, found.graph, stands, live)
            reached.append(found.version)
            return tuple(digest for digest, _ in steps)

        def whole() -> tuple[Vault, str, Graph]:
            found = self._version(rev, model)
            reached.append(found.version)
            return found.vault, found.tensors, found.graph

        replayed = applied(module, None if known is None else replay, whole)
        self._remember(module, reached[-1])
        return replayed

    def load_checkpoint(self, run: str, step: int | None = None, into: Any = None, optimizer: Any = None) -> Any:
        """A checkpoint filled into an object that the caller built, or rebuilt where its class is registered here."""
        found = self._checkpoint(run, step)
        architecture: dict[str, Any] = found.facts["architecture"] or {}
        given = lambda: self._server.get(f"/runs/{quote(run, safe='')}")["hyperparameters"]  # noqa: E731
        return checkpoint_loaded(found.vault, found.tensors, found.graph, run, architecture, given, into, optimizer)

    def checkpoint_tensors(self, run: str, step: int | None, empty: Empty[T]) -> dict[str, T]:
        """The tensors that a run kept at a step, or last."""
        found = self._checkpoint(run, step)
        names = parameters(found.vault, found.tensors)
        return all_converted(found.vault, found.tensors, found.graph, names, empty)

    def stored(self, rev: str) -> Restoring:
        """A version whose digest is proved, with the vault that restores it."""
        return self._version(rev, None)

    def _version(self, rev: str, model: str | None, since: str | None = None, *, whole: bool = True) -> Restoring:
        params = None if since is None else {"from": since}
        facts = self._server.get(f"{_path(rev, model)}/restoring", params)
        query = "" if since is None else f"?from={quote(since, safe='')}"
        return Restoring(self._connections, _path(str(facts["version"]), facts["model"]), query, facts, whole=whole)

    def _checkpoint(self, run: str, step: int | None) -> Restoring:
        path = f"/runs/{quote(run, safe='')}/checkpoints/{'last' if step is None else step}"
        return Restoring(self._connections, path, "", self._server.get(f"{path}/restoring"))

    def run_file(self, file: RunFileRecord) -> bytes:
        """The content of a file that a run logged, compared with its digest."""
        query = f"?digest={quote(file.digest, safe='')}"
        return self._file(f"/runs/{quote(file.run, safe='')}/files", file.to_dict(), query)

    def _file(self, path: str, told: Mapping[str, Any], query: str = "") -> bytes:
        into = np.empty(told["bytes"], np.uint8)
        self._connections.read_into(f"{path}/{quote(told['name'], safe='')}{query}", 0, into.data, told["digest"])
        if (found := digest_of(into)) != told["digest"]:
            raise Damaged(f"file {told['name']!r}", expected=told["digest"], found=found)
        return into.tobytes()


def _path(rev: str, model: str | None) -> str:
    return f"/models/{'-' if model is None else quote(model, safe='')}/versions/{quote(rev, safe='')}"
