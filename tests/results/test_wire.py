"""The SDK's own form of answers: whatever is packed is unpacked as the same, to its class and last bit."""

from __future__ import annotations

import collections.abc
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import ModelManager, errors, results
from lepton_ai.errors import Damaged, Refused
from lepton_ai.jobs.api import Jobs
from lepton_ai.results import (
    Gate,
    Log,
    Performance,
    Protections,
    Refs,
    Version,
    VersionRef,
    Versions,
)
from lepton_ai.results.wire import packed, read, unpacked, written
from lepton_ai.results.wire.answers import NEVER

from ..cli_home import Cli
from ..cli_home import cli as cli
from ..cli_home import made as made

ANSWERS = sorted(set(results.__all__) - NEVER)
NEW = Version(
    7,
    model="credit/eu",
    digest=f"sha256:{7:064x}",
    branch="main",
    parents=((6, "trained"), (VersionRef("base", 2), "teacher")),
)


def sample(kind: Any, depth: int = 0) -> Any:
    """A value of a type, with something in every part of it."""
    origin, inner = get_origin(kind), get_args(kind)
    known: dict[Any, Any] = {
        str: "an “odd” text\x07\n", int: 3, float: 0.1 + 0.2, bool: True,
        datetime: datetime(2026, 5, 1, 12, 0, 0, 7, UTC),
        Any: {"nested": [1, {"$": "x"}, (2.5, None)], "nan": math.inf}, object: 1.5, NoneType: None, Version: NEW,
        VersionRef: NEW.parents[1][0], Damaged: Damaged("pack 1", expected="a", found="b"),
        results.TaskPerformance: Performance.of_dict(FIGURES),
    }  # fmt: skip
    if kind in known:
        return known[kind]
    if origin is Literal:
        return inner[0]
    if origin in (Union, UnionType):
        return sample(next(each for each in inner if each is not NoneType), depth)
    if origin is tuple:
        one = inner[:1] if inner[1:] == (...,) else inner
        return tuple(sample(each, depth + 1) for each in one)
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return {"a name": sample(inner[1], depth + 1), "$": sample(inner[1], depth + 1)}
    if isinstance(kind, type) and issubclass(kind, list | tuple) and not is_dataclass(kind):
        return several(kind, depth)
    hints = get_type_hints(kind, localns={name: getattr(results, name) for name in ANSWERS})
    return kind(**{each.name: sample(hints[each.name], depth + 1) for each in fields(kind) if each.init})


def several(kind: Any, depth: int) -> Any:
    """A list of answers with one of them."""
    base = next(each for each in kind.__orig_bases__ if get_args(each))
    return kind([sample(get_args(base)[0], depth + 1)])


FIGURES = {each.name: 0.25 for each in fields(Performance)}


def answer(name: str) -> Any:
    """An answer of each class, with something in every field."""
    made: dict[str, Callable[[], Any]] = {
        "Version": lambda: NEW,
        "VersionRef": lambda: VersionRef("base", 2),
        "PendingVersion": lambda: results.PendingVersion("a key", "credit", "main"),
        "Refs": lambda: Refs("tags", {"$": NEW, "v1": NEW}),
        "Protections": lambda: Protections({"production": sample(results.Protection)}),
        "Confusion": lambda: results.Confusion(("a", "b"), ((1, 2), (3, 4))),
    }
    return made[name]() if name in made else sample(getattr(results, name))


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_of_every_class_comes_back_as_it_was(name: str) -> None:
    before = answer(name)

    after = read(written(before))

    assert type(after) is type(before)
    assert after == before or name == "Damages"  # errors are equal to none but themselves
    assert repr(after) == repr(before)
    assert packed(after) == packed(before)
    if hasattr(before, "to_dict"):
        assert after.to_dict() == before.to_dict()


def test_every_answer_that_the_sdk_gives_has_a_form() -> None:
    """What is left are live objects and tables, which go by ways of their own."""
    namespace = {name: getattr(results, name) for name in results.__all__}
    names: set[str] = set()
    for door in (ModelManager, Jobs):
        for method, member in vars(door).items():
            if callable(member) and not method.startswith("_"):
                names |= set(_names(member.__annotations__.get("return", "None")))

    assert names & set(namespace) - set(ANSWERS) == set()
    assert {each for each in names if each not in namespace} == {
        "Any", "Iterator", "ModelManager", "None", "Run", "TokenHolder", "bool", "bytes", "dict", "int", "list",
        "pa.Table", "str", "torch.Tensor", "tuple",
    }  # fmt: skip


