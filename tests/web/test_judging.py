"""Judging over HTTP: the same figures, digests and events as by the SDK in process, on rows that were sent or named."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import ipc, parquet

from lepton_ai import ModelManager
from lepton_ai.demo import german_credit
from lepton_ai.errors import GateNotMet
from lepton_ai.models import CreditScoringModel
from lepton_ai.results import Evaluation
from lepton_ai.results.wire import unpacked
from lepton_ai.web.caller import ANSWER

from .server import Served, served

LABEL = "bad"
CREDIT = "/models/credit/versions"


class Side(NamedTuple):
    """A ledger asked in process, and a copy of it that is asked over HTTP: each does the same things in one order."""

    manager: ModelManager
    server: Served
    client: httpx.Client
    rows: pd.DataFrame
    csv: Path

    def news(self, after: Mapping[str, int]) -> tuple[list[Any], list[Any]]:
        """What each recorded since."""
        here = told(self.manager, after["here"])
        return here, told(self.server.manager, after["there"])

    def end(self) -> dict[str, int]:
        return {"here": self.manager.position(), "there": self.server.manager.position()}


def told(manager: ModelManager, after: int) -> list[Any]:
    """What events say, without what differs from one ledger to another."""
    return [(each["type"], without_pack(each["data"])) for each in manager.events(after=after)]


def without_pack(data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says, but for the names of packs, which are drawn."""
    return {name: value for name, value in data.items() if name not in ("pack", "packs")}


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Side]:
    folder = tmp_path_factory.mktemp("judging")
    bank = german_credit.stages(german_credit.load())
    with ModelManager(folder / "here", actor="ada") as manager:
        for records in (bank.old_records, bank.new_records):
            model = CreditScoringModel()
            for name, value in {"epochs": 3, "members": 1, "hidden": [4]}.items():
                model.add_hyperparameter(name, value)
            manager.train(model, records.data, records.labels, name="credit")
        manager.close()
        shutil.copytree(folder / "here", folder / "there")
        rows = bank.validation.data.assign(**{LABEL: bank.validation.labels})
        rows.to_csv(folder / "validation.csv", index=False)
        with served(folder / "there") as server:
            yield Side(manager, server, server.client(), rows, folder / "validation.csv")


def sent(client: httpx.Client, content: bytes, media: str = "text/csv", **headers: str) -> str:
    answer = client.post("/rows", content=content, headers={"Content-Type": media, **headers})
    assert answer.status_code == 201, answer.text
    return answer.json()["rows"]


def as_parquet(rows: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(rows, preserve_index=False), sink)
    return sink.getvalue()


def as_stream(rows: pd.DataFrame) -> bytes:
    table, sink = pa.Table.from_pandas(rows, preserve_index=False), io.BytesIO()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


FORMS = {
    "text/csv": lambda side: side.csv.read_bytes(),
    "application/vnd.apache.parquet": lambda side: as_parquet(side.rows),
    "application/vnd.apache.arrow.stream": lambda side: as_stream(side.rows),
}


@pytest.mark.parametrize("media", FORMS)
def test_an_evaluation_has_the_figures_and_digests_of_one_in_process(sides: Side, media: str) -> None:
    asked: dict[str, Any] = {"draws": 60, "slices": ["purpose"], "sensitive": ["housing"]}
    asked |= {"costs": {"false_negative": 5, "false_positive": 1}, "name": "validation"}
    since, rows = sides.end(), sent(sides.client, FORMS[media](sides), media)
    expected = sides.manager.evaluate("credit@2", sides.csv, LABEL, **asked)
    answer = sides.client.post(f"{CREDIT}/2/evaluations", json={"rows": rows, "labels": LABEL, **asked})

    assert answer.status_code == 201, answer.text
    assert answer.json() == expected.to_dict()
    here, there = sides.news(since)
    assert here == there
    assert "lepton.evaluation.recorded.v1" in [kind for kind, _ in here]
    assert int(answer.headers["Lepton-Seq"]) == sides.server.manager.position()
    report = sides.client.get(answer.headers["Location"].removeprefix("/api/v1"))
    assert report.json() == sides.manager.report("credit@2", "validation").to_dict()


def same(sides: Side, since: Mapping[str, int], *kinds: str) -> None:
    """Both recorded the same, among it events of these kinds."""
    here, there = sides.news(since)
    assert here == there
    assert {f"lepton.{kind}.v1" for kind in kinds} <= {kind for kind, _ in here}
    assert kinds or not here


