"""How a running process is seen: its log as JSON lines, its figures for Prometheus."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from ...errors import Refused, Unavailable
from ...escapes import escaped_json

Figures = Mapping[str, tuple[str, Callable[[], float]]]
"""By name: what it says, and how it is read when Prometheus asks."""

_PREFIX: Final = "lepton_"

log = logging.getLogger("lepton")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return escaped_json(json.dumps(line, ensure_ascii=False))


@contextmanager
def observed(address: str | None, figures: Figures) -> Generator[None]:
    """Serve figures on `host:port` while the process runs; nothing where no address is set.

    Raises `Refused` where the extra is missing, `Unavailable` where the address cannot be had.
    """
    if address is None:
        yield
        return
    try:
        from prometheus_client import CollectorRegistry, Gauge, start_http_server
    except ModuleNotFoundError as error:
        raise Refused("LEPTON_METRICS needs the extra: pip install 'lepton-ai-sdk[observe]'") from error
    registry = CollectorRegistry()
    for name, (says, read) in figures.items():
        Gauge(_PREFIX + name, says, registry=registry).set_function(_readable(name, read))
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host or "127.0.0.1", registry)
    except OSError as error:
        raise Unavailable(f"figures cannot be served on {address} ({error.strerror}); choose another port") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _readable(name: str, read: Callable[[], float]) -> Callable[[], float]:
    """A figure that is no number while it cannot be read, so that the others are served all the same."""
    warned: list[str] = []

    def figure() -> float:
        try:
            number = float(read())
        except Exception as error:  # noqa: BLE001 - whoever asks is no part of the work, and gets what there is
            if warned != [str(error)]:
                log.warning("the figure %s cannot be read: %s", name, error)
            warned[:] = [str(error)]
            return math.nan
        warned.clear()
        return number

    return figure
