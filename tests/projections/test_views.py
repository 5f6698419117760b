"""The public views: what they hold, that each column is documented, and how answers are exported."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from lepton_ai.errors import Refused
from lepton_ai.events.catalogue import CATALOGUE
from lepton_ai.events.chain import ChainAdvanced, ChainDefined, ChainStepPlan
from lepton_ai.events.data import DataNamed
from lepton_ai.events.job import JobAssigned, JobCheckpointed, JobFinished, JobRequeued, JobStarted, JobSubmitted
from lepton_ai.events.model import (
    AliasDeleted,
    AliasMoved,
    AliasProtected,
    AliasRolledBack,
    AliasUnprotected,
    BranchDeleted,
    BranchRolledBack,
    EvaluationRecorded,
    GateJudged,
    JudgedRequirement,
    MetricDefined,
    MetricsRecorded,
    ModelArchived,
    ModelDescribed,
    ModelRegistered,
    TagCreated,
    TagDeleted,
    VersionAnnotated,
    VersionCleared,
    VersionDescribed,
)
from lepton_ai.events.run import FileLogged, MetricsLogged, RunCheckpointed, RunFinished, RunStarted
from lepton_ai.events.study import (
    StudyAnnotated,
    StudyCreated,
    StudyDeleted,
    StudyResumed,
    StudyStopped,
    TrialAnnotated,
    TrialBegun,
    TrialEnded,
    TrialReported,
    TrialStarted,
    TrialSuggested,
)
from lepton_ai.events.suite import SuiteDefined, SuiteRetired
from lepton_ai.events.token import TokenCreated, TokenRevoked
from lepton_ai.projections.columns import described, page
from lepton_ai.projections.export import export
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.query import query
from lepton_ai.projections.schema import schema

from .past import START, Past, committed, digest, manifest

DOCS = Path(__file__).parents[2] / "docs" / "views.md"
PROMISED = [
    *(
        "alias_moves",
        "aliases",
        "annotations",
        "branch_moves",
        "branches",
        "chain_steps",
        "clearings",
        "datasets",
        "evaluations",
        "events",
        "files",
        "gates",
    ),
    *(
        "hyperparameters",
        "jobs",
        "metric_definitions",
        "metrics",
        "models",
        "named_data",
        "observations",
        "production_history",
        "protected_aliases",
        "rollbacks",
        "run_checkpoints",
        "run_files",
        "runs",
        "studies",
        "suites",
        "tags",
        "tokens",
        "trial_reports",
        "trials",
        "unprojected",
    ),
    *("version_parents", "version_tensors", "version_tree", "versions"),
]


STEPS = (("train", "train", ()), ("gate", "gate", ("train",)), ("tag", "tag", ("gate",)))


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projection]:
    past = Past()
    past.add("model/team/credit", ModelRegistered(model="team/credit"))
    past.add("objects", manifest(1), manifest(1), manifest(1, page=1))
    past.add("run/r1", RunStarted(run="r1", model="team/credit", hyperparameters={"lr": 0.1}))
    past.add(
        "run/r1",
        MetricsLogged(names=("f1", "f1"), steps=(1, None), values=(0.5, math.inf), times=(START, START)),
        RunCheckpointed(tensors=digest("c", "blake3"), step=1),
        FileLogged(name="a.png", media_type="image/png", digest=digest("f", "blake3"), bytes=9, step=1),
        FileLogged(name="a.png", media_type="image/png", digest=digest("g", "blake3"), bytes=8, step=1),
        RunFinished(status="failed", error="ValueError", reason="sealed:r", points=2),
    )
    past.add(
        "model/team/credit",
        committed(
            1, hyperparameters={"lr": 0.1, "layers": [1, 2]}, metrics={"f1": math.nan}, run="r1", message="sealed:m"
        ),
        committed(2, parents=(1,), model="team/credit", data={"digest": "d", "rows": 7}),
        committed(3, branch="dev", parents=(1,), model="team/credit"),
        committed(4, parents=(2, 3), model="team/credit"),
        BranchRolledBack(branch="main", from_version=4, to_version=2, replayed=(digest("x"),), reason="sealed:b"),
        BranchDeleted(branch="dev", version=3),
        AliasMoved(alias="production", from_version=None, to_version=3),
        AliasMoved(alias="production", from_version=3, to_version=1),
        AliasMoved(alias="production", from_version=1, to_version=2),
        AliasRolledBack(alias="production", from_version=2, to_version=1, reason="sealed:a"),
        TagCreated(tag="v1", version=1),
        TagCreated(tag="v2", version=2),
        TagDeleted(tag="v1", version=1),
        VersionDescribed(version=2, description="sealed:d"),
        VersionAnnotated(version=2, annotations={"ticket": "RISK-12", "ok": True, "n": 3}),
        VersionAnnotated(version=2, annotations={"ok": None}),
        EvaluationRecorded(version=2, data={"digest": "e", "rows": 9}, name="holdout", metrics={"f1": 0.8}),
        EvaluationRecorded(version=2, data={"digest": 9}, metrics={"ks": 0.3}),
        MetricsRecorded(version=2, metrics={"ks": 0.4}, validation={"digest": "v"}),
        MetricDefined(name="fid", better="higher"),
        MetricDefined(name="fid", better="lower"),
        VersionCleared(version=2, reason="sealed:c"),
        GateJudged(
            version=2,
            against=1,
            requirements=(JudgedRequirement(text="f1 > against.f1", holds=None),),
            metrics={"f1": math.nan},
            metrics_against={"f1": 0.5},
            rows=("e",),
            passed=False,
        ),
        GateJudged(version=4, requirements=(), passed=True, suite="nightly", suite_version=2),
        AliasProtected(alias="staging", requirements=("f1 > 0",)),
        AliasProtected(alias="production", requirements=("f1 > 0", "ks > 0"), against="production", reason="sealed:p"),
        AliasUnprotected(alias="staging"),
        AliasMoved(alias="shadow", from_version=None, to_version=2, override=True, reason="sealed:o"),
        AliasMoved(alias="shadow", from_version=2, to_version=4, gate=7),
        AliasDeleted(alias="shadow", from_version=4),
        ModelDescribed(description="sealed:model"),
        ModelArchived(),
    )
    past.add(
        "job/j1",
        JobSubmitted(job="j1", kind="train", model="team/credit", payload={"label": "y"}, message="sealed:j"),
        JobAssigned(epoch=1, worker="w1", deadline=START),
        JobStarted(epoch=1, run="j1.1"),
        JobCheckpointed(epoch=1, step=7, tensors=digest("c", "blake3")),
        JobRequeued(epoch=1, error="LeaseLost", until=START),
        JobAssigned(epoch=2, worker="w2", deadline=START),
        JobStarted(epoch=2),
        JobFinished(epoch=2, version=4, result={"f1": 0.9}),
    )
    past.add(
        "data/holdout",
        DataNamed(version=1, data={"digest": "e", "rows": 9}, label="y", message="sealed:n"),
        DataNamed(version=2, data={"digest": "g", "rows": 8}),
        DataNamed(version=2, data={"digest": "g", "rows": 8}, kept=digest("k", "blake3"), bytes=7),
    )
    past.add("job/j2", JobSubmitted(job="j2", kind="evaluate", model="team/credit"))
    suite = SuiteDefined(suite="nightly", data={"digest": "d", "rows": 9}, label="y", evaluation="night")
    watching = {"model": "team/credit", "branch": "main", "requirements": ("f1 > 0.5",), "message": "sealed:s"}
    past.add("suite/nightly", suite, SuiteRetired(), suite.model_copy(update=watching))
    past.add("suite/weekly", suite.model_copy(update={"suite": "weekly", "named": "holdout@2"}), SuiteRetired())
    plans = [ChainStepPlan(step=step, kind=kind, needs=needs, digest="d") for step, kind, needs in STEPS]
    past.add("chain/nightly", ChainDefined(chain="nightly", steps=tuple(plans[:1])))
    past.add("chain/nightly", ChainAdvanced(step="train", job="j1", model="team/credit"))
    past.add("chain/nightly", ChainDefined(chain="nightly", steps=tuple(plans)))
    past.add("chain/nightly", ChainAdvanced(step="train", job="j2", model="team/credit"))
    past.add("chain/nightly", ChainAdvanced(step="gate", reason="sealed:g"))
    past.add("chain/nightly", ChainAdvanced(step="gate", model="team/credit", version=4))
    token = {"owner": "a2", "scopes": ("read", "move"), "expires": START}
    past.add("token/t1", TokenCreated(token="t1", **token), TokenRevoked(reason="sealed:t"))
    past.add("token/t2", TokenCreated(token="t2", owner="a1", scopes=("sql",), models=("team/*",)))
    drawn = {"value": 0.5, "distribution": {"kind": "float", "low": 0.0, "high": 1.0}}
    begun = StudyCreated(study="", directions=("minimize",))
    past.add("study/", begun, TrialBegun(trial=0, status="running"), StudyStopped(), StudyDeleted())
    past.add(
        "study/",
        begun.model_copy(update={"model": "team/credit", "search": {"metrics": ["f1"]}}),
        StudyAnnotated(user={"ticket": "RISK-12"}, system={"s": 1}),
        StudyAnnotated(user={"ticket": "RISK-13"}),
        StudyStopped(),
        StudyResumed(),
        StudyStopped(),
        TrialBegun(trial=0, status="waiting"),
        TrialStarted(trial=0),
        TrialSuggested.model_validate({"trial": 0, "parameters": {"lr": drawn, "deep": drawn | {"value": "yes"}}}),
        TrialReported(trial=0, steps=(1, 2), values=(0.25, math.inf)),
        TrialAnnotated(trial=0, user={"host": "gpu"}),
        TrialEnded(trial=0, status="complete", values=(0.75,)),
        TrialBegun(trial=1, status="waiting"),
    )
    with Projection(tmp_path_factory.mktemp("view"), past, wait=0) as held:
        held.catch_up()
        yield held


def rows(held: Projection, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in query(held, sql).to_pylist()]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT model, description, archived, versions, latest FROM models",
         [("team/credit", "sealed:model", True, 4, 4)]),
        ("SELECT version, message, description, run, size FROM versions WHERE version < 3 ORDER BY 1",
         [(1, "sealed:m", None, "r1", 48), (2, "", "sealed:d", None, 48)]),
        ("SELECT version, parent, role, position FROM version_parents ORDER BY version, position",
         [(2, 1, "trained", 1), (3, 1, "trained", 1), (4, 2, "merged", 1), (4, 3, "merged", 2)]),
        ("SELECT version, name, dtype, shape, bytes FROM version_tensors WHERE version = 1 ORDER BY name",
         [(1, "layer0.bias", "int8", [], 1), (1, "layer0.weight", "float32", [3, 4], 48),
          (1, "layer1.bias", "int8", [], 1), (1, "layer1.weight", "float32", [3, 4], 48)]),
        ("SELECT branch, version FROM branches", [("main", 2)]),
        ("SELECT branch, from_version, to_version, kind FROM branch_moves ORDER BY seq",
         [("main", None, 1, "created"), ("main", 1, 2, "committed"), ("dev", None, 3, "created"),
          ("main", 2, 4, "merged"), ("main", 4, 2, "rolled_back"), ("dev", 3, None, "deleted")]),
        ("SELECT tag, version FROM tags", [("v2", 2)]),
        ("SELECT alias, version FROM aliases", [("production", 1)]),
        ("SELECT to_version, gate, override, reason FROM alias_moves WHERE alias = 'shadow' ORDER BY seq",
         [(2, None, True, "sealed:o"), (4, 7, False, ""), (None, None, False, "")]),
        ("SELECT version, against, parent, name, passed, requirements ->> '$[0].text', "
         "json_type(requirements, '$[0].holds'), metrics ->> 'f1', metrics_against ->> 'f1', metrics_parent::VARCHAR, "
         "rows, suite, suite_version FROM gates ORDER BY seq",
         [(2, 1, None, "", False, "f1 > against.f1", "NULL", "NaN", "0.5", "{}", ["e"], None, None),
          (4, None, None, "", True, None, None, None, None, "{}", [], "nightly", 2)]),
        ("SELECT alias, requirements, against, suite, reason FROM protected_aliases",
         [("production", ["f1 > 0", "ks > 0"], "production", None, "sealed:p")]),
        ("SELECT from_version, to_version, kind, reason FROM alias_moves WHERE alias = 'production' ORDER BY seq",
         [(None, 3, "moved", ""), (3, 1, "moved", ""), (1, 2, "moved", ""), (2, 1, "rolled_back", "sealed:a")]),
        ("SELECT version, until IS NULL, until = lead(since) OVER (ORDER BY seq) FROM production_history "
         "WHERE alias = 'production' ORDER BY seq",
         [(3, False, True), (1, False, True), (2, False, True), (1, True, None)]),
        ("SELECT kind, name, from_version, to_version, len(replayed), reason FROM rollbacks ORDER BY seq",
         [("branch", "main", 4, 2, 1, "sealed:b"), ("alias", "production", 2, 1, 0, "sealed:a")]),
        ("SELECT name, value, number, kind FROM annotations ORDER BY name",
         [("n", "3", 3.0, "number"), ("ticket", "RISK-12", None, "string")]),
        ("SELECT version, run, name, value, number, kind FROM hyperparameters ORDER BY seq, name",
         [(None, "r1", "lr", "0.1", 0.1, "number"), (1, "r1", "layers", "[1,2]", None, "array"),
          (1, "r1", "lr", "0.1", 0.1, "number")]),
        ("SELECT version, run, step, value, evaluation, figure, rows FROM metrics WHERE NOT isnan(value) "
         "ORDER BY seq, step",
         [(None, "r1", 1, 0.5, None, "f1", None), (None, "r1", None, math.inf, None, "f1", None),
          (2, None, None, 0.8, "holdout", "holdout/f1", "e"), (2, None, None, 0.3, "", "evaluation/ks", None),
          (2, None, None, 0.4, None, "ks", "v")]),
        ("SELECT name, better FROM metric_definitions", [("fid", "lower")]),
        ("SELECT version, reason FROM clearings", [(2, "sealed:c")]),
        ("SELECT count(*) FROM metrics WHERE isnan(value) AND model = 'team/credit'", [(1,)]),
        ("SELECT version, purpose, name, digest, rows FROM datasets ORDER BY seq",
         [(2, "training", "", "d", 7), (2, "evaluation", "holdout", "e", 9), (2, "evaluation", "", "9", None),
          (None, "named", "holdout", "e", 9), (None, "named", "holdout", "g", 8), (None, "named", "holdout", "g", 8)]),
        ("SELECT name, version, digest, rows, label, bytes, message FROM named_data ORDER BY version",
         [("holdout", 1, "e", 9, "y", None, "sealed:n"), ("holdout", 2, "g", 8, None, 7, "")]),
        ("SELECT run, model, status, error, reason, points, checkpoint_step FROM runs",
         [("r1", "team/credit", "failed", "ValueError", "sealed:r", 2, 1)]),
        ("SELECT version, name, metrics ->> 'f1' FROM evaluations", [(2, "holdout", "0.8"), (2, "", None)]),
        ("SELECT job, kind, status, epoch, worker, run, version, result ->> 'f1', error, checkpoint_step "
         "FROM jobs ORDER BY job",
         [("j1", "train", "finished", 2, "w2", "j1.1", 4, "0.9", None, 7),
          ("j2", "evaluate", "queued", 0, None, None, None, None, None, None)]),
        ("SELECT step, place, kind, needs, job, model, version, reason, told IS NULL FROM chain_steps ORDER BY place",
         [("train", 1, "train", [], "j2", "team/credit", None, "", False),
          ("gate", 2, "gate", ["train"], None, "team/credit", 4, "", False),
          ("tag", 3, "tag", ["gate"], None, None, None, "", True)]),
        ("SELECT suite, version, model, rows, named, evaluation, requirements, retired IS NOT NULL, message "
         "FROM suites ORDER BY seq",
         [("nightly", 1, None, 9, "", "night", [], False, ""),
          ("nightly", 2, "team/credit", 9, "", "night", ["f1 > 0.5"], False, "sealed:s"),
          ("weekly", 1, None, 9, "holdout@2", "night", [], True, "")]),
        ("SELECT token, owner, scopes, models, expires = '2026-01-01 00:00:00+00', revoked IS NOT NULL, actor, reason "
         "FROM tokens ORDER BY seq",
         [("t1", "a2", ["read", "move"], ["*"], True, True, "a1", "sealed:t"),
          ("t2", "a1", ["sql"], ["team/*"], None, False, "a1", "")]),
        ("SELECT study, model, directions, trials, complete, deleted IS NOT NULL, search ->> '$.metrics[0]', "
         "attributes::VARCHAR, stopped > created FROM studies ORDER BY seq",
         [("", None, ["minimize"], 1, 0, True, None, "{}", True),
          ("", "team/credit", ["minimize"], 2, 1, False, "f1", '{"ticket":"RISK-13"}', True)]),
        ("SELECT trial, status, values, parameters::VARCHAR, steps, attributes::VARCHAR, started IS NOT NULL, "
         "ended > started, dense_rank() OVER (ORDER BY created) FROM trials ORDER BY seq",
         [(0, "running", None, "{}", 0, "{}", True, None, 1),
          (0, "complete", [0.75], '{"deep":"yes","lr":0.5}', 2, '{"host":"gpu"}', True, True, 2),
          (1, "waiting", None, "{}", 0, "{}", False, None, 2)]),
        ("SELECT trial, step, value FROM trial_reports ORDER BY step", [(0, 1, 0.25), (0, 2, math.inf)]),
        ("SELECT version, parent, depth, path FROM version_tree ORDER BY version",
         [(1, None, 0, [1]), (2, 1, 1, [1, 2]), (3, 1, 1, [1, 3]), (4, 2, 2, [1, 2, 4])]),
        ("SELECT stream, stream_version, actor, data ->> 'alias' FROM events WHERE type LIKE '%alias.rolled%'",
         [("model/team/credit", 11, "a1", "production")]),
    ],
)  # fmt: skip
def test_a_view_tells_what_happened(held: Projection, sql: str, expected: list[tuple[Any, ...]]) -> None:
    assert rows(held, sql) == expected


def test_the_views_are_those_promised() -> None:
    assert [view.name for view in schema().views] == PROMISED


def test_every_column_of_every_view_is_documented_with_its_type(held: Projection) -> None:
    for view in schema().views:
        found = rows(held, f"SELECT column_name, column_type FROM (DESCRIBE {view.name})")
        says, columns = described(view)
        types = [(name, "TIMESTAMPTZ" if kind == "TIMESTAMP WITH TIME ZONE" else kind) for name, kind in found]
        assert [(column.name, column.type) for column in columns] == types, view.name
        assert says.endswith(".")
        assert all(column.says for column in columns)


def test_the_page_of_views_is_the_one_the_files_tell() -> None:
    assert DOCS.read_text("utf-8") == page(), "run `python -m lepton_ai.projections.columns`"


def test_only_known_types_are_read_and_all_that_views_promise_are() -> None:
    read = {kind for table in schema().tables for kind in table.types}
    assert read <= CATALOGUE.keys()
    untold = {re.sub(r"^lepton\.|\.v\d+$", "", kind) for kind in CATALOGUE.keys() - read}
    assert untold == {
        "ledger.created", "ledger.upgraded", "pack.written", "pack.repacked", "objects.condemned", "delta.recorded",
        "rollback.rehearsed", "version.offered", "job.warned",
    }, "decide for each new type which view tells it; `events` tells them all"  # fmt: skip


TABLE = pa.table(
    {
        "n": pa.array([1, None], pa.uint64()),
        "x": pa.array([0.5, math.nan]),
        "text": ['a "quoted", text', "ü\n"],
        "at": pa.array([START, None], pa.timestamp("us", "UTC")),
        "path": pa.array([[1, 2], []], pa.list_(pa.uint64())),
    }
)


def test_json_has_times_in_rfc_3339_and_names_for_what_is_not_finite() -> None:
    assert json.loads(export(TABLE, "json")) == [
        {"n": 1, "x": 0.5, "text": 'a "quoted", text', "at": "2026-01-01T00:00:00.000000Z", "path": [1, 2]},
        {"n": None, "x": "NaN", "text": "ü\n", "at": None, "path": []},
    ]


def test_csv_and_parquet_are_read_back() -> None:
    parquet = pa.parquet.read_table(io.BytesIO(export(TABLE, "parquet")))
    assert repr(parquet.to_pylist()) == repr(TABLE.to_pylist())
    options = pa.csv.ParseOptions(newlines_in_values=True)
    csv = pa.csv.read_csv(io.BytesIO(export(TABLE, "csv")), parse_options=options)
    assert csv["text"].to_pylist() == TABLE["text"].to_pylist()
    assert csv["path"].to_pylist() == ["[1, 2]", "[]"]


def test_an_answer_of_any_view_can_be_exported(held: Projection) -> None:
    for view in PROMISED:
        answer = query(held, f"FROM {view}")
        assert len(json.loads(export(answer, "json"))) == answer.num_rows
        assert export(answer, "csv").startswith(answer.column_names[0].encode())
        assert pa.parquet.read_table(io.BytesIO(export(answer, "parquet"))).num_rows == answer.num_rows


def test_another_format_is_refused() -> None:
    with pytest.raises(Refused, match="say arrow, csv, json, jsonl or parquet"):
        export(TABLE, "xlsx")  # type: ignore[arg-type]