def posted(sides: Side, path: str, body: Any, status: int = 200) -> Any:
    answer = sides.client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def predictions(sides: Side) -> pd.DataFrame:
    """The rows with what version 1 says of them, and which of three branches they are of."""
    rows = sides.rows.drop(columns=LABEL)
    said = sides.manager.predict("credit@1", rows).to_pandas()
    chance = [name for name in said if str(name).startswith("probability")]
    return sides.rows.assign(
        said=said["prediction"], chance=said[chance[-1]], office=[n % 40 for n in range(len(rows))]
    )


def test_predictions_are_columns_of_what_was_sent(sides: Side) -> None:
    table, since = predictions(sides), sides.end()
    features = [name for name in sides.rows if name != LABEL]
    asked: dict[str, Any] = {"task": "binary", "name": "elsewhere", "draws": 50}
    rows = sent(sides.client, as_stream(table), "application/vnd.apache.arrow.stream")
    expected = sides.manager.evaluate_predictions(
        "credit@1", table["said"], table[LABEL], probabilities=table["chance"], data=table[features],
        groups=table["office"].tolist(), **asked,
    )  # fmt: skip
    columns = {"rows": rows, "predictions": "said", "labels": LABEL, "probabilities": "chance", "groups": "office"}
    told = posted(sides, f"{CREDIT}/1/evaluations/predictions", {**columns, "data": features, **asked}, 201)

    assert told == expected.to_dict()
    same(sides, since, "evaluation.recorded")


def test_predictions_of_several_labels_a_row_come_as_lists_or_columns(sides: Side) -> None:
    truth, called = [[1, 0], [1, 1], [0, 1], [0, 0]], [[1, 0], [0, 1], [0, 1], [1, 0]]
    table = pa.table({"truth": truth, "called": called, "a": [1, 0, 0, 1], "b": [0, 1, 1, 0]})
    sink = io.BytesIO()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    rows = sent(sides.client, sink.getvalue(), "application/vnd.apache.arrow.stream")
    since, asked = sides.end(), {"task": "multilabel", "name": "labels", "draws": 0}
    for columns in ("called", ["a", "b"]):
        expected = sides.manager.evaluate_predictions("credit@1", called, truth, **asked)
        body = {"rows": rows, "predictions": columns, "labels": "truth", **asked}
        assert posted(sides, f"{CREDIT}/1/evaluations/predictions", body, 201) == expected.to_dict()
    same(sides, since, "evaluation.recorded")


def test_versions_are_compared_and_picked_alike_on_rows_and_by_what_is_kept(sides: Side) -> None:
    since, rows = sides.end(), sent(sides.client, sides.csv.read_bytes())
    on, asked = {"rows": rows, "labels": LABEL}, {"draws": 100, "seed": 3}
    here = sides.manager
    compared = here.compare("credit@1", "2", metric="roc_auc", data=sides.csv, labels=LABEL, **asked)
    picked = here.pick(model="credit", by="roc_auc", require="f1 > 0", data=sides.csv, labels=LABEL, **asked)
    body = {"revs": ["1", "2"], "metric": "roc_auc", **on, **asked}

    assert posted(sides, "/models/credit/compare", body) == compared.to_dict()
    assert posted(sides, "/models/-/compare", {**body, "revs": ["credit@1", "2"]}) == compared.to_dict()
    body = {"by": ["roc_auc"], "require": "f1 > 0", **on, **asked}
    assert posted(sides, "/models/credit/pick", body) == picked.to_dict()
    kept = sides.client.get("/models/credit/compare", params={"rev": ["1", "2"], "against": "1"})
    assert kept.json() == here.compare("credit@1", "2", against="1").to_dict()
    kept = sides.client.get("/models/credit/pick", params={"by": ["size"], "rev": ["2", "1"]})
    assert kept.json() == here.pick("2", "1", model="credit", by="size").to_dict()
    for query in ({"from": "1", "to": "2"}, {"from": "1..2"}):
        assert sides.client.get("/models/credit/diff", params=query).json() == here.diff("credit@1", "2").to_dict()
    same(sides, since)


