"""How the ledger is, and whether it is whole, over HTTP: where its home lies is told to those who may do everything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lepton_ai.domain.access.rights import Rights
from lepton_ai.web.door.visitor import Visitor

from .server import served

VISITORS = {
    "admin": Visitor("root", Rights(frozenset(("admin",))), "1"),
    "reader": Visitor("bob", Rights(frozenset(("read",))), "2"),
    "sql": Visitor("sue", Rights(frozenset(("sql",))), "3"),
}


def test_status_and_verify_tell_each_what_they_may_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path / "home") as server:
        monkeypatch.setattr(server.service, "visitor", VISITORS.get)
        server.manager.save_version({"w": np.ones(2)}, name="net")
        admin, reader, sql = map(server.client, VISITORS)

        whole = admin.get("/status").json()
        assert whole == server.manager.status().to_dict() | {"views": whole["views"], "recorded": whole["recorded"]}
        assert whole["home"]["folder"] == str(tmp_path / "home")
        told = reader.get("/status")
        assert (told.json()["events"], told.json()["home"]) == (whole["events"], {})
        assert str(tmp_path) not in told.text
        assert sql.get("/status").status_code == 403
        assert admin.get("/verify").json() == server.manager.verify().to_dict()
        assert reader.get("/verify").status_code == 403
