"""What may be kept of a caller's values: one rule, at the start of a run as at its end."""

from __future__ import annotations

import argparse
import json
import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from pydantic import BaseModel

from lepton_ai import ModelManager
from lepton_ai.domain.commands import LogMetrics
from lepton_ai.domain.model.recipe import Recipe
from lepton_ai.domain.names import figure
from lepton_ai.errors import Malformed, Refused
from lepton_ai.events.run import MetricsLogged
from lepton_ai.models import CreditScoringModel
from lepton_ai.plain import canonical, in_json, plain

ROWS = {"digest": f"blake3:{'0' * 64}", "rows": 9}


class Mode(str, Enum):  # noqa: UP042 - what many configurations still have
    FAST = "fast"


class Level(IntEnum):
    TOP = 3


class Odd(Enum):
    THING = object()


@dataclass
class Inner:
    layers: tuple[int, ...] = (1, 2)


@dataclass
class Config:
    inner: Inner
    path: Path = Path("a/b")


class Schema(BaseModel):
    rate: float = 0.5
    mode: Mode = Mode.FAST


class Attrs:
    """As `attrs` makes its classes known."""

    class _Field:
        name = "lr"

    __attrs_attrs__ = (_Field,)
    lr = 0.5


class OmegaLike(dict[str, Any]):
    """A mapping that computes its values, as OmegaConf's interpolations do."""

    def __getitem__(self, name: str) -> Any:
        if (value := super().__getitem__(name)) == "???":
            raise RuntimeError(f"missing mandatory value: {name}")
        return self[value[2:-1]] if isinstance(value, str) and value.startswith("${") else value


