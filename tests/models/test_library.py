"""The model library: whole cards of Lepton's own classes in both languages, and what is known of users' own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from pydantic import BaseModel, Field, ValidationError

from lepton_ai import models
from lepton_ai.building.images.hyperparameters import ImageHyperparameters, SegmentationHyperparameters
from lepton_ai.building.images.nets import ImageNet
from lepton_ai.building.images.unet import UNet
from lepton_ai.building.series.forecasting import NextValue
from lepton_ai.building.series.hyperparameters import ForecastHyperparameters, SeriesHyperparameters
from lepton_ai.building.series.nets import SeriesNet
from lepton_ai.building.tables.hyperparameters import TableHyperparameters
from lepton_ai.building.tables.nets import TableNet, bins_of
from lepton_ai.building.text.hyperparameters import TextHyperparameters
from lepton_ai.building.text.model import TextHead
from lepton_ai.errors import Malformed, UnknownRevision
from lepton_ai.models import LibraryCard, Model, registry
from lepton_ai.models.credit.ensemble import WideAndDeep
from lepton_ai.models.credit.hyperparameters import CreditScoringHyperparameters
from lepton_ai.models.encoding import Layout
from lepton_ai.models.library import entry, library, names
from lepton_ai.models.registry import OWN
from lepton_ai.results import LibraryEntry
from lepton_ai.results.chinese import CHINESE
from lepton_ai.results.rules import rule, searched

from ..programs.forest import CARD, registered_forest


@pytest.fixture(autouse=True)
def forest() -> Iterator[type[Model]]:
    """A user's own class."""
    with registered_forest() as forest:
        yield forest


ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", re.IGNORECASE)


@pytest.mark.parametrize("name", OWN)
def test_a_class_of_leptons_own_has_a_whole_card_in_both_languages(name: str) -> None:
    known = entry(name)

    words = [known.reads, known.size, known.licence, known.good_at, known.not_for, *known.sources]
    assert all(words)
    assert [each for each in words if each not in CHINESE] == []
    assert known.tasks
    assert all(address.startswith("https://") for address in known.sources.values())
    assert bool(known.extra) == bool(known.packages)
    for each in known.hyperparameters:
        said = [rule(each.schema, "zh"), searched(each.search or {}, "zh")]
        assert not any(map(ENGLISH.search, said)), (each.name, said)


@pytest.mark.parametrize("name", OWN)
def test_an_entry_names_the_class_and_all_that_may_be_chosen_of_it(name: str) -> None:
    known, kind = entry(name), registry.registered(name)

    assert known.python == f"lepton_ai.models.{kind.__name__}"
    assert getattr(models, kind.__name__) is kind
    made = kind()
    assert {each.name: each.default for each in known.hyperparameters} == made.hyperparameters
    assert {each.name: each.search for each in known.hyperparameters if each.search} == kind.search_space()


def parameters(module: torch.nn.Module) -> str:
    return f"{sum(each.numel() for each in module.parameters()):,}"


def test_sizes_are_those_at_the_defaults() -> None:
    credit, text, table = CreditScoringHyperparameters(), TextHyperparameters(), TableHyperparameters()
    nets = [WideAndDeep(features, credit.hidden, credit.members) for features in (20, 21)]
    layout = Layout(numbers=10, flagged=(), levels=())
    shape = {**table.model_dump(), "bins": bins_of(torch.randn(1000, 10))}

    assert parameters(nets[0]) in entry("credit-scoring-model").size
    assert int(parameters(nets[1]).replace(",", "")) - int(parameters(nets[0]).replace(",", "")) == 264
    assert parameters(TextHead(384, 1, text.width, text.dropout_rate)) in entry("text-model").size
    for family in ("tabm", "ft-transformer", "resnet", "mlp"):
        net = TableNet(layout, 1, shape | {"family": family})
        assert f"{parameters(net)} {family}" in entry("table-model").size
    image, series = ImageHyperparameters().model_dump(), SeriesHyperparameters().model_dump()
    for family in ("cnn", "resnet", "vit"):
        net = ImageNet(image | {"family": family}, (1, 28, 28), 1)
        assert f"{parameters(net)} {family}" in entry("image-model").size
    for family in ("tcn", "lstm", "patch-transformer"):
        net = SeriesNet(series | {"family": family}, 8, 60, 1)
        assert f"{parameters(net)} {family}" in entry("series-model").size
        ahead = NextValue(ForecastHyperparameters().model_dump() | {"family": family}, 1, 30)
        assert f"{parameters(ahead)} {family}" in entry("forecast-model").size
    assert parameters(UNet(SegmentationHyperparameters().model_dump(), 1, 2)) in entry("segmentation-model").size


def test_it_is_read_without_torch() -> None:
    code = "import sys; from lepton_ai.models.library import library; print(len(library()), 'torch' in sys.modules)"

    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(len(OWN)), "False"]


def test_a_class_of_a_users_own_is_listed_with_what_is_known_of_it(forest: type[Model]) -> None:
    known = entry("own/forest")

    assert [each.name for each in library()] == names() == [*OWN, "own/forest"]
    assert known.python == f"{forest.__module__}.Forest"
    assert (known.tasks, known.reads, known.sources) == (("binary",), CARD.reads, CARD.sources)
    assert known.missing == ("not_there_at_all",)
    depth, rate = known.hyperparameters
    assert (depth.default, depth.rule, depth.searched) == (3, "a whole number from 1 to 9", "from 1 to 9")
    assert (rate.required, rate.stands, rate.search) == (True, "required", None)


def test_an_extra_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(entry("text-model").needs) == "the extra build, installed"
    monkeypatch.setitem(sys.modules, "transformers", None)

    known = entry("text-model")

    assert known.missing == ("transformers",)
    assert str(known.needs) == "the extra build, not installed: `pip install 'lepton-ai-sdk[build]'`"
    assert str(entry("credit-scoring-model").needs) == "nothing more"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tabel-model", "there is no 'tabel-model' in the model library; did you mean table-model or text-model?"),
        ("TextModel", "there is no 'TextModel' in the model library; did you mean text-model or intent-model?"),
        ("zebra", "there is no 'zebra' in the model library; `lepton library` lists what there is"),
    ],
)
def test_a_name_that_is_none_is_one_sentence_with_the_near_names(name: str, said: str) -> None:
    with pytest.raises(UnknownRevision) as refused:
        entry(name)

    assert str(refused.value) == said


def test_a_card_is_checked_as_its_class_is_made() -> None:
    with pytest.raises(ValidationError):
        LibraryCard(sources={"a paper": "javascript:alert(1)"})
    with pytest.raises(ValidationError):
        LibraryCard(good="at everything")  # pyright: ignore[reportCallIssue]
    with pytest.raises(Malformed, match=r"CARD of Carded is no card; make it a lepton_ai\.models\.LibraryCard"):
        type("Carded", (Model,), {"CARD": {"reads": "tables"}})


def test_a_search_without_bounds_leaves_the_rest_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wide(BaseModel):
        width: int = Field(8, json_schema_extra={"search": {}})

    monkeypatch.setitem(registry._classes, "own/wide", type("WideModel", (Model,), {"HYPERPARAMETERS": Wide}))
    known: LibraryEntry = entry("own/wide")

    assert [(each.name, each.default, each.search) for each in known.hyperparameters] == [("width", 8, None)]
