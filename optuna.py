"""Optuna's studies in a ledger: `LedgerStorage` is the storage that `optuna.create_study(storage=...)` takes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .errors import Refused
from .manager import ModelManager
from .versions.studies import check_installed

check_installed()
from .versions.studies.heartbeat import HeartbeatStorage, OnStale  # noqa: E402 - what it imports may be lacking

if TYPE_CHECKING:
    from .versions.workspace import Workspace

__all__ = ["LedgerStorage"]


class LedgerStorage(HeartbeatStorage):
    """Optuna's storage over the ledger of a home, as `ModelManager(home)` finds it, or of a manager that is open.

    With `heartbeat_interval` seconds, trials that nobody was heard of for `grace_period` (else twice as long) are
    failed where the search goes on, and `heartbeat_stale_trial_callback` is called, as Optuna's RDBStorage has it.

    Studies are streams of the ledger's events, `study/NAME`, which nothing changes: a deleted study's trials stay in
    the log. Over HTTP there is no such storage: raises `Refused` for a manager of a server.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] | ModelManager | None = None,
        *,
        heartbeat_interval: int | None = None,
        grace_period: int | None = None,
        heartbeat_stale_trial_callback: OnStale | None = None,
    ) -> None:
        self._manager = home if isinstance(home, ModelManager) else ModelManager(home)
        if type(self._manager) is not ModelManager:
            raise Refused("a storage for Optuna stands on a ledger of this machine, not on a server; name a home")
        super().__init__(self._workspace, heartbeat_interval, grace_period, heartbeat_stale_trial_callback)

    def _workspace(self) -> Workspace:
        manager = self._manager
        past = manager._past is not None  # pyright: ignore[reportPrivateUsage]
        return manager._workspace if past else manager._home.workspace  # pyright: ignore[reportPrivateUsage]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self._manager, self._interval, self._grace, self._on_stale)


def _reopened(
    manager: ModelManager, interval: int | None, grace: int | None, on_stale: OnStale | None
) -> LedgerStorage:
    return LedgerStorage(
        manager, heartbeat_interval=interval, grace_period=grace, heartbeat_stale_trial_callback=on_stale
    )
