"""The search for versions: what the little language finds, and where it says it was misspelt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai.domain.expressions.parsing import parsed
from lepton_ai.domain.expressions.tree import Constant, Reference, Relation
from lepton_ai.errors import Malformed
from lepton_ai.events.model import EvaluationRecorded, MetricsRecorded, ModelRegistered, VersionAnnotated
from lepton_ai.events.run import MetricsLogged, RunStarted
from lepton_ai.projections.projector import Projection
from lepton_ai.projections.queries.search import versions_where

from .past import START, Past, committed


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Projection]:
    past = Past()
    for model in ("credit", "team/x"):
        past.add(f"model/{model}", ModelRegistered(model=model))
    past.add("run/r1", RunStarted(run="r1", model="credit", hyperparameters={"lr": 0.9}))
    past.add("run/r1", MetricsLogged(names=("f1",), steps=(1,), values=(0.99,), times=(START,)))
    past.add(
        "model/credit",
        committed(1, hyperparameters={"lr": 0.1, "optimiser": "adam", "amp": True}, metrics={"f1": 0.7, "loss": 0.4}),
        committed(2, hyperparameters={"lr": 0.01, "optimiser": "true", "amp": "true"}, metrics={"f1": 0.85}),
        committed(3, hyperparameters={"lr": 1, "name": None}, metrics={"f1": float("nan")}),
        MetricsRecorded(version=1, metrics={"f1": 0.9}),
        EvaluationRecorded(version=2, data={}, name="holdout", metrics={"f1 macro": 0.5}),
        EvaluationRecorded(version=2, data={"digest": "a"}, name="test", metrics={"f1": 0.3, "ks": 0.1}),
        EvaluationRecorded(version=2, data={"digest": "b"}, metrics={"ks": 0.2}),
        MetricsRecorded(version=2, metrics={"ks": 0.5}, validation={"digest": "v"}),
        MetricsRecorded(version=2, metrics={"ks": 0.6, "test/ks": 0.7}),
        VersionAnnotated(version=1, annotations={"ticket": "RISK-12", "shared": 1}),
        VersionAnnotated(version=2, annotations={"ticket": "it's", "due": "2026-02-01"}),
        VersionAnnotated(version=3, annotations={"ticket": "RISK-12"}),
        VersionAnnotated(version=3, annotations={"ticket": None}),
    )
    past.add("model/team/x", committed(1, hyperparameters={"shared": 5}, metrics={"f1": 0.95}))
    with Projection(tmp_path_factory.mktemp("view"), past, wait=0) as held:
        held.catch_up()
        yield held


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("metric.f1 > 0.8 and note.ticket = 'RISK-12'", ["credit 1"]),
        ("metric.f1 > 0.8", ["credit 1", "credit 2", "team/x 1"]),
        ("metric.f1 >= .9 AND metric.f1<0.95", ["credit 1"]),
        ("metric.f1 != 0.9", ["credit 2", "credit 3", "team/x 1"]),
        ("f1 <= 0.85", ["credit 2"]),
        ("param.lr = 1e-2", ["credit 2"]),
        ("lr < 1 and lr > -3", ["credit 1", "credit 2"]),
        ("optimiser = 'adam'", ["credit 1"]),
        ("param.amp = true", ["credit 1"]),
        ("param.amp != true", ["credit 2"]),
        ("param.amp = 'true'", ["credit 2"]),
        ("param.name = 1", []),
        ("note.ticket = 'it''s'", ["credit 2"]),
        ("ticket != 'RISK-12'", ["credit 2"]),
        ("note.due >= '2026-01-31'", ["credit 2"]),
        ('metric."holdout/f1 macro" = 0.5', ["credit 2"]),
        ('"holdout/f1 macro" = 0.5', ["credit 2"]),
        ("metric.test/f1 < 0.6", ["credit 2"]),
        ("test/f1 = 0.3", ["credit 2"]),
        ("metric.f1 < 0.6", []),
        ("metric.evaluation/ks = 0.2", ["credit 2"]),
        ("metric.ks = 0.5", ["credit 2"]),
        ("metric.test/ks = 0.1", ["credit 2"]),
        ("note.shared = 1", ["credit 1"]),
        ("0.9 < f1", ["team/x 1"]),
        ("'adam' = optimiser or f1 = 0.95", ["credit 1", "team/x 1"]),
        ("not f1 > 0.9", ["credit 1", "credit 2", "credit 3"]),
        ("not f1 != 0.9", ["credit 1"]),
        ("not (f1 > 0.9 or lr >= 1)", ["credit 1", "credit 2"]),
        ("not (f1 > 0.8 and lr < 0.1)", ["credit 1", "credit 3"]),
        ("not ticket = 'RISK-12'", ["credit 2"]),
        ("f1 > 0.8 and (lr = 0.1 or test/f1 > 0)", ["credit 1", "credit 2"]),
        ("f1 > test/f1", ["credit 2"]),
        ("f1 - test/f1 > 0.5", ["credit 2"]),
        ("f1 - test/f1 < 0.5", []),
        ("2 * lr + 0.8 = f1 + 0.1", ["credit 1"]),
        ("f1 * lr != 1", ["credit 1", "credit 2", "credit 3"]),
        ("not f1 * lr < 1", ["credit 3"]),
        ("f1 / (lr - 0.1) > 0", []),
        ("f1 / (lr - 0.1) < 0", ["credit 2"]),
        ("f1 * 1e300 * 1e300 > 1", ["credit 1", "credit 2", "team/x 1"]),
        ("optimiser + 1 > 0", []),
    ],
)
def test_an_expression_finds_versions(held: Projection, expression: str, found: list[str]) -> None:
    assert [f"{model} {version}" for model, version in versions_where(held, expression)] == found


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "at character 1: expected a name, found 'the end'"),
        ("metric.f1", "at character 10: expected one of = != < <= > >=, found 'the end'"),
        ("metric.f1 >", "at character 12: expected a number, a name, a 'string', true or false, found 'the end'"),
        ("metric.f1 > high", "at character 13: no metric, param or note is called 'high'"),
        ("metric.f1 > 0.8 xor lr = 1", "at character 17: expected `and`, `or` or the end, found 'xor'"),
        ("metric.f1 > 0.8 and", "at character 20: expected a name"),
        ("metric. > 1", "at character 9: expected a name after metric."),
        ("metric.f1 > 'x'", "at character 1: metric 'f1' is compared with a number, not 'x'"),
        ("metric.f1 = true", "at character 1: metric 'f1' is compared with a number, not True"),
        ("param.amp > true", "at character 1: true is only compared by = and !="),
        ("note.ticket = 'open", 'at character 15: no name, comparison or value begins with "\'"'),
        ("f1 ~ 3", "at character 4: no name, comparison or value begins with '~'"),
        ("f1 > 3x", "at character 6: no name, comparison or value begins with '3'"),
        ("shared = 1", "at character 1: param.shared and note.shared both exist; say which"),
        ("nowhere = 1", "at character 1: no metric, param or note is called 'nowhere'"),
        ("metric.tset/f1 = 1", "at character 1: no metric is called 'tset/f1'; did you mean test/f1"),
        ("f1 > 2 and metric.nowhere = 1", "at character 12: no metric is called 'nowhere'"),
        ("param.optimizer = 'adam'", "at character 1: no param is called 'optimizer'; did you mean optimiser?"),
        ("note.tickets = 1", "at character 1: no note is called 'tickets'; did you mean ticket?"),
        (
            "optimizer = 'adam'",
            "at character 1: no metric, param or note is called 'optimizer'; did you mean optimiser?",
        ),
        ("params.lr < 1", "at character 1: no metric, param or note is called 'params.lr'; did you mean param.lr?"),
        ("f1 > 1; DROP TABLE x", "at character 7"),
        ("f1 > parent.f1", "at character 6: no metric, param or note is called 'parent.f1'; a search looks at each"),
        ("f1-0.1 > 0", "called 'f1-0.1'; put spaces around - and /"),
        ("f1 > 0 or metric.nowhere = 1", "at character 11: no metric is called 'nowhere'"),
        ("f1 + 1 > 'a'", "at character 10: 'a' is compared with one name alone"),
        ("branch + 1 > 1", "at character 1: branch is no number"),
    ],
)
def test_a_misspelt_expression_is_shown_the_place(held: Projection, expression: str, says: str) -> None:
    with pytest.raises(Malformed) as refusal:
        versions_where(held, expression)
    assert says in str(refusal.value)


@given(name=st.text(min_size=1, max_size=9), value=st.text(max_size=9))
def test_quoting_carries_any_name_and_any_string(name: str, value: str) -> None:
    quoted = "note.\"{}\" = '{}'".format(name.replace('"', '""'), value.replace("'", "''"))
    assert parsed(quoted, sides=()) == Relation("=", Reference(None, "note", name), Constant(value))
