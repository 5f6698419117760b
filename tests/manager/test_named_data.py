"""Named data: rows that are found again by a name, by whatever door, and never others than were named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from lepton_ai import Damaged, ModelManager, Refused
from lepton_ai.datasets.selection import selection
from lepton_ai.datasets.tables import fingerprint
from lepton_ai.domain.commands import CreateLedger
from lepton_ai.errors import Malformed, UnknownRevision
from lepton_ai.events.actor import Actor
from lepton_ai.events.ledger import FORMAT
from lepton_ai.events.sql.actors import Actors
from lepton_ai.events.sql.address import database_at
from lepton_ai.events.sql.creation import open_or_create
from lepton_ai.events.sql.store import Store
from lepton_ai.ledger import Ledger
from lepton_ai.models import CreditScoringModel
from lepton_ai.projections.export import export
from lepton_ai.tensors.folder import FolderStore
from lepton_ai.versions.data import listing, naming
from lepton_ai.versions.maintenance.recover import recover
from lepton_ai.versions.workspace import Workspace

pytestmark = pytest.mark.filterwarnings("ignore::lepton_ai.DataWarning")
TYPES = {"since": "date"}


def frame(rows: int = 240, seed: int = 3) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    income, debt = chance.normal(size=(2, rows)).round(3)
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.integers(0, 900, rows), "D")
    kind = chance.choice(["car", "house"], rows)
    bad = (debt - income + chance.normal(scale=0.3, size=rows) > 0).astype(int)
    return pd.DataFrame({"income": income, "debt": debt, "kind": kind, "since": since, "bad": bad})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of labelled rows in the folder where the test works."""
    monkeypatch.chdir(tmp_path)
    frame().to_csv(tmp_path / "loans.csv", index=False)
    return tmp_path / "loans.csv"


@pytest.fixture
def manager(home: Path) -> Iterator[ModelManager]:
    with ModelManager(home, actor="ada") as manager:
        yield manager


def trained(manager: ModelManager) -> None:
    """Two versions of a model that learnt from other rows."""
    rows = frame(seed=8)
    for epochs in (2, 4):
        model = CreditScoringModel()
        for name, value in {"epochs": epochs, "members": 1, "hidden": [4]}.items():
            model.add_hyperparameter(name, value)
        manager.train(model, rows.drop(columns="bad"), rows["bad"], name="credit")


def test_rows_are_named_once_and_other_rows_are_the_next_version(manager: ModelManager, path: Path) -> None:
    named = manager.add_data("holdout", path, "bad", types=TYPES, message="of the third quarter")
    end = manager.verify().size
    same = manager.add_data("holdout", "loans.csv", "bad", types=TYPES)
    assert manager.verify().size == end
    frame(100).to_csv(path, index=False)
    other = manager.add_data("holdout", path, "bad", types=TYPES)

    assert (named.version, named.rows, named.labels and named.labels.name) == (1, 240, "bad")
    assert (named.source, named.message, named.actor) == (path.as_uri(), "of the third quarter", "ada")
    assert same == named
    assert (other.version, other.versions, other.rows) == (2, 2, 100)
    assert manager.data("holdout@1").digest == named.digest
    assert manager.data("data:holdout") == other
    assert manager.data_sets() == [other]


def test_the_same_rows_in_another_place_are_the_same_version_there(manager: ModelManager, path: Path) -> None:
    manager.add_data("holdout", path, "bad", types=TYPES, message="why")
    moved = path.rename(path.with_name("moved.csv"))
    with pytest.raises(Malformed, match="there is no file"):
        manager.load_data("holdout")

    named = manager.add_data("holdout", moved, "bad", types=TYPES)
    kept = manager.add_data("holdout", moved, "bad", types=TYPES, keep=True)

    assert (named.version, named.source, named.message) == (1, moved.as_uri(), "why")
    assert (kept.version, kept.source, kept.message, kept.bytes > 0) == (1, None, "why", True)
    end = manager.verify().size
    assert manager.add_data("holdout", moved, "bad", types=TYPES, keep=True) == kept
    assert manager.add_data("holdout", moved, "bad", types=TYPES) == kept
    assert manager.verify().size == end


