"""Tables that are learnt from a row group at a time: every row once an epoch, by steps that follow from the seed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.building.tables.encoding import TableEncoder
from lepton_ai.building.tables.model import TableModel
from lepton_ai.building.tables.streamed import StreamedExamples, StreamedTable
from lepton_ai.datasets.named_rows import NamedSource
from lepton_ai.datasets.selection import ALL, Selection
from lepton_ai.datasets.sources.parquet_rows import ParquetRows
from lepton_ai.datasets.tables import fingerprint, read_table
from lepton_ai.errors import Malformed, Refused

from .cut import check_cut_off

COUNT, GROUP = 700, 64


def columns() -> dict[str, Any]:
    """Numbers with gaps, and a category whose levels differ from one row group to the next."""
    draws = np.random.default_rng(0)
    income, debt = draws.normal(size=COUNT), draws.normal(size=COUNT)
    income[::11] = np.nan
    home = [f"home {(place // 50) % 5}" if place % 7 else None for place in range(COUNT)]
    label = (np.nan_to_num(income) > debt).astype(int)
    return {"income": income, "debt": debt, "home": home, "batch": np.arange(COUNT) // 10, "label": label}


@pytest.fixture
def path(tmp_path: Path) -> str:
    pa.parquet.write_table(pa.table(columns()), tmp_path / "rows.parquet", row_group_size=GROUP)
    return str(tmp_path / "rows.parquet")


def rows(path: str) -> ParquetRows:
    return ParquetRows.opened(path, "label", ALL)


CHOSEN = {"family": "mlp", "width": 8, "epochs": 2, "batch_size": 64, "device": "cpu", "rows_at_once": 200}


def small(**more: Any) -> TableModel:
    model = TableModel()
    for name, value in (CHOSEN | more).items():
        model.add_hyperparameter(name, value)
    return model


def test_every_row_is_learnt_from_once_an_epoch_encoded_as_in_memory(path: str) -> None:
    view = StreamedTable.of(rows(path), 200).take(np.arange(0, COUNT, 3))
    table = read_table({name: values for name, values in columns().items() if name != "label"})
    encoder = TableEncoder.learnt(table, 8)
    examples = StreamedExamples(view, encoder, torch.arange(view.rows))
    features, codes = encoder.encoded(table.take(view.places))

    orders = [examples.order(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    seen = [examples.batch(places, learning=True) for places in orders[0].split(32)]

    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])
    assert torch.equal(torch.cat([batch.targets for batch in seen]), orders[0])
    assert sorted(orders[0].tolist()) == [*range(view.rows)]
    assert torch.equal(torch.cat([batch.inputs[0] for batch in seen]), features[orders[0]])
    assert torch.equal(torch.cat([batch.inputs[1] for batch in seen]), codes[orders[0]])


def test_each_row_group_is_read_once_an_epoch_and_few_are_kept(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    view = StreamedTable.of(rows(path), 300)
    examples = StreamedExamples(view, TableEncoder.learnt(view.sample(0), 8), torch.zeros(COUNT))
    read: list[int] = []
    group = ParquetRows.group
    monkeypatch.setattr(ParquetRows, "group", lambda self, number: read.append(number) or group(self, number))  # pyright: ignore

    for places in examples.order(torch.Generator().manual_seed(0)).split(32):
        examples.batch(places, learning=True)
        assert len(examples._encoded) * GROUP <= 300  # pyright: ignore[reportPrivateUsage]

    assert sorted(read) == [*range(11)]


def test_a_training_that_was_cut_off_makes_the_same_bits(path: str) -> None:
    check_cut_off(lambda: small(family="tabm", members=4, dropout_rate=0.3), rows(path), rows(path).labels())


def test_rows_have_the_fingerprints_and_the_encoding_that_they_have_in_memory(path: str) -> None:
    known = columns()
    label = known.pop("label")
    model = small(rows_at_once=1000).train(rows(path), rows(path).labels())
    same = small(rows_at_once=None).train(known, label)
    few = small().train(rows(path), rows(path).labels())

    assert model.data is not None
    assert model.data["digest"] == fingerprint(known, label)["digest"]
    assert model.validation is not None
    assert same.validation is not None
    assert model.validation["digest"] == same.validation["digest"]
    assert torch.equal(model.trained().encoder.quantiles, same.trained().encoder.quantiles)
    assert not torch.equal(few.trained().encoder.quantiles, same.trained().encoder.quantiles)
    assert np.isfinite(few.predict_proba(known)).all()


def test_whole_groups_are_held_out_of_streamed_rows(path: str) -> None:
    model = small(split_groups="batch").train(rows(path), rows(path).labels())

    assert model.data is not None
    assert [each["name"] for each in model.data["columns"]] == ["income", "debt", "home"]  # pyright: ignore
    assert model.validation is not None
    assert model.validation["rows"] == 140


def test_a_file_is_learnt_from_here_by_its_path_and_by_a_worker_by_its_name(path: str, home: Path) -> None:
    with ModelManager(home) as manager:
        named = manager.add_data("loans", path, "label", drop=["batch"])
        here = manager.train(small(), path, "label", name="net", drop=["batch"])
        done = manager.jobs.wait(
            manager.jobs.train("table-model", "data:loans", name="net", hyperparameters=CHOSEN).job
        )

        assert (done.status, done.reason) == ("finished", "")
        assert done.version is not None
        assert manager.show(done.version).data["digest"] == manager.show(here).data["digest"] == named.digest
        states = [manager.load_version(each).state_dict() for each in (here, done.version)]
        assert all(torch.equal(states[0][name], value) for name, value in states[1].items())
        with pytest.raises(Refused, match="by its path"):
            manager.train(small(), "data:loans")


def test_named_rows_are_read_in_parts_where_they_lie_and_are_as_they_were_named(path: str) -> None:
    digest = rows(path).fingerprint(rows(path).labels())["digest"]
    named = NamedSource("loans@1", digest, COUNT, "label", ALL, path)

    assert named.in_parts(chosen=Selection(drop=("batch",))).names == ("income", "debt", "home")
    with pytest.raises(Malformed, match="the labels of loans@1 are its column 'label'"):
        named.in_parts("debt")
    with pytest.raises(Refused, match="loans@1 was kept in the ledger, which gives its rows at once"):
        replace(named, kept=bytes).in_parts()
    pa.parquet.write_table(pa.parquet.read_table(path)[::-1], path, row_group_size=GROUP)
    with pytest.raises(Refused, match="the file of loans@1 holds other rows than were named"):
        named.in_parts()


def test_a_file_that_changes_while_it_is_learnt_from_is_refused(path: str) -> None:
    def touched(epoch: int, figures: object) -> None:
        os.utime(path, (epoch, epoch))

    with pytest.raises(Refused, match="the file was changed while it was learnt from; train anew"):
        small().train(rows(path), rows(path).labels(), on_epoch=touched)


@pytest.mark.parametrize(
    ("at_once", "sentence"),
    [
        (100, "a row group of the file has 64 rows, and rows_at_once is 100; set it to 128 or more"),
        (None, "holds no rows"),
    ],
)
def test_a_file_is_read_in_parts_that_hold_two_row_groups(path: str, at_once: int | None, sentence: str) -> None:
    with pytest.raises((Malformed, Refused), match=sentence):
        small(rows_at_once=at_once).train(rows(path), rows(path).labels())


def test_what_is_not_read_in_parts_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,label\n1,0\n2,1\n")
    pictures = pa.table({"pictures": [[1.0, 2.0]] * 8, "label": [0, 1] * 4})
    kept = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(16.0)), 2)
    pa.parquet.write_table(pictures.set_column(0, "pictures", kept), tmp_path / "arrays.parquet")
    known = columns()

    def refused(kind: type[Exception], data: Any, labels: Any, sentence: str, **more: Any) -> None:
        with pytest.raises(kind, match=sentence):
            small(**more).train(data, labels)

    with pytest.raises(Malformed, match="has no column 'lable'; did you mean label"):
        ParquetRows.opened(path, "lable", ALL)
    with pytest.raises(Malformed, match="rows_at_once is for Parquet files alone"):
        ParquetRows.opened(str(tmp_path / "rows.csv"), "label", ALL)
    refused(Malformed, {"debt": known["debt"]}, known["label"], "leave it out for rows that are in memory")
    with pytest.raises(Malformed, match="rows_at_once is for one process; leave devices, nodes and sharded out"):
        small(devices=2).check_hyperparameters()
    arrays = rows(str(tmp_path / "arrays.parquet"))
    refused(Malformed, arrays, arrays.labels(), "'pictures' holds arrays")