def _names(annotation: str) -> list[str]:
    return re.findall(r"[A-Za-z_][\w.]*", re.sub("'[^']*'", "", annotation))


def test_every_field_of_an_answer_has_a_form() -> None:
    """A field may hold answers, and values that JSON or `values.py` knows."""
    allowed = {"Any", "Mapping", "None", "Literal", "str", "int", "float", "bool", "tuple", "datetime", "object"}
    aliases = {"Rule", "Verdict", "Status", "Language"}
    strange = {
        f"{name}.{each.name}: {each.type}"
        for name in ANSWERS
        if is_dataclass(getattr(results, name))
        for each in fields(getattr(results, name))
        for word in _names(str(each.type))
        if word not in allowed | aliases | set(ANSWERS) | {"TaskPerformance"}
    }

    assert strange == set()


@pytest.fixture
def manager(cli: Cli) -> ModelManager:
    return ModelManager(cli.home, actor="ada")


def test_what_a_ledger_answers_comes_back_and_shows_itself_the_same(manager: ModelManager) -> None:
    with manager:
        manager.protect("production", require="f1 >= against.f1 - 0.5", model="credit")
        answers: dict[str, Any] = {
            "about": manager.about("credit"),
            "aliases": manager.aliases(model="credit"),
            "branches": manager.branches("credit"),
            "card": manager.card("credit@4", language="en"),
            "compare": manager.compare("credit@1", "credit@2"),
            "diff": manager.diff("credit@1", "credit@2"),
            "dry run": manager.rollback("credit@2", dry_run=True),
            "find": manager.find("metric.f1 > 0"),
            "files": manager.files("credit@1"),
            "fsck": manager.fsck(),
            "heal": manager.heal(),
            "jobs": manager.jobs.recent(),
            "kept": manager.kept(),
            "log": manager.log(model="credit"),
            "models": manager.models(),
            "pick": manager.pick("credit@1", "credit@2"),
            "protections": manager.protections("credit"),
            "runs": manager.runs(),
            "show": manager.show("credit@4"),
            "suggest": manager.suggest_rollback(model="credit"),
            "suites": manager.suites(),
            "sync": manager.sync(),
            "tags": manager.tags("credit"),
            "upgrade": manager.upgrade(dry_run=True),
            "verify": manager.verify(),
            "events": list(manager.events()),
            "version": manager.tag("again", "credit@1"),
        }

    after = {name: read(written(each)) for name, each in answers.items()}

    assert {name: type(each) for name, each in after.items()} == {name: type(each) for name, each in answers.items()}
    assert after == answers
    assert {name: str(each) for name, each in after.items()} == {name: str(each) for name, each in answers.items()}
    for name, each in answers.items():
        if hasattr(each, "_repr_html_"):
            assert after[name]._repr_html_() == each._repr_html_(), name
        if hasattr(each, "to_dict"):
            assert after[name].to_dict() == each.to_dict(), name
    assert isinstance(after["log"], Log)
    assert list(map(str, after["log"].graph())) == list(map(str, answers["log"].graph()))
    assert str(after["diff"].whole) == str(answers["diff"].whole)
    assert after["version"].parents == answers["version"].parents
    assert after["card"].markdown == answers["card"].markdown


def test_what_was_judged_comes_back_with_its_report_and_its_check(cli: Cli) -> None:
    with ModelManager(cli.home, actor="ada") as manager:
        rows = str(cli.home.parent / "loans.csv")
        evaluation = manager.evaluate("credit@4", rows, "default", name="holdout", draws=20)
        gate = manager.gate("credit@4", require="f1 > 2")

    same, gate_again = read(written(evaluation)), read(written(gate))

    assert same == evaluation
    assert same.report.html() == evaluation.report.html()
    assert same.report.of == evaluation.report.of
    assert same.report.rows == evaluation.report.rows
    assert (same.report.markdown(), str(same.performance)) == (
        evaluation.report.markdown(),
        str(evaluation.performance),
    )
    assert isinstance(gate_again, Gate)
    assert not gate_again
    assert gate_again.junit() == gate.junit()
    with pytest.raises(errors.GateNotMet, match="does not meet 'f1 > 2'"):
        gate_again.check()