def test_a_gate_that_is_not_met_is_an_answer(sides: Side) -> None:
    since, rows = sides.end(), sent(sides.client, sides.csv.read_bytes())
    for require, passes in (("roc_auc > against.roc_auc - 1", True), ("roc_auc > 2", False)):
        gate = sides.manager.gate(
            "credit@2", against="1", require=require, data=sides.csv, labels=LABEL, name="gate", draws=0
        )
        body = {"against": "1", "require": require, "rows": rows, "labels": LABEL, "name": "gate", "draws": 0}
        told = posted(sides, f"{CREDIT}/2/gates", body)
        assert told["passed"] is passes
        assert without_seq(told) == without_seq(gate.to_dict())
    same(sides, since, "gate.judged", "evaluation.recorded")


def without_seq(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name != "seq"}


def test_only_the_move_that_a_gate_holds_up_is_a_conflict(sides: Side) -> None:
    for manager in (sides.manager, sides.server.manager):
        manager.protect("production", require="roc_auc > 2", model="credit")
    gate = posted(sides, f"{CREDIT}/1/gates", {"require": "roc_auc > 2", "name": "gate"})

    assert gate["passed"] is False
    with pytest.raises(GateNotMet):
        sides.server.manager.alias("production", "credit@1")


def test_corrected_and_cheaper_versions_are_the_same_to_the_last_bit(sides: Side) -> None:
    since, rows = sides.end(), sent(sides.client, sides.csv.read_bytes())
    on, costs = {"rows": rows, "labels": LABEL}, {"false_negative": 5.0, "false_positive": 1.0}
    calibrated = sides.manager.calibrate("credit@2", sides.csv, LABEL, method="isotonic", message="sure")
    cheaper = sides.manager.best_threshold("credit@2", sides.csv, LABEL, costs=costs, branch="cheap")
    body = {**on, "method": "isotonic", "message": "sure"}
    answer = sides.client.post(f"{CREDIT}/2/calibrations", json=body)

    assert (answer.status_code, answer.json()) == (201, calibrated.to_dict())
    assert answer.headers["Location"] == f"/api/v1{CREDIT}/{int(calibrated)}"
    assert posted(sides, f"{CREDIT}/2/thresholds", {**on, "costs": costs, "branch": "cheap"}, 201) == cheaper.to_dict()
    here, there = sides.news(since)
    assert here == there
    assert [kind for kind, _ in there].count("lepton.version.committed.v2") == 2


def test_robustness_is_told_alike_and_nothing_recorded(sides: Side) -> None:
    since, rows = sides.end(), sent(sides.client, sides.csv.read_bytes())
    expected = sides.manager.robustness("credit@2", sides.csv, LABEL, draws=20, seed=1)
    body = {"rows": rows, "labels": LABEL, "draws": 20, "seed": 1}

    assert posted(sides, f"{CREDIT}/2/robustness", body) == expected.to_dict()
    same(sides, since)


def test_named_data_and_suites_are_the_same_as_in_process(sides: Side) -> None:
    since, client = sides.end(), sides.client
    rows = sent(client, sides.csv.read_bytes())
    kept = sides.manager.add_data("quarter", sides.csv, LABEL, keep=True, message="the first")
    body = {"rows": rows, "labels": LABEL, "keep": True, "message": "the first"}
    answer = client.put("/data/quarter", json=body)

    assert answer.status_code == 200, answer.text
    assert timeless(answer.json()) == timeless(kept.to_dict())
    assert timeless(client.get("/data/quarter").json()) == timeless(kept.to_dict())
    asked = {"require": ["roc_auc > 0.1"], "metrics": ["f1", "roc_auc"], "draws": 0, "message": "weekly"}
    sides.manager.define_suite("weekly", "quarter", **asked)
    defined = client.put("/suites/weekly", json={"data": "quarter", **asked})
    assert defined.status_code == 200, defined.text
    run = sides.manager.run_suite("weekly", "credit@2")
    told = posted(sides, "/suites/weekly/runs", {"version": "credit@2"}, 201)
    assert told["gate"]["passed"] is True
    assert told["metrics"] == run.to_dict()["metrics"]
    named = sides.manager.evaluate("credit@1", "quarter", draws=0)
    assert posted(sides, f"{CREDIT}/1/evaluations", {"data": "quarter", "draws": 0}, 201) == named.to_dict()
    same(sides, since, "data.named", "suite.defined", "gate.judged", "evaluation.recorded")


def timeless(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in ("named", "seq", "actor")}


