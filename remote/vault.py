"""Versions of a server restored here: its stored bytes are read, applied and verified by this process's own vault."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..results import PendingVersion, Version

if TYPE_CHECKING:
    from ..tensors.tensor import LiveTensor
    from .server import Server

T = TypeVar("T")


class RemoteVersions:
    """Loads versions and checkpoints of a server. `origins` is asked and told which version a live object is.

    `model` is a model's name, or None where the revision names it or there is only one.
    """

    def __init__(
        self,
        server: Server,
        origin: Callable[[Any], Version | PendingVersion | None],
        remember: Callable[[Any, Version], None],
    ) -> None:
        self._server = server
        self._origin = origin
        self._remember = remember

    def load(self, rev: str, model: str | None = None, into: Any = None) -> Any:
        """The object that a version was saved from, rebuilt, or filled into one that the caller built."""
        raise NotImplementedError

    def tensors(
        self,
        rev: str,
        names: Sequence[str] | None,
        empty: Callable[[str, tuple[int, ...]], tuple[T, LiveTensor]],
        model: str | None = None,
    ) -> dict[str, T]:
        """A version's tensors, all or those named, in memory that `empty` gives; tied ones are one object."""
        raise NotImplementedError

    def files(self, rev: str, model: str | None = None) -> dict[str, bytes]:
        """The files kept beside a version."""
        raise NotImplementedError

    def apply(self, rev: str, module: Any, model: str | None = None) -> tuple[str, ...]:
        """Put a live module on another version by deltas alone, else by reading it whole: the digests replayed."""
        raise NotImplementedError

    def load_checkpoint(self, run: str, step: int | None = None, into: Any = None) -> Any:
        """A checkpoint filled into an object that the caller built, or rebuilt where its class is registered here."""
        raise NotImplementedError

    def checkpoint_tensors(
        self, run: str, step: int | None, empty: Callable[[str, tuple[int, ...]], tuple[T, LiveTensor]]
    ) -> dict[str, T]:
        """The tensors that a run kept at a step, or last."""
        raise NotImplementedError
