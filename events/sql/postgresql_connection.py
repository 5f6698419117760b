"""A connection to PostgreSQL on which no wait is without an end."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from psycopg import Connection, Error, OperationalError
from psycopg.abc import PQGen

T = TypeVar("T")
LONG: Final = 600.0
"""Seconds for a statement that reads or writes a whole table."""


class DeadlineConnection(Connection[tuple[Any, ...]]):
    """Gives up on a server that does not answer in time, and closes itself: what it was asked may happen or not.

    The kernel acknowledges what a stopped server is sent, so neither keepalives nor `tcp_user_timeout` see it; a COMMIT
    may wait for a standby that is not there; a proxy may swallow an answer in the middle. Nothing is cancelled on
    giving up: a COMMIT that is cancelled while it waits for a standby is told as done.
    """

    patience: float = 30.0
    """Seconds that the server may take for one statement, or for one message of several."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's own, at most `patience` seconds."""
        limit = self.patience if timeout is None else min(timeout, self.patience)
        begun = time.monotonic()
        try:
            return super().wait(gen, interval, limit)
        except Error as error:
            if error.sqlstate is None and time.monotonic() - begun >= limit and timeout is None:
                self.pgconn.finish()
                raise OperationalError(f"no answer in {limit:g} s") from error
            raise

    @contextmanager
    def patient(self) -> Generator[None]:
        """Within it a statement may take as long as one over a whole table does."""
        usual, self.patience = self.patience, max(self.patience, LONG)
        try:
            yield
        finally:
            self.patience = usual


def _is_news(record: logging.LogRecord) -> bool:
    """Not what psycopg logs of a pipeline that an error ended: the error itself is raised, and told by Lepton."""
    return "error ignored terminating" not in str(record.msg)


logging.getLogger("psycopg").addFilter(_is_news)
