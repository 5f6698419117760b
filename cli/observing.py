"""How a running process is seen: its log as JSON lines, its figures for Prometheus."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from ..errors import Refused, Unavailable

Figures = Mapping[str, tuple[str, Callable[[], float]]]
"""By name: what it says, and how it is read when Prometheus asks."""

_PREFIX: Final = "lepton_"


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


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
        Gauge(_PREFIX + name, says, registry=registry).set_function(read)
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
