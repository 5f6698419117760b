"""The doors to a ledger: a home in a folder, and a server. What `ModelManager` promises holds at both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lepton_ai import ModelManager, settings
from lepton_ai.wiring import Home

from ..web.server import Served, served

DOORS: Final = ("local", "remote")


@dataclass
class Door:
    """A way to a ledger."""

    kind: Literal["local", "remote"]
    manager: ModelManager
    home: Path
    """Where the ledger lies."""
    server: Served | None = None

    @property
    def address(self) -> str:
        """What a home is named by at this door."""
        return str(self.home) if self.server is None else self.server.url


@contextmanager
def local(home: Path) -> Iterator[Door]:
    """A home that is opened here; its ledger is there from the beginning, as a server's is."""
    with closing(Home(settings.load(home), quiet=True)) as parts:
        parts.begin()
    with ModelManager(home) as manager:
        yield Door("local", manager, home)


@contextmanager
def remote(home: Path) -> Iterator[Door]:
    """A home that a server has."""
    with ExitStack() as stack:
        server = stack.enter_context(served(home))
        yield Door("remote", stack.enter_context(ModelManager(server.url)), home, server)