KEPT: list[tuple[Any, Any]] = [
    (2**64 - 1, 2**64 - 1), (-(2**63), -(2**63)), (2**64, str(2**64)), (10**5000, hex(10**5000)), (True, True),
    (math.nan, "NaN"), (-math.inf, "-Infinity"), (np.float32("inf"), "Infinity"), (Mode.FAST, "fast"), (Level.TOP, 3),
    (Odd.THING, "THING"), (np.uint64(2**64 - 1), 2**64 - 1), (np.bool_(True), True), (np.str_("x"), "x"),
    (np.longdouble(0.5), 0.5), (ml_dtypes.bfloat16(0.5), 0.5), (np.arange(3), [0, 1, 2]),
    (np.array([1, math.nan]), [1.0, "NaN"]), (np.datetime64("2026-01-01T00:00:00.000000001"),
    "2026-01-01T00:00:00.000000001"), (torch.tensor(2, dtype=torch.bfloat16), 2.0), (torch.ones(2), [1.0, 1.0]),
    (torch.Size([2, 3]), [2, 3]), (torch.float32, "torch.float32"), (torch.device("cuda:1"), "cuda:1"),
    (np.dtype("float32"), "float32"), (np.float32, "numpy.float32"), (torch.nn.ReLU,
    "torch.nn.modules.activation.ReLU"), (math.sqrt, "math.sqrt"), (PurePosixPath("a/b"), "a/b"),
    (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"), (date(2026, 1, 2), "2026-01-02"),
    (timedelta(seconds=1.5), 1.5), (Decimal("0.10"), "0.10"), (Fraction(1, 3), "1/3"), (1 + 2j, "(1+2j)"),
    (b"\x00\xff", "00ff"), ({3, 1, 2}, [1, 2, 3]), (frozenset("ba"), ["a", "b"]), ((1, (2,)), [1, [2]]),
    (range(3), "range(0, 3)"), ({1: "b", None: 0, 0.5: 1, Level.TOP: 2, (1, 2): 3, False: 4},
    {"1": "b", "null": 0, "0.5": 1, "3": 2, "[1, 2]": 3, "false": 4}), (MappingProxyType({"a": {1}}), {"a": [1]}),
    (argparse.Namespace(lr=0.5, sizes=(1,)), {"lr": 0.5, "sizes": [1]}), (SimpleNamespace(a=1), {"a": 1}),
    (Config(Inner()), {"inner": {"layers": [1, 2]}, "path": "a/b"}), (Schema(), {"rate": 0.5, "mode": "fast"}),
    (Attrs(), {"lr": 0.5}), (OrderedDict(a=1), {"a": 1}), (OmegaLike(a=1, b="${a}"), {"a": 1, "b": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "kept"), KEPT, ids=lambda value: type(value).__name__)
def test_what_a_configuration_holds_is_kept_and_reads_back_as_it_was_written(given: Any, kept: Any) -> None:
    told = plain({"x": given}, "hyperparameters")

    assert told == {"x": kept}
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert plain(told, "hyperparameters") == told
    Recipe(hyperparameters=told).digest()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"a": [1, object()]}, r"hyperparameters.a\[1\] is an object"),
        ({"a": "\ud800"}, "hyperparameters.a has half a character"),
        ({"a": np.zeros(1001)}, "an array of more than 1,000 elements"),
        ({1: 0, "1": 0}, "two keys that are '1'"),
        (OmegaLike(a={"b": 1}, c="???"), r"hyperparameters.c cannot be read \(RuntimeError: missing mandatory"),
        ([1], "hyperparameters is a list; give a mapping"),
        (7, "hyperparameters is an int; give a mapping"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_place_when_the_run_is_made(home: Path, given: Any, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        ModelManager(home).run("net", hyperparameters=given)

    assert not (home / "main.db").exists()


def test_an_omegaconf_configuration_is_kept_whole(home: Path) -> None:
    omegaconf = pytest.importorskip("omegaconf")
    given = omegaconf.OmegaConf.create({"lr": 0.5, "same": "${lr}", "sizes": [1, {"a": "${sizes.0}"}], "n": None})

    with ModelManager(home).run("net", hyperparameters=given) as run:
        assert run.hyperparameters == {"lr": 0.5, "same": 0.5, "sizes": [1, {"a": 1}], "n": None}


def test_a_recipe_keeps_the_digest_it_always_had_and_tells_long_numbers_apart() -> None:
    known = Recipe(hyperparameters={"lr": 0.1, "layers": [1, 2]}, settings={"seed": 2**53 - 1})
    seeds = {Recipe(settings={"seed": 2**64 - n}).digest() for n in (1, 2, 3)}

    assert known.digest() == "sha256:acdf885d73dd3162504f42b4c6ed69e50e94a3cb2533ef520dac50ff76a44256"
    assert len(seeds) == 3


def test_what_a_run_accepted_is_saved_at_its_end(home: Path) -> None:
    manager = ModelManager(home)
    given = argparse.Namespace(seed=2**64 - 1, mode=Mode.FAST, rate=math.nan, at=Path("x"), odd={1: (2,)})
    names = ["AR@100", "timing(s)/gen", "mAP50(B)", "损失", "a b", 'q"uote', "x" * 200]
    with manager.run("net", hyperparameters=given) as run:
        run.log({name: n for n, name in enumerate(names)} | {"loss": math.nan, "d": Decimal("0.5")}, step=1)
        version = run.save({"w": np.ones(2)}, metrics=dict.fromkeys(names, math.inf) | {"loss": math.nan})

    expected = {"seed": 2**64 - 1, "mode": "fast", "rate": "NaN", "at": "x", "odd": {"1": [2]}}
    assert manager.show(version).hyperparameters == expected
    assert manager.load_arrays(version)["w"].tolist() == [1, 1]
    told = manager.show(version).metrics
    assert math.isnan(told["loss"])
    assert {name: told[name] for name in names} == dict.fromkeys(names, math.inf)
    assert '"loss": "NaN"' in json.dumps(manager.show(version).to_dict())
    for name in names:
        quoted = name.replace('"', '""')
        assert manager.find(f'metric."{quoted}" > 0.5') == [version]
    assert manager.find('metric."loss" > 0 and param.seed > 1') == []
    seed = manager.sql("SELECT value, kind FROM hyperparameters WHERE name = 'seed' AND version = 1").to_pylist()
    assert seed == [{"value": str(2**64 - 1), "kind": "number"}]
    logged = manager.sql("SELECT name FROM metrics WHERE run IS NOT NULL AND version IS NULL").to_pylist()
    assert {row["name"] for row in logged} == {*names, "loss", "d"}


def test_a_training_is_refused_before_it_begins_for_what_its_save_would_be(home: Path) -> None:
    def never(epoch: int, losses: object) -> None:
        pytest.fail("it was trained")

    rows, labels = np.zeros((20, 2)), np.arange(20) % 2
    bad: list[dict[str, Any]] = [
        {"metrics": {"f1": "high"}}, {"metrics": {"a\n": 1.0}}, {"hyperparameters": {"f": object()}},
        {"annotations": {"n": [1]}}, {"tags": ["no tag"]}, {"message": 7}, {"colour": "red"},
    ]  # fmt: skip
    for asked in bad:
        with pytest.raises(Refused):
            ModelManager(home).train(CreditScoringModel(), rows, labels, on_epoch=never, **asked)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.float16(0.5), 0.5), (torch.tensor(0.5, dtype=torch.bfloat16), 0.5), (ml_dtypes.bfloat16(0.5), 0.5),
        (np.array(0.5), 0.5), (Decimal("0.5"), 0.5), (Fraction(1, 2), 0.5), (True, 1.0), (2**70, float(2**70)),
        ("Infinity", math.inf),
    ],
)  # fmt: skip
def test_a_metric_is_any_real_number(given: Any, kept: float) -> None:
    assert figure("f1", given) == kept


