"""Gates as a program meets them: judged on data or on what is recorded, kept, and guarding an alias."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from lepton_ai import GateNotMet, ModelManager
from lepton_ai.errors import LeptonError, Malformed, Refused
from lepton_ai.models import CreditScoringModel
from lepton_ai.results import Gate

COUNT = count()
ROWS = {"digest": f"blake3:{'e' * 64}", "rows": 110}


@pytest.fixture
def manager(home: Path) -> ModelManager:
    """A model net: 1, 2, 3 on main, their figures of the same rows; production on 1."""
    manager = ModelManager(home, actor="ada")
    for f1 in (0.8, 0.9, 0.7):
        saved(manager, {"f1": f1, "ks": 0.5}, validation=ROWS, task="binary")
    manager.alias("production", "net@1")
    return manager


def saved(manager: ModelManager, metrics: dict[str, float], **more: Any) -> None:
    manager.save_version({"w": np.full(3, next(COUNT), np.float32)}, name="net", metrics=metrics, **more)


def rows(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(300, 3))
    return data, (data[:, 0] + 0.5 * rng.normal(size=300) > 0).astype(int)


def test_a_gate_tells_what_held_and_the_numbers_on_both_sides(manager: ModelManager) -> None:
    gate = manager.gate("net@3", against="production", require=["f1 >= against.f1 - 0.05", "ks > parent.ks - 0.1"])

    first, second = gate.requirements
    assert (gate.passed, gate.version, gate.against, gate.parent, gate.rows) == (False, 3, 1, 2, (ROWS["digest"],))
    assert (first.holds, dict(first.numbers)) == (False, {"f1": 0.7, "against.f1": 0.8})
    assert first.compared[0]["right"] == pytest.approx(0.75)
    assert first.words == "not 0.7 >= 0.75"
    assert second.holds
    with pytest.raises(
        GateNotMet, match=r"version 3 of net does not meet 'f1 >= against\.f1 - 0\.05': not 0\.7 >= 0\.75"
    ):
        gate.check()
    manager.gate("net@2", require="f1 > 0.8").check()


def test_a_gate_shows_itself_in_english_and_chinese_and_as_html(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = manager.gate("net@3", against="production", require=["f1 > against.f1", "ks > 0.1"])

    assert str(gate).splitlines()[0] == "version 3 of net does not pass the gate, against 1"
    assert "not met: 0.7 > 0.8" in str(gate)
    assert "<table" in gate._repr_html_()
    assert str(manager.protect("production", require="f1 > against.f1")).startswith(
        "alias production of net moves only"
    )
    monkeypatch.setenv("LEPTON_LANG", "zh")
    assert str(gate).splitlines()[0] == "net 的版本 3 未通过关卡, 对比版本 1"
    assert "未满足：0.7 > 0.8" in str(gate)


def test_a_gate_on_data_evaluates_every_side_there_and_records_it(home: Path) -> None:
    manager = ModelManager(home, actor="ada")
    for epochs in (1, 3, 8):
        model = CreditScoringModel()
        for name, value in {"epochs": epochs, "members": 1, "hidden": [4]}.items():
            model.add_hyperparameter(name, value)
        manager.train(model, *rows(0), name="risk")
    data, labels = rows(1)
    require = ["f1 >= parent.f1 - 1", "f1 > against.f1 - 1", "spring/f1 > 0"]

    asked: dict[str, Any] = {"data": data, "labels": labels, "name": "spring", "draws": 0, "key": "k"}

    gate = manager.gate("risk@3", against="risk@1", require=require, **asked)

    kinds = [event["type"].split(".")[1] for event in manager.events(stream="model/risk")]
    assert gate.passed
    assert kinds[-4:] == ["evaluation", "evaluation", "evaluation", "gate"]
    assert gate.requirements[0].numbers["f1"] == manager.show("risk@3").metrics["spring/f1"]
    assert (
        manager.gate("risk@3", against="risk@1", require=require, data=data, labels=labels, name="spring", key="k")
        == gate
    )
    assert len(list(manager.events(stream="model/risk"))) == len(kinds)

    manager.add_data("summer", *rows(2), keep=True)
    summer = manager.gate("risk@3", require="f1 > parent.f1 - 1", data="summer", draws=0)
    assert (summer.name, summer.passed) == ("summer", True)
    assert summer.requirements[0].numbers["parent.f1"] == manager.show("risk@2").metrics["summer/f1"]


def test_the_views_tell_gates_and_what_they_protect(manager: ModelManager) -> None:
    manager.protect("production", require="f1 > against.f1", reason="audit")
    gate = manager.gate("net@2", against="production", require="f1 > against.f1")
    manager.alias("production", "net@2")

    told = manager.sql("SELECT version, against, passed, metrics ->> 'f1' AS f1, seq FROM gates").to_pylist()
    assert told == [{"version": 2, "against": 1, "passed": True, "f1": "0.9", "seq": gate.seq}]
    protected = manager.sql("SELECT alias, requirements, reason FROM protected_aliases").to_pylist()
    assert protected == [{"alias": "production", "requirements": ["f1 > against.f1"], "reason": "audit"}]
    assert manager.sql("SELECT gate FROM alias_moves ORDER BY seq DESC LIMIT 1").to_pylist() == [{"gate": gate.seq}]


def test_a_protected_alias_moves_by_its_gate_or_for_a_reason(manager: ModelManager) -> None:
    manager.protect("production", require=["f1 >= against.f1 - 0.01"], against="net@production")

    for move in (
        lambda: manager.alias("production", "net@2"),
        lambda: manager.aliases({"staging": "net@2", "production": "net@2"}),
        lambda: manager.rollback("net@2", move_aliases=["production"]),
    ):
        with pytest.raises(GateNotMet, match=r"gate\('net@2', against='net@production', require=\['f1 >= against"):
            move()
    with pytest.raises(Refused, match=r"unprotect\('production'\) does so"):
        manager.delete_alias("production")

    assert manager.gate("net@2", against="net@production", require="f1 >= against.f1 - 0.01")
    assert manager.alias("production", "net@2") == 2
    with pytest.raises(GateNotMet):
        manager.rollback(alias="production")
    assert manager.rollback(alias="production", override=True, reason="alarms").to_version == 1
    with pytest.raises(GateNotMet, match=r"version 3 passed no gate"):
        manager.alias("production", "net@3")
    assert manager.alias("production", "net@3", override=True, reason="only a try") == 3

    moves = manager.sql("SELECT to_version, gate IS NOT NULL AS gated, override FROM alias_moves ORDER BY seq")
    assert [tuple(row.values()) for row in moves.to_pylist()] == [
        (1, False, False), (2, True, False), (1, False, True), (3, False, True)
    ]  # fmt: skip
    manager.unprotect("production", reason="no more")
    assert manager.protections() == {}
    assert manager.alias("production", "net@1") == 1


def test_a_protection_is_shown_with_the_model_and_the_version(manager: ModelManager) -> None:
    manager.protect("production", require="f1 > 0.5 and  ks>0.1")

    assert manager.protections()["production"].requirements == ("f1 > 0.5 and ks > 0.1",)
    assert manager.about("net").protected == {"production": ("f1 > 0.5 and ks > 0.1",)}
    assert manager.show("net@1").protected == {"production": ("f1 > 0.5 and ks > 0.1",)}
    assert manager.show("net@2").protected == {}
    assert "f1 > 0.5 and ks > 0.1" in str(manager.show("net@1"))
    assert "f1 > 0.5 and ks > 0.1" in str(manager.about("net"))


ODD = "a|b `c` <d>"
"""A name that holds what Markdown and XML take for their own."""


def odd(manager: ModelManager) -> Gate:
    """A gate of three requirements: one hangs on NaN, one is met, one is not."""
    saved(manager, {ODD: 0.5}, validation=ROWS)
    saved(manager, {"f1": 0.6, ODD: float("nan")}, validation=ROWS)
    return manager.gate("net@5", require=[f'"{ODD}" > parent."{ODD}"', f'f1 > 0 or "{ODD}" > 0.4', "f1 < 0"])


def test_junit_has_a_case_a_requirement_and_counts_what_failed(manager: ModelManager) -> None:
    gate = odd(manager)
    root = ElementTree.fromstring(gate.junit())

    assert root.tag == "testsuites"
    (suite,) = root
    properties, *cases = suite
    counts = {"tests": "3", "failures": "2", "errors": "0", "skipped": "0", "time": "0"}
    assert (root.attrib, suite.attrib) == (counts, {"name": "lepton gate net@5", **counts})
    assert [each.get("name") for each in properties] == ["version", "parent", "rows", "event"]
    assert [each.attrib for each in cases] == [
        {"classname": "net.5", "name": each.text, "time": "0"} for each in gate.requirements
    ]
    assert [[part.tag for part in case] for case in cases] == [["failure"], ["system-out"], ["failure"]]
    assert [cases[place][0].attrib for place in (0, 2)] == [
        {"message": f'"{ODD}" is NaN, which is no figure', "type": "unknown"},
        {"message": "not 0.6 < 0", "type": "not met"},
    ]


def test_markdown_is_one_table_with_a_row_a_requirement(manager: ModelManager) -> None:
    gate = odd(manager)
    heading, _, head, rule, *cells, _, foot, _ = gate.markdown().split("\n")

    assert heading == "### ❌ version 5 of net does not pass the gate, parent 4"
    assert (head, rule) == ("|  | requirement | figures | outcome |", "| --- | --- | --- | --- |")
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in cells] == [5, 5, 5]
    assert cells[0].startswith('| ❌ | `` "a\\|b `c` <d>" > parent."a\\|b `c` <d>" `` | ')
    assert cells[2] == "| ❌ | `f1 < 0` | f1 0.6 | not met: 0.6 \\< 0 |"
    assert foot == f"on rows `{'e' * 12}`; event {gate.seq}"


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        ({"require": ""}, Malformed, "at character 1: expected a name"),
        ({"require": []}, Malformed, "100 requirements at most, and one at least"),
        ({"require": [3]}, Malformed, "require"),
        ({"require": "f1 > 0", "labels": rows(1)[1]}, Malformed, "give the data too, or none of it"),
        ({"require": "f1 > 0", "draws": 9}, Malformed, "give the data too, or none of it"),
        ({"require": "f1 > against.f1"}, Malformed, "name one by against="),
        ({"require": "f1 > against.f1", "against": "net@3"}, Malformed, "is not gated against itself"),
        ({"require": "f1 > against.f1", "against": "other@1"}, Refused, "is of model other"),
        ({"require": "f1 / 0 > 1 and q > 1"}, Malformed, "has a figure 'q'"),
        ({"require": "f1 > 0", "name": "holdout"}, Refused, "to be of any rows called 'holdout'; give data="),
        ({"require": "f1 > against.f1", "data": rows(1)[0], "labels": rows(1)[1]}, Malformed, "name one by against="),
    ],
    ids=range(11),
)
def test_what_cannot_be_judged_is_refused_and_records_nothing(
    manager: ModelManager, asked: dict[str, Any], kind: type[LeptonError], says: str
) -> None:
    manager.save_version({"w": np.zeros(3)}, name="other")
    before = list(manager.events())

    with pytest.raises(kind) as refusal:
        manager.gate("net@3", **asked)
    assert says in str(refusal.value)
    assert list(manager.events()) == before


def test_what_divides_by_zero_is_not_met(manager: ModelManager) -> None:
    gate = manager.gate("net@3", require="f1 / (ks - ks) > 1")

    assert (gate.passed, gate.requirements[0].holds) == (False, None)
    assert "f1 / (ks - ks) has no value" in gate.requirements[0].words
    assert "not met: it divides by zero" in str(gate)