@pytest.mark.parametrize("given", ["csv", "parquet", "frame", "columns and labels"])
def test_kept_rows_come_back_with_their_fingerprint_wherever_they_were(
    manager: ModelManager, path: Path, given: str
) -> None:
    rows, chosen = frame(), {"types": TYPES} if given == "csv" else {}
    rows.to_parquet(path.with_suffix(".parquet"), index=False)
    data: Any = {"csv": path, "parquet": path.with_suffix(".parquet")}.get(given, rows)
    labels: Any = "bad"
    if given == "columns and labels":
        data, labels = {name: rows[name] for name in rows if name != "bad"}, rows["bad"].to_numpy()
    named = manager.add_data("holdout", data, labels, keep=True, **chosen)
    path.unlink()

    table, column = manager.load_data("holdout")

    expected = fingerprint(rows.drop(columns="bad"), rows["bad"])["digest"]
    assert fingerprint(table, column)["digest"] == named.digest == expected
    assert table.column_names == ["income", "debt", "kind", "since"]
    assert manager.fsck() == []


def test_a_name_stands_wherever_rows_are_asked_for(manager: ModelManager, path: Path) -> None:
    trained(manager)
    kept = manager.add_data("kept", path, "bad", types=TYPES, keep=True)
    manager.add_data("placed", path, "bad", types=TYPES)
    by_file = manager.evaluate("credit@2", str(path), "bad", draws=0)

    by_name = [manager.evaluate("credit@2", name, draws=0) for name in ("kept", "data:placed@1")]
    job = manager.jobs.wait(manager.jobs.evaluate("credit@2", "kept", name="later", draws=0).job, timeout=120)
    manager.jobs.evaluate("credit@2", "placed", draws=0, pool="night")
    plan = manager.rollback("credit@1", rehearse="kept", dry_run=True)
    again = manager.rollback("credit@1", rehearse=("placed", None, "roc_auc"), dry_run=True)

    assert [each.name for each in by_name] == ["kept", "placed"]
    assert all(each.performance == by_file.performance for each in by_name)
    assert job.status == "finished"
    figures = manager.show("credit@2").metrics
    assert figures["later/f1"] == figures["kept/f1"] == figures["placed/f1"] == by_file.performance.figures()["f1"]
    assert plan.rehearsal is not None
    assert plan.rehearsal.metrics_from["f1"] == figures["kept/f1"]
    assert again.rehearsal is not None
    assert again.rehearsal.metric == "roc_auc"
    rows = manager.sql("SELECT DISTINCT digest FROM datasets WHERE purpose IN ('named', 'evaluation')").to_pylist()
    assert rows == [{"digest": kept.digest}]
    assert str(path.parent) not in json.dumps([each["data"] for each in manager.events(opened=False)])