def test_a_report_is_told_as_data_as_a_page_and_as_markdown(sides: Side) -> None:
    sides.server.manager.evaluate("credit@2", sides.csv, LABEL, name="paged", draws=0)
    report, path = sides.server.manager.report("credit@2", "paged"), f"{CREDIT}/2/report?name=paged"

    def told(accept: str) -> httpx.Response:
        return sides.client.get(path, headers={"Accept": accept})

    assert told("application/json").json() == report.to_dict()
    assert told("text/markdown").text == report.markdown()
    page = told("text/html,*/*;q=0.1")
    assert page.text == report.html()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert told("image/png").status_code == 406
    assert sides.client.get(f"{CREDIT}/2/report?name=nobody").status_code == 409


def test_evaluations_are_listed_with_their_rows_and_figures(sides: Side) -> None:
    evaluation = sides.server.manager.evaluate("credit@2", sides.csv, LABEL, name="listed", draws=0)
    told = sides.client.get(f"{CREDIT}/2/evaluations").json()["evaluations"]
    (listed,) = [each for each in told if each["name"] == "listed"]

    assert listed["report"] is True
    assert listed["rows"]["rows"] == len(sides.rows)
    assert listed["figures"]["roc_auc"] == evaluation.performance.figures()["roc_auc"]


def test_answers_come_back_as_the_sdk_has_them(sides: Side) -> None:
    rows, manager = sent(sides.client, sides.csv.read_bytes()), sides.server.manager
    on = {"rows": rows, "labels": LABEL}
    manager.add_data("wired", sides.csv, LABEL, keep=True)
    manager.define_suite("wired", "wired", draws=0)

    def told(method: str, path: str, body: Any = None) -> Any:
        answer = sides.client.request(method, path, json=body, headers={"Accept": ANSWER})
        assert answer.status_code in (200, 201), answer.text
        assert answer.headers["content-type"] == ANSWER
        return unpacked(answer.json())

    evaluation = told("POST", f"{CREDIT}/2/evaluations", {**on, "draws": 0, "name": "wired"})
    assert isinstance(evaluation, Evaluation)
    assert evaluation.report == manager.report("credit@2", "wired")
    compared = manager.compare("credit@1", "2", data=sides.csv, labels=LABEL)
    assert told("POST", "/models/credit/compare", {"revs": ["1", "2"], **on}) == compared
    assert told("GET", "/models/credit/diff?from=1&to=2") == manager.diff("credit@1", "2")
    assert told("GET", "/suites/wired") == manager.suite("wired")
    assert told("GET", "/suites") == manager.suites()
    assert told("GET", "/data/wired") == manager.data("wired")
    assert told("GET", "/data") == manager.data_sets()
    assert told("GET", "/data/wired/drift?after=wired") == manager.drift("wired", "wired")
    calibrated = told("POST", f"{CREDIT}/2/calibrations", {**on, "branch": "wired"})
    assert (calibrated.model, calibrated.branch) == ("credit", "wired")


def test_what_a_version_says_of_rows_is_a_table(sides: Side) -> None:
    rows = sent(sides.client, sides.csv.read_bytes())
    expected = sides.manager.predict("credit@2", sides.csv, keep=["purpose"])
    path, arrow = f"{CREDIT}/2/predictions", {"Accept": "application/vnd.apache.arrow.stream"}
    answer = sides.client.post(path, json={"rows": rows, "keep": ["purpose"]}, headers=arrow)

    assert ipc.open_stream(answer.content).read_all().equals(expected)
    told = sides.client.post(path, json={"rows": rows, "keep": True}).json()
    assert told["count"] == 200
    assert told["columns"][: len(sides.rows.columns) + 1] == [*sides.rows, "prediction"]


def test_rows_that_were_kept_are_given_out_and_no_others(sides: Side) -> None:
    client, manager = sides.client, sides.server.manager
    manager.add_data("given", sides.csv, LABEL, keep=True)
    manager.add_data("placed", sides.csv, LABEL)
    table, labels = manager.load_data("given")
    answer = client.get("/data/given/rows", headers={"Accept": "application/vnd.apache.parquet"})

    assert parquet.read_table(io.BytesIO(answer.content)).equals(table.append_column(LABEL, labels))
    assert client.get("/data/given@1/rows").json()["count"] == 200
    assert client.get("/data/given/rows", headers={"Accept": "text/html"}).status_code == 406
    assert client.get("/data/placed/rows").status_code == 409
    again = sent(client, answer.content, "application/vnd.apache.parquet")
    named = client.put("/data/again", json={"rows": again, "labels": LABEL})
    assert named.json()["digest"] == manager.data("given").digest
