"""An architecture rebuilds registered classes, and makes Lepton import or run nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lepton_ai.errors import Malformed, Refused
from lepton_ai.models import CreditScoringModel, Model, register
from lepton_ai.models.places import fill
from lepton_ai.models.registry import architecture_of, build, registered
from lepton_ai.models.state import tensors_of


@register("test-net")
class Net(torch.nn.Module):
    def __init__(self, width: int, *sizes: int, bias: bool = True, names: tuple[str, ...] = (), **more: float) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            *(torch.nn.Linear(a, b, bias=bias) for a, b in zip((width, *sizes), sizes, strict=False))
        )
        self.more = more


class Wider(Net):
    def __init__(self, something: object) -> None:
        super().__init__(3, 5)
        self.something = something


def test_a_registered_module_is_rebuilt_from_its_arguments_defaults_included() -> None:
    net = Net(2, 3, 1, names=("a", "b"), scale=0.5)
    architecture = architecture_of(net)

    again = build(json.loads(json.dumps(architecture)))
    fill(again, tensors_of(net))

    assert architecture == {
        "class": "test-net",
        "config": {"width": 2, "sizes": [3, 1], "bias": True, "names": ["a", "b"], "more": {"scale": 0.5}},
    }
    assert isinstance(again, Net)
    assert again.more == {"scale": 0.5}
    assert torch.equal(again.layers(torch.ones(1, 2)), net.layers(torch.ones(1, 2)))


def test_the_record_does_not_follow_what_the_constructor_does_to_its_arguments() -> None:
    @register("test-greedy")
    class Greedy(torch.nn.Module):
        def __init__(self, sizes: list[int]) -> None:
            super().__init__()
            sizes.append(99)

    assert architecture_of(Greedy([1]))["config"] == {"sizes": [1]}


def test_a_subclass_that_is_not_registered_is_described_not_taken_for_its_parent() -> None:
    described = architecture_of(Wider(object()))

    assert described["class"] == f"{__name__}.Wider"
    assert "config" not in described


@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), 2**60, [torch.float32], b"x"])
def test_an_argument_that_is_no_json_is_named_at_construction(value: object) -> None:
    with pytest.raises(Malformed, match=r"argument 'names' of Net is no JSON value"):
        Net(1, names=value)  # type: ignore[arg-type]


def test_any_other_module_is_described_by_names_types_and_counts() -> None:
    described = architecture_of(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU()))

    assert described["parameters"] == 9
    assert described["modules"] == [["0", "Linear", 9], ["1", "ReLU", 0]]
    with pytest.raises(Refused, match=r"a .*Sequential without the arguments .* into=, or .* load_tensors") as raised:
        build(described)
    assert "register" not in str(raised.value)  # which would bring no arguments back


def test_a_description_stays_small_however_large_the_module() -> None:
    described = architecture_of(torch.nn.Sequential(*(torch.nn.Identity() for _ in range(3000))))

    assert len(json.dumps(described)) < 64 * 1024
    assert described["unlisted"] == 2000


PLANTED = """
import sys, json
from lepton_ai.errors import LeptonError
from lepton_ai.models.registry import build
before = set(sys.modules)
for architecture in json.loads(sys.argv[1]):
    try:
        build(architecture)
    except LeptonError as error:
        print(type(error).__name__)
    else:
        raise SystemExit(f"{architecture} was built")
print(sorted(set(sys.modules) - before))
"""


def test_an_architecture_makes_lepton_import_and_run_nothing(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("open('ran', 'w').close()\nclass Model: pass\n")
    hostile = [
        {"class": "os.system", "config": {"command": "touch ran"}},
        {"class": "planted.Model", "config": {}},
        {"class": "planted", "config": {}},
        {"class": "planted:Model", "config": {}},
        {"class": "lepton_ai.models.credit.model", "config": {}},
        {"class": "torch.nn.modules.linear.Linear", "config": {"in_features": 1, "out_features": 1}},
        {"class": ["planted"], "config": {}},
        {"config": {}},
    ]
    done = subprocess.run(
        [sys.executable, "-c", PLANTED, json.dumps(hostile)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )

    *refusals, imported = done.stdout.splitlines()
    assert refusals == ["Refused"] * 6 + ["Malformed"] * 2
    assert imported == "[]"
    assert not (tmp_path / "ran").exists()


def test_arguments_that_the_class_no_longer_takes_are_named() -> None:
    with pytest.raises(Malformed, match="takes no argument 'depth'"):
        build({"class": "test-net", "config": {"width": 1, "depth": 2}})
    with pytest.raises(Malformed, match="missing a required argument: 'width'"):
        build({"class": "test-net", "config": {}})


def test_a_name_belongs_to_one_class_and_a_class_defined_again_takes_its_place() -> None:
    def define() -> type:
        @register("test-cell")
        class Cell(torch.nn.Module):
            pass

        return Cell

    define()
    second = define()

    assert registered("test-cell") is second
    assert architecture_of(Net(np.int64(4)))["config"]["width"] == 4
    with pytest.raises(Malformed, match=r"'test-cell' already belongs to .*Cell; register Net under another"):
        register("test-cell")(Net)
    with pytest.raises(Malformed, match="already belongs to"):
        register("credit-scoring-model")(Net)


@pytest.mark.parametrize("name", ["", "9", "a b", "ä", "../x"])
def test_a_name_that_cannot_stand_in_an_event_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="cannot name a class"):
        register(name)


def test_only_models_and_modules_can_be_registered() -> None:
    with pytest.raises(Malformed, match="only Model, torch"):
        register("test-other")(dict)


def test_leptons_own_models_are_known_by_name_in_a_fresh_process() -> None:
    code = "from lepton_ai.models.registry import registered; print(registered('credit-scoring-model').__name__)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == CreditScoringModel.__name__


def test_a_users_own_model_is_rebuilt_from_its_arguments() -> None:
    @register("test-model")
    class Mine(Model):
        def __init__(self, width: int = 2) -> None:
            super().__init__()
            self.module = torch.nn.Linear(width, 1)

        def train(self, data, labels, *, validation=None, on_epoch=None):  # type: ignore[no-untyped-def]
            return self

        def predict_proba(self, data):  # type: ignore[no-untyped-def]
            raise NotImplementedError

        predict = evaluate = predict_proba  # type: ignore[assignment]

    mine = Mine(4)
    again = build(architecture_of(mine))
    again.load_state_dict(mine.state_dict())

    assert isinstance(again, Mine)
    assert torch.equal(again.module.weight, mine.module.weight)
    assert mine.name == "mine"


def test_the_public_door_opens_without_torch() -> None:
    code = "import sys, lepton_ai.models as m; assert 'torch' not in sys.modules; print(sorted(m.__all__), dir(m)[0:0])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)

    names = [
        "CreditScoringModel", "DiagnosisModel", "EstimatorModel", "ForecastModel", "ImageDiagnosisModel", "ImageModel",
        "IntentModel",
        "LibraryCard", "MaintenanceModel", "Model", "QualityInspectionModel", "RiskModel", "SegmentationModel",
        "SentimentModel", "SeriesModel", "TableModel", "TextModel", "register",
    ]  # fmt: skip
    assert done.stdout.startswith(str(names))