BAD: dict[str, tuple[Callable[[ModelManager], Any], str]] = {
    "an empty name": (lambda it: it.add_data("", "loans.csv", "bad"), "'' cannot name data; begin with a letter"),
    "a space": (lambda it: it.add_data("hold out", "loans.csv", "bad"), "'hold out' cannot name data"),
    "a slash": (lambda it: it.add_data("a/b", "loans.csv", "bad"), "'a/b' cannot name data, for it looks like a file"),
    "a file's name": (lambda it: it.add_data("loans.csv", "loans.csv", "bad"), "looks like a file's path"),
    "a version": (lambda it: it.add_data("known@2", "loans.csv", "bad"), "'known@2' cannot name data"),
    "no such file": (lambda it: it.add_data("x", "lone.csv", "bad"), "there is no file 'lone.csv'"),
    "no such label": (lambda it: it.add_data("x", "loans.csv", "worse", types=TYPES), "no column 'worse' for"),
    "labels beside a file": (lambda it: it.add_data("x", "loans.csv", [1, 0]), "labels of a file are the name of its"),
    "dates": (lambda it: it.add_data("x", "loans.csv", "bad"), "column 'since' holds dates; say what to learn"),
    "no rows": (lambda it: it.add_data("x", frame(0), "bad"), "the data has no rows or no columns"),
    "a column twice": (
        lambda it: it.add_data("x", frame()[["debt", "debt", "bad"]], "bad"), "two columns named 'debt'; rename one"),
    "labels of another length": (lambda it: it.add_data("x", {"a": [1.0, 2.0]}, [1]), "'a' has 2 rows and 'label' 1"),
    "no such type": (lambda it: it.add_data("x", "loans.csv", "bad", types={"since": "day"}), "be of type 'day'"),
    "an unknown name": (lambda it: it.evaluate("credit", "knwon"), "and no file; did you mean known?"),
    "no name at all": (lambda it: it.data("zzz"), "there is no data named 'zzz', and no file; `lepton data list`"),
    "an unknown version": (lambda it: it.data("known@7"), "there is no data known@7; its versions are 1 to 1"),
    "version nought": (lambda it: it.data("known@0"), "'known@0' names no data; write NAME, or NAME@2"),
    "other labels": (lambda it: it.evaluate("credit", "known", "debt"), "the labels of known@1 are its column 'bad'"),
    "no labels": (lambda it: it.evaluate("credit", "bare"), "bare@1 was named without labels; say which"),
    "a name that is a file too": (lambda it: it.evaluate("credit", "twice"), "'twice' is named data and a file"),
    "from memory": (lambda it: it.load_data("memory"), "named from memory, and they were not kept"),
    "a job without labels": (lambda it: it.jobs.evaluate("credit", "loans.csv"), "labels was not said; give label="),
    "nothing in common": (lambda it: it.drift("known", "bare"), "known@1 and bare@1 have no column in common"),
}  # fmt: skip


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with a model and four names, made once."""
    folder = tmp_path_factory.mktemp("settled")
    frame().to_csv(folder / "loans.csv", index=False)
    (folder / "twice").write_text("")
    with ModelManager(folder / "home", actor="ada") as manager:
        manager.save_version({"w": np.ones(2)}, name="credit")
        for name in ("known", "twice"):
            manager.add_data(name, folder / "loans.csv", "bad", types=TYPES)
        manager.add_data("bare", {"other": [1.0, 2.0]}, keep=True)
        manager.add_data("memory", frame(), "bad")
    return folder


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_in_one_sentence_and_changes_nothing(
    settled: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(settled)
    act, words = BAD[case]
    with ModelManager(settled / "home", actor="ada") as manager:
        end = manager.verify().size

        with pytest.raises(Refused) as refusal:
            act(manager)

        assert words in str(refusal.value)
        assert manager.verify().size == end


def test_a_near_name_is_an_unknown_revision_at_every_door(settled: Path) -> None:
    with ModelManager(settled / "home") as manager, pytest.raises(UnknownRevision, match="did you mean known"):
        manager.drift("known", "knwn")


def test_no_more_is_kept_than_can_be_read_back_at_once(
    manager: ModelManager, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming, "MOST", 100)

    with pytest.raises(Refused, match=r"the rows take more than .* as Parquet, which is the most that is kept"):
        manager.add_data("holdout", path, "bad", types=TYPES, keep=True)

    assert not any(each.is_file() for each in manager._settings.home.rglob("*"))


def test_damaged_rows_are_damage_are_listed_and_healed_from_a_copy(
    manager: ModelManager, home: Path, tmp_path: Path, path: Path
) -> None:
    manager.add_data("holdout", path, "bad", types=TYPES, keep=True)
    shutil.copytree(home / "objects", tmp_path / "backup")
    (pack,) = (each for each in (home / "objects").rglob("packs/*/*") if each.is_file())
    raw = bytearray(pack.read_bytes())
    raw[200] ^= 4
    pack.chmod(0o600)
    pack.write_bytes(bytes(raw))

    with ModelManager(home) as other:
        with pytest.raises(Damaged):
            other.load_data("holdout")
        assert other.fsck(events=False, projection=False) != []
        other.heal(tmp_path / "backup")
        assert other.fsck() == []
        assert other.load_data("holdout")[0].num_rows == 240


def test_who_is_forgotten_takes_the_address_along_and_nothing_else(
    manager: ModelManager, home: Path, path: Path
) -> None:
    manager.add_data("placed", path, "bad", types=TYPES, message="of ada's")
    manager.add_data("kept", path, "bad", types=TYPES, keep=True)
    with ModelManager(home, actor="bob") as other:
        other.forget_actor("ada")

        assert (other.data("placed").source, other.data("placed").message, other.data("placed").rows) == (None, "", 240)
        with pytest.raises(Refused, match="whoever named them was forgotten, and with them where they lie"):
            other.load_data("placed")
        assert other.load_data("kept")[0].num_rows == 240


def test_a_key_names_rows_once(manager: ModelManager, path: Path) -> None:
    named = manager.add_data("holdout", path, "bad", types=TYPES, keep=True, key="k")
    end = manager.verify().size

    assert manager.add_data("holdout", path, "bad", types=TYPES, keep=True, key="k") == named
    with pytest.raises(Refused, match="key 'k' was already used"):
        manager.add_data("other", path, "bad", types=TYPES, key="k")
    assert manager.verify().size == end


def test_drift_is_told_by_rows_or_by_profiles_most_drifted_first(manager: ModelManager) -> None:
    one, same, moved = frame(1500), frame(1500, seed=4), frame(1500, seed=5)
    moved["debt"], moved["kind"] = moved["debt"] + 0.4, np.where(np.arange(1500) % 3 == 0, "boat", moved["kind"])
    for name, rows, keep in (("one", one, True), ("same", same, True), ("moved", moved, True), ("told", moved, False)):
        manager.add_data(name, rows.drop(columns="income") if name == "moved" else rows, "bad", keep=keep)

    nothing, much, seen = manager.drift("one", "same"), manager.drift("one", "moved"), manager.drift("one", "told")

    assert (nothing.basis, nothing.drifted) == ("rows", ())
    assert "no drift beyond chance in 5 columns" in str(nothing)
    assert set(much.drifted) == {"kind", "debt"}
    assert [each.name for each in much.columns][:2] == ["kind", "debt"]
    assert (much.only_before, much.only_after) == (("income",), ())
    assert (seen.basis, seen.columns[0].name, seen.columns[0].verdict) == ("profiles", "kind", "large drift")
    assert "not tested" in str(seen)
    assert "named from memory" in seen.reason
    assert "boat" not in str(seen)


def test_what_is_told_of_data_is_shown_in_text_in_html_and_by_sql(manager: ModelManager) -> None:
    named = manager.add_data("holdout", frame(), "bad", keep=True)

    shown, page = str(named), named._repr_html_()

    assert "240 rows, 4 columns" in shown
    assert "95 %" in shown
    assert "<table" in page
    table = manager.sql("SELECT name, version, rows, label, message, profile FROM named_data")
    assert json.loads(export(table, "json"))[0]["label"] == "bad"
    assert named.to_dict()["columns"][0]["quantiles"][0][0] == 0.1


def test_rows_have_names_on_either_database_and_come_back_from_the_log(
    url: str, ledger: Ledger, actor: Actor, tmp_path: Path, path: Path
) -> None:
    objects = FolderStore(tmp_path / "objects")
    ledger.admit(CreateLedger(ledger=ledger.store.ledger_id, format=FORMAT), actor)
    workspace = Workspace(ledger, objects, Actors(ledger.store.database), actor.name)
    naming.add(lambda: workspace, "holdout", path, "bad", chosen=selection(TYPES), keep=True, message="", key=None)
    digest = listing.show(workspace, "holdout").digest
    assert fingerprint(*listing.load(workspace, "holdout"))["digest"] == digest

    place = url if url.startswith("postgresql") else f"sqlite:///{tmp_path / 'b.db'}"
    other = database_at(place, f"t{uuid4().hex[:16]}", wait=30)
    open_or_create(other, lambda: ledger.store.ledger_id)
    recover(Store(other), objects, ledger.store)
    again = Workspace(Ledger(Store(other)), objects, Actors(other), "bob")

    assert listing.show(again, "holdout").digest == digest
    assert fingerprint(*listing.load(again, "holdout"))["digest"] == digest
    other.close()
