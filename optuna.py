"""Optuna's studies in a ledger: `LedgerStorage` is the storage that `optuna.create_study(storage=...)` takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .errors import Refused
from .manager import ModelManager
from .versions.studies import check_installed

check_installed()
from .versions.studies.storage import StudyStorage  # noqa: E402 - what it imports may be lacking

if TYPE_CHECKING:
    from .versions.workspace import Workspace

__all__ = ["LedgerStorage"]


class LedgerStorage(StudyStorage):
    """Optuna's storage over the ledger of a home, as `ModelManager(home)` finds it, or of a manager that is open.

    Studies are streams of the ledger's events, `study/NAME`, which nothing changes: a deleted study's trials stay in
    the log. Over HTTP there is no such storage: raises `Refused` for a manager of a server.
    """

    def __init__(self, home: str | os.PathLike[str] | ModelManager | None = None) -> None:
        self._manager = home if isinstance(home, ModelManager) else ModelManager(home)
        if type(self._manager) is not ModelManager:
            raise Refused("a storage for Optuna stands on a ledger of this machine, not on a server; name a home")
        super().__init__(self._workspace)

    def _workspace(self) -> Workspace:
        manager = self._manager
        past = manager._past is not None  # pyright: ignore[reportPrivateUsage]
        return manager._workspace if past else manager._home.workspace  # pyright: ignore[reportPrivateUsage]

    def __reduce__(self) -> tuple[Any, ...]:
        return LedgerStorage, (self._manager,)
