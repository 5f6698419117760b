"""The audience of events: which of them somebody may read, by the models that their streams belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ...domain.chains.state import ChainState
from ...domain.streams import LEDGER
from ...domain.studies.state import StudyState
from ...domain.suites.state import SuiteState
from ..workspace import Workspace


class Audience:
    """Who reads events, with their rights. What stands in a stream of no model is for whoever may read all of them."""

    def __init__(self, workspace: Workspace) -> None:
        workspace.rights.check("read")
        self._workspace = workspace
        self._rights = workspace.rights
        self._known: dict[str, bool] = {}
        """By stream of a run or a job, whether it may be read: its model stays what it is."""

    def may_read(self, stream: str) -> bool:
        """Whether a stream may be read; of an endpoint each event says which model it is about."""
        kind, _, name = stream.partition("/")
        match kind:
            case "token":
                return self._rights.unlimited
            case _ if self._rights.everywhere:
                return True
            case "model":
                return self._rights.covers(name)
            case "run" | "job":
                if stream not in self._known:
                    self._known[stream] = self._workspace.may_read(kind, name)
                return self._known[stream]
            case "suite":
                suite = cast(SuiteState, self._workspace.ledger.state(stream))
                return self._rights.covers(*suite.watched)
            case "chain":
                return self._rights.covers(*cast(ChainState, self._workspace.ledger.state(stream)).models)
            case "study":
                model = cast(StudyState, self._workspace.ledger.state(stream)).model
                return model is not None and self._rights.covers(model)
            case _:
                return stream == LEDGER or kind in ("data", "dataset", "endpoint")

    def hears(self, envelope: Mapping[str, Any]) -> bool:
        """Whether an event, as its dictionary, may be read."""
        stream: str = envelope["subject"]
        if not self.may_read(stream):
            return False
        return not stream.startswith("endpoint/") or self._rights.covers(str(envelope["data"].get("model")))

    def shown(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """An event without the parents that are of models which may not be read."""
        if not self._rights.everywhere and (parents := envelope["data"].get("parents")):
            envelope["data"]["parents"] = [each for each in parents if self._sees(each)]
        return envelope

    def _sees(self, parent: Any) -> bool:
        return not isinstance(parent, Mapping) or self._rights.covers(cast("Mapping[str, Any]", parent)["model"])