@pytest.mark.parametrize(
    "given", [None, "0.5", b"1", 1j, np.complex64(1), np.array(1j), torch.tensor(1j), np.ones(2), 10**400, {}]
)
def test_a_metric_is_nothing_else(given: Any) -> None:
    with pytest.raises(Malformed, match=r"metric 'f1' is (an?|nothing) "):
        figure("f1", given)


def test_nan_is_never_ranked_best_and_repeated_changes_nothing(home: Path) -> None:
    manager = ModelManager(home)
    for n, loss in enumerate((math.nan, 0.5, 0.7, math.nan)):
        figures = {"metrics": {"loss": loss, "psnr": -loss}, "validation": ROWS}
        manager.save_version({"w": np.full(2, n)}, name="net", **figures)
    before = len(list(manager.events()))
    manager.save_version({"w": np.full(2, 3)}, name="net", metrics={"loss": math.nan}, validation=ROWS)

    assert len(list(manager.events())) == before
    assert [*manager.compare(1, 2, 3, 4, metric="loss").versions] == [2, 3, 4, 1]
    assert [*manager.compare(1, 2, 3, 4, metric="psnr").versions] == [2, 3, 4, 1]
    assert manager.diff(1, 4).metrics == {}
    suggested = manager.suggest_rollback(metric="loss")
    assert suggested.version == 2
    assert all(0 <= each["score"] <= 1 for each in suggested.candidates)


def test_an_infinite_figure_is_weighed_without_becoming_nan(home: Path) -> None:
    manager = ModelManager(home)
    for n, psnr in enumerate((30.0, math.inf, 20.0)):
        manager.save_version({"w": np.full(2, n)}, name="net", metrics={"psnr": psnr}, validation=ROWS)

    candidates = manager.suggest_rollback(metric="psnr").candidates

    assert [each["performance"] for each in candidates] == [1.0, 0.0]


def test_the_text_that_digests_are_made_of_is_what_it_was_when_old_keys_were_kept() -> None:
    when = datetime(2026, 1, 31, 12, tzinfo=UTC)
    block = MetricsLogged(names=("loss",), steps=(1,), values=(math.nan,), times=(when,))
    recipe = Recipe({"rate": 0.1, "rounds": MappingProxyType({"first": 3})})

    text = canonical(
        {
            **LogMetrics(run="r1", blocks=(block,)).content(),
            "at": when, "packs": frozenset("ba"), "recipe": recipe, "text": "é", "worst": -math.inf,
        }
    )  # fmt: skip

    assert text == (
        r'{"at": "2026-01-31 12:00:00+00:00", "blocks": ["{\"type\":\"lepton.metrics.logged.v1\",\"names\":[\"loss\"],'
        r'\"steps\":[1],\"values\":[\"NaN\"],\"times\":[\"2026-01-31T12:00:00Z\"]}"], "command": "LogMetrics", '
        r'"packs": ["a", "b"], "recipe": {"architecture": {}, "data": null, "derivation": null, "hyperparameters": '
        r'{"rate": 0.1, "rounds": {"first": 3}}, "settings": {}}, "run": "r1", "text": "\u00e9", "worst": -Infinity}'
    )


def test_numbers_that_json_has_no_word_for_are_written_by_name_at_any_depth() -> None:
    assert in_json({1: (math.nan, {"x": [math.inf, -math.inf]}), "y": 0.5}) == {
        "1": ["NaN", {"x": ["Infinity", "-Infinity"]}], "y": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("keys", [(0, "0"), (1.5, "1.5"), (True, "true"), (None, "null"), ((1, 2), "[1, 2]")], ids=str)
def test_names_that_are_one_in_json_are_refused(keys: tuple[Any, str]) -> None:
    for value in (dict.fromkeys(keys, 1), {"deep": [dict.fromkeys(keys, 1)]}):
        with pytest.raises(Malformed, match="two keys that are"):
            plain(value, "hyperparameters")
