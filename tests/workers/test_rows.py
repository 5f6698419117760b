"""The rows of an order: those of its file, or named ones, which are held against what was named."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from lepton_ai.datasets.tables import fingerprint
from lepton_ai.domain.job.kinds import NamedRowsAsked
from lepton_ai.errors import Refused
from lepton_ai.jobs.protocol.orders import Order
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.workers.context import Context
from lepton_ai.workers.rows import OrderedRows
from lepton_ai.workers.tasks.evaluate import Evaluate

from ..jobs.channels import order

COLUMNS: dict[str, Any] = {"a": [1.0, 2.0, 3.0], "since": ["2020-01-01", "2020-01-02", "2020-01-03"]}
BAD = [0, 1, 0]


@pytest.fixture
def told(tmp_path: Path) -> Order:
    """An order about a file of three rows."""
    rows = zip(*COLUMNS.values(), BAD, strict=True)
    lines = ["a,since,bad", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "rows.csv").write_text("\n".join([*lines, ""]))
    return order().model_copy(update={"source": (tmp_path / "rows.csv").as_uri()})


def ordered(told: Order, tmp_path: Path, digest: str) -> OrderedRows:
    named = NamedRowsAsked(name="holdout", version=2, digest=digest, rows=3, label="bad", types={"since": "category"})
    payload = Evaluate(version=1, label="bad", named=named)
    return OrderedRows(payload, Context(told, FolderStore(tmp_path / "objects"), 0))


def test_named_rows_are_read_as_they_were_named(told: Order, tmp_path: Path) -> None:
    rows = ordered(told, tmp_path, fingerprint(COLUMNS, BAD)["digest"])

    data, labels = rows.labelled()
    as_learnt, _ = rows.labelled({"a": "number", "bad": "number"})

    assert data.to_pydict() == COLUMNS
    assert labels.to_pylist() == BAD
    assert as_learnt.column_names == ["a"]
    assert rows.columns(["since", "bad"]).column_names == ["since", "bad"]


def test_other_rows_in_their_place_are_refused_whatever_the_version_reads_of_them(told: Order, tmp_path: Path) -> None:
    rows = ordered(told, tmp_path, "blake3:" + "1" * 64)

    with pytest.raises(Refused, match="holdout@2 holds other rows than were named") as refusal:
        rows.labelled({"a": "number", "bad": "number"})

    assert str(tmp_path) not in str(refusal.value)
    assert cast("Any", refusal.value).exit_code == 1