MOMENTS = st.datetimes().map(lambda each: each.replace(tzinfo=UTC, fold=0))
TIMES = st.times().map(lambda each: each.replace(fold=0))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec=None))
    | st.binary() | MOMENTS | st.dates() | TIMES | st.timedeltas() | st.uuids()
    | st.decimals(allow_nan=False) | st.fractions() | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4)
    | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(max_size=3) | st.integers() | st.tuples(st.integers(), st.booleans()), inner, max_size=4)
    | st.sets(st.integers() | st.text(max_size=2), max_size=4) | st.frozensets(st.integers(), max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(VALUES)
def test_any_value_that_an_answer_may_hold_comes_back_the_same(value: Any) -> None:
    after = read(written(value))

    assert after == value
    assert repr(after) == repr(value) or isinstance(value, Mapping | set | frozenset | list | tuple)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.0])
def test_numbers_that_json_has_no_word_for_come_back(value: float) -> None:
    assert repr(read(written({"figure": value}))["figure"]) == repr(value)


@pytest.mark.parametrize("kind", ["<f4", ">i2", "|b1", "<c16", "<M8[us]"])
def test_arrays_come_back_with_type_and_shape(kind: str) -> None:
    before = np.arange(6).astype(kind).reshape(2, 3)

    after = read(written((before, 1)))[0]

    assert (after.dtype, after.shape, after.tobytes()) == (before.dtype, before.shape, before.tobytes())
    assert read(written(np.float64(0.5))) == 0.5
    assert read(written(np.float32(0.5))) == 0.5


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"$": "Popen", "args": ["ls"]}, "there is no answer 'Popen'"),
        ({"$": "Shown"}, "there is no answer 'Shown'"),
        ({"$": "os.system", "of": "ls"}, "no 'os.system'"),
        ({"$": "error", "name": "SystemExit", "args": [], "state": {}}, "there is no error 'SystemExit'"),
        ({"$": "error", "name": "Any", "args": [], "state": {}}, "there is no error 'Any'"),
        ({"$": "Verified", "ledger": "a", "root": "b"}, "an answer 'Verified' lacks 'size'"),
        ({"$": "Version", "number": "x"}, "no 'model'"),
        ({"$": 7, "of": 1}, "'int' object is not subscriptable"),
        ({"$": "datetime", "of": "yesterday"}, "Invalid isoformat string: 'yesterday'"),
        ({"$": "array", "of": {"dtype": "|O", "shape": [1], "bytes": ""}}, "an array of objects"),
        ({"$": "tuple"}, "no 'of'"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_one_sentence_and_runs_nothing(sent: Any, said: str) -> None:
    with pytest.raises(Refused) as refused:
        unpacked(sent)

    assert str(refused.value) == (
        f"the server answers what this Lepton does not know ({said}); server and client are of different releases: "
        "bring the older of the two up to date"
    )


def test_nesting_without_end_and_what_is_no_json_are_refused() -> None:
    with pytest.raises(Refused, match="different releases"):
        read(b"[" * 5000 + b"]" * 5000)
    with pytest.raises(Refused, match="no JSON"):
        read(b"<html>")


def test_fields_of_a_newer_server_are_dropped_and_those_of_an_older_have_their_default() -> None:
    sent = packed(results.Verified(ledger="a", size=1, root="b", forgotten=3))

    assert unpacked(sent | {"witnesses": {"$": "tuple", "of": []}}) == results.Verified("a", 1, "b", 3)
    assert unpacked({name: each for name, each in sent.items() if name != "forgotten"}).forgotten == 0


def test_what_has_no_form_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="object has no form on the wire"):
        packed({"a": object()})
    with pytest.raises(TypeError, match="an array of objects"):
        packed(np.array([object()]))


def test_the_bytes_are_ascii_json() -> None:
    content = written(Versions([NEW]))

    assert json.loads(content.decode("ascii"))["of"][0]["parents"]["of"][1]["of"][0] == {
        "$": "VersionRef", "model": "base", "number": 2,
    }  # fmt: skip
    assert [date(2026, 1, 1), timedelta(3, 4, 5), Decimal("1.50"), Fraction(1, 3), UUID(int=5)] == read(
        written([date(2026, 1, 1), timedelta(3, 4, 5), Decimal("1.50"), Fraction(1, 3), UUID(int=5)])
    )
