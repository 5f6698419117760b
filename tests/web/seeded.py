"""A small ledger that has what the API's examples are of, served to who holds a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lepton_ai import ModelManager
from lepton_ai.domain.commands import StartRun
from lepton_ai.web.openapi.examples import ID, OPEN, REQUIRE
from lepton_ai.web.options import Limits

from ..cli_home import loans, make
from .server import Served, served


class Seeded(NamedTuple):
    """A served ledger, and the secret of a token that may do everything."""

    server: Served
    secret: str


@contextmanager
def seeded(folder: Path) -> Iterator[Seeded]:
    """Serve a ledger of which every example of a request is of, with its own token."""
    home = folder / "home"
    make(home, loans(folder / "loans.csv"))
    with ModelManager(home, actor="ada") as manager:
        for name in ("spare", "guarded", "staging"):
            manager.alias(name, "credit@4")
        manager.branch("spare-branch", "credit@2")
        manager.tag("spare-tag", "credit@2")
        manager.protect("guarded", require=REQUIRE, model="credit")
        weights = {"w": np.arange(6, dtype=np.float32).reshape(2, 3)}
        manager.save_version(
            weights, name="credit", branch="bare", parents=["credit@2"], tags=["noted"], files={"notes.txt": b"as told"}
        )
        manager.evaluate("credit@main", "quarter", name="holdout", draws=0)
        manager._workspace.admit(StartRun(run=ID, model="credit"), None)
        with manager.resume(ID) as run:
            run.log({"loss": 0.5}, step=1)
            run.checkpoint(weights, step=1)
            run.log_file("figures/confusion.png", np.zeros((2, 2), np.uint8), step=1)
        manager._workspace.admit(StartRun(run=OPEN, model="credit"), None)
    # that strangers are refused is tried many times
    with served(home, limits=Limits(failures=1_000_000)) as server:
        yield Seeded(server, server.token("admin"))
