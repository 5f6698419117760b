"""The tables and events of a server: SQL, search, events as they happen, how the ledger is, who may use it."""

# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from datetime import time as clock
from decimal import Decimal
from itertools import islice
from typing import Any, Final, cast
from uuid import UUID

from ...errors import Refused, Unavailable
from ...media import ARROW as ARROW
from ...media import JSON
from ...results import Version, Versions
from ...retries import PAUSE, Retries
from ...versions.arguments import checked
from .asked import PAGE, Asking, over_http, quoted

SSE: Final = "text/event-stream"
log = logging.getLogger("lepton")


@checked
class AskedOverHTTP(Asking):
    """`sql`, `find`, `events`, `position`, and whom the server knows."""

    @over_http
    def sql(self, given: Any) -> Any:
        import pyarrow as pa

        body: dict[str, Any] = {"query": given.query, "timeout": given.timeout, "opened": given.opened}
        body |= {"params": None if given.params is None else _params(given.params)}
        at = self._past if given.as_of is None else given.as_of
        body |= {"as_of": _value(at), "wait_for": given.wait_for}
        said = {name: value for name, value in body.items() if value is not None}
        answer = self._remote.client.request("POST", "/sql", body=said, headers={"Accept": ARROW})
        return pa.ipc.open_stream(answer.content).read_all()

    @over_http
    def find(self, given: Any) -> Any:
        found: dict[str, Version] = {}
        asked = {"where": given.expression, "most": min(given.most or PAGE, PAGE), "at": given.as_of}
        for page in self._remote.client.pages("/search", {name: each for name, each in asked.items() if each}):
            found |= {f"{version.model}@{int(version)}": version for version in page}
            if given.after is None and given.most is not None and len(found) >= given.most:
                break
        names = list(found)
        begin = names.index(given.after) + 1 if given.after in found else 0
        return Versions(
            found[name] for name in islice(names, begin, None if given.most is None else begin + given.most)
        )

    @over_http
    def status(self, given: Any) -> Any:  # noqa: ARG002
        return self._read("/status")

    @over_http
    def events(self, given: Any) -> Any:
        if not given.opened:
            raise Refused("a server tells events as their readers see them", python="leave opened=False out")
        if not given.follow:
            return self._told(given)
        return self._followed(given)

    @over_http
    def position(self, given: Any) -> Any:  # noqa: ARG002
        return self._remote.client.get("/position")["seq"]

    @over_http
    def forget_actor(self, given: Any) -> Any:
        spooled = self._outbox.delivery.forget(given.name)
        return bool(self._write("DELETE", f"/actors/{quoted(given.name)}")) or spooled

    def _told(self, given: Any) -> Iterator[dict[str, Any]]:
        """The events up to the end of the log as it is now."""
        asked = {"after": given.after, "stream": given.stream, "most": PAGE}
        for page in self._remote.client.pages("/events", asked, accept=JSON):
            yield from page["events"]

    def _followed(self, given: Any) -> Iterator[dict[str, Any]]:
        """Events as they happen, each once, going on behind the last one after every cut."""
        after, retries = given.after, Retries("stream of events", log)
        while True:
            begun = time.monotonic()
            try:
                for seq, event in self._streamed(after, given.stream):
                    after = seq
                    yield event
                time.sleep(PAUSE)  # the server stopped in good order
            except Unavailable as error:
                time.sleep(retries.fell(error, begun))

    def _streamed(self, after: int, stream: str | None) -> Iterator[tuple[int, dict[str, Any]]]:
        headers, params = {"Accept": SSE, "Last-Event-ID": str(after)}, {"after": after, "stream": stream}
        with self._remote.client.stream("/events", params, headers) as answer:
            yield from messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The messages of a stream of events (WHATWG HTML, 9.2), each with its `seq`; comments keep the line alive."""
    data, seq = list[str](), 0
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line and data:
            yield seq, json.loads("\n".join(data))
            data = []
        elif field == "data":
            data.append(value)
        elif field == "id" and value.isdecimal():
            seq = int(value)


def _params(params: Any) -> Any:
    if isinstance(params, Mapping):
        return {str(name): _value(each) for name, each in cast("Mapping[Any, Any]", params).items()}
    return [_value(each) for each in params]


def _value(value: Any) -> Any:
    """A value as JSON has it: times as text, which DuckDB reads as times."""
    if isinstance(value, date | datetime | clock):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value.item() if hasattr(value, "item") else value
