"""What is due: the versions that were committed while a suite watched their branch, as the log tells of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Final

from ...domain.suites.due import Due
from ...errors import Damaged
from ...events.bookmark import Bookmark
from ...events.envelope import decode
from ...events.job import JobCancelled, JobFailed, JobFinished
from ...events.log import Row
from ...events.model import VersionCommitted
from ...events.suite import SuiteDefined, SuiteRetired
from ...events.upcast import stored_names
from ...versions.suites.known import readable
from ...versions.workspace import Workspace

TOPIC: Final = "suites"
"""What the position is kept under up to which all that was due is done."""
_COMMITTED: Final = stored_names(VersionCommitted.type_name())
_DEFINED: Final = (SuiteDefined.type_name(), SuiteRetired.type_name())
_ENDED: Final = (JobFinished.type_name(), JobFailed.type_name(), JobCancelled.type_name())
log = logging.getLogger("lepton.suites")


class DueVersions:
    """Follows the log. Its position only spares who begins anew what is done: keys keep anything from being done twice.

    Iterated over, what is due, in the order in which the versions were committed.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stored = workspace.ledger.store.position(TOPIC, 0)
        self._due: dict[Due, None] = {}
        self._suites = readable(workspace)
        watching = [each.seq for suite in self._suites for each in suite.versions if each.event.model]
        self._seq = max(self._stored or 0, min(watching) - 1 if watching else workspace.ledger.store.end())

    def __iter__(self) -> Iterator[Due]:
        return iter(tuple(self._due))

    def read(self) -> bool:
        """Learn what happened since: whether it may be news for what is due."""
        store = self._workspace.ledger.store
        if (end := store.end()) <= self._seq:
            return False
        if store.rows_of_types(_DEFINED, self._seq, end):
            self._suites = readable(self._workspace)
        watching = any(each.event.model for suite in self._suites for each in suite.versions)
        rows = store.rows_of_types((*_COMMITTED, *_ENDED), self._seq, end) if watching else []
        self._due |= dict.fromkeys(due for row in rows for due in self._asked(row))
        self._seq = end
        return bool(rows)

    def done(self, done: Iterable[Due]) -> None:
        """Strike out what is done, and note up to where all is."""
        for due in done:
            del self._due[due]
        position = min((due.seq for due in self._due), default=self._seq + 1) - 1
        if position != self._stored:
            with self._workspace.ledger.transaction() as transaction:
                transaction.admission.move(TOPIC, 0, self._stored, Bookmark(position))
            self._stored = position

    def _asked(self, row: Row) -> Iterator[Due]:
        """What a row of the log makes due; `fsck` names the rows whose bytes are damaged."""
        try:
            recorded = decode(row.envelope, row.leaf, row.seq)
        except Damaged as error:
            log.error("event %d is passed over: %s", row.seq, error)
            return
        event, model = recorded.event, recorded.stream.removeprefix("model/")
        if isinstance(event, VersionCommitted):
            for suite in self._suites:
                if (definition := suite.watching(model, event.branch, row.seq)) is not None:
                    yield Due(row.seq, suite.name, definition.number, model, event.version)
