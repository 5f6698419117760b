"""A model of text: a head over a pretrained encoder, which learns with it or stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from ...datasets.columns import Column, Table
from ...datasets.tables import fingerprint, read_table
from ...errors import Malformed
from ...models.hyperparameter import Json
from ...models.registry import name_of, rebuilding, register
from ..device import chosen_device
from ..examples import Batch, Examples, Shuffled, TensorExamples
from ..neural import NeuralPredictor
from ..supervised import SupervisedModel
from .encoder import SentenceEncoder, padded
from .hyperparameters import TextHyperparameters

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ..targets import Target


@dataclass(frozen=True)
class Texts:
    """A table whose columns are text: one, or the turns of a dialogue in their order."""

    table: Table

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.table.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the turns."""
        return tuple(column.name for column in self.table.columns)

    @property
    def parts(self) -> int:
        """Texts that are read of each row, each by itself: one, or the last turn of a dialogue and those before it."""
        return 1 if len(self.columns) == 1 else 2

    def take(self, rows: npt.NDArray[np.int64]) -> Texts:
        """Those at these places."""
        return Texts(self.table.take(rows))

    def turns(self) -> list[list[str]]:
        """Of each row the texts that are there, in the order of the columns."""
        columns = [_texts(column) for column in self.table.columns]
        return [[text for text in row if text] for row in zip(*columns, strict=True)]


class TextHead(nn.Sequential):
    """A linear layer, or one hidden layer before it, over what an encoder says of a text."""

    def __init__(self, inputs: int, outputs: int, width: int, dropout_rate: float) -> None:
        hidden = [nn.Linear(inputs, width), nn.GELU(), nn.Dropout(dropout_rate)] if width else []
        last = nn.Linear(width or inputs, outputs)
        super().__init__(nn.Dropout(dropout_rate), *hidden, last, *([nn.Flatten(0)] if outputs == 1 else []))


class EncoderAndHead(nn.Module):
    """An encoder that learns with its head."""

    def __init__(self, encoder: SentenceEncoder, head: TextHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, *tokens: Tensor) -> Tensor:
        """What is said of rows, shape (rows,) or (rows, outputs). `tokens` are ids and mask of each text of a row."""
        read = [scaled(self.encoder(ids, mask)) for ids, mask in zip(tokens[::2], tokens[1::2], strict=True)]
        return self.head(torch.cat(read, dim=1))


class TextPredictor(NeuralPredictor[Texts]):
    """An encoder, and a head over what it makes of texts."""

    def __init__(self, encoder: SentenceEncoder, outputs: int, shape: Mapping[str, Any], labels: int) -> None:
        super().__init__(labels)
        self.outputs, self.shape = outputs, dict(shape)
        self.device = "cpu"
        """Where an encoder works that learns nothing."""
        head = TextHead(encoder.width * shape["parts"], outputs, shape["width"], shape["dropout_rate"])
        if shape["tune"] == "all":
            self.net = EncoderAndHead(encoder, head)
        else:
            self.frozen = encoder.requires_grad_(False)
            self.net = head

    @property
    def encoder(self) -> SentenceEncoder:
        """What reads the texts."""
        return self.net.encoder if isinstance(self.net, EncoderAndHead) else self.frozen

    def examples(self, rows: Texts, targets: Tensor | None) -> Examples:
        """Tokens where the encoder learns, else what it makes of them."""
        wanted = torch.zeros(rows.rows) if targets is None else targets
        turns, most = rows.turns(), self.shape["max_tokens"]
        tokens = [self.encoder.tokens(["".join(each[-1:]) for each in turns], most)]
        if self.shape["parts"] > 1:
            before = [self.encoder.joined(each[:-1]) for each in turns]
            tokens.append(self.encoder.tokens(before, most, from_end=True))
        if isinstance(self.net, EncoderAndHead):
            return TokenExamples(tokens, wanted)
        device = chosen_device(self.device)
        encoded = torch.cat([scaled(self.encoder.encoded(part, device)) for part in tokens], dim=1)
        return TensorExamples((encoded,), wanted)


@dataclass(frozen=True)
class TokenExamples(Shuffled):
    """Texts as the ids of their tokens, padded a batch at a time."""

    tokens: Sequence[Sequence[Sequence[int]]]
    """Of each text of a row that is read by itself, those of all rows."""
    targets: Tensor

    def batch(self, places: Tensor, *, learning: bool) -> Batch:
        """The texts at these places, as long as the longest of them."""
        del learning
        parts = (padded([part[int(place)] for place in places]) for part in self.tokens)
        return Batch(tuple(chain.from_iterable(parts)), self.targets[places])


@register("text-model")
class TextModel(SupervisedModel[Texts, TextPredictor, TextHyperparameters]):
    """Predicts two classes, several, or a number of a text, or of the last turn of a dialogue.

    `data` is a list of texts, or a table whose columns are text: several are the turns of a dialogue in their order.
    The last turn is read by itself, those before it as one text, of which the end is read where not all of it fits
    `max_tokens`. The encoder is kept in the version with its tokenizer, so nothing else is needed where it is loaded;
    while only the head learns all versions share it.
    """

    HYPERPARAMETERS: ClassVar[type[BaseModel]] = TextHyperparameters

    _columns: tuple[str, ...] = ()

    def architecture(self) -> dict[str, Json]:
        """The class, its columns and its parts' sizes. Raises `Refused` before the first fit."""
        module = self.trained()
        config: dict[str, Json] = {
            "columns": [*self._columns],
            "encoder": cast("Json", module.encoder.config),
            "labels": len(module.labels),
            "outputs": module.outputs,
            "shape": {**module.shape},
            "task": self.TASK,
            "tokenizer": len(module.encoder.tokenizer),
        }
        return {"class": name_of(type(self)), "config": config}

    @classmethod
    def from_architecture(cls, config: Mapping[str, Json]) -> Self:
        """The empty model of that shape. Raises `Malformed` where it is none, `Refused` without the extra `build`."""
        told = cast("dict[str, Any]", config)
        model = cls()
        with rebuilding(cls):
            model._columns = tuple(map(str, told["columns"]))
            encoder = SentenceEncoder(told["encoder"], int(told["tokenizer"]))
            model.module = TextPredictor(encoder, told["outputs"], told["shape"], told["labels"])
            model.predicts(str(told["task"]))
        return model

    def _read(self, data: Any) -> Texts:
        table = read_table(data)
        for column in table.columns:
            if column.kind != "category" and not bool(column.missing.all()):
                raise Malformed(f"column {column.name!r} holds {column.kind}s, and this model reads text; leave it out")
        if len(table.columns) == 1 and (lacking := int(table.columns[0].missing.sum())):
            raise Malformed(f"{lacking} texts are missing; drop these rows")
        return Texts(Table(tuple(column.as_kind("category") for column in table.columns), table.rows))

    def _known(self, data: Any) -> Texts:
        self.trained()
        return _aligned(self._read(data), self._columns)

    def _alike(self, data: Any, rows: Texts) -> Texts:
        return _aligned(self._read(data), rows.columns)

    def _predictor(self, plan: TextHyperparameters, target: Target, rows: Texts) -> TextPredictor:
        encoder = SentenceEncoder.of(plan.encoder, plan.revision)
        shape = {
            "dropout_rate": plan.dropout_rate, "max_tokens": plan.max_tokens, "parts": rows.parts,
            "tune": plan.tune, "width": plan.width,
        }  # fmt: skip
        predictor = TextPredictor(encoder, target.outputs, shape, len(target.encoded))
        predictor.device = plan.device
        return predictor

    def _keep_shape(self, rows: Texts) -> None:
        self._columns = rows.columns

    def _fingerprint(self, rows: Texts, labels: Column) -> dict[str, Any]:
        return fingerprint(rows.table, labels)


def scaled(vectors: Tensor) -> Tensor:
    """Vectors of length 1 with numbers of about 1, as a new layer expects its inputs."""
    return vectors * vectors.shape[1] ** 0.5


def _texts(column: Column) -> list[str]:
    """Each row's text; nothing where it is missing."""
    levels = (*column.levels, "")  # -1, a missing value, takes the last
    return [levels[int(place)] for place in column.values]


def _aligned(texts: Texts, columns: Sequence[str]) -> Texts:
    """One column is whatever it is called; several are those that were learnt from."""
    if len(columns) == len(texts.columns) == 1:
        return texts
    return Texts(texts.table.aligned([(name, "category") for name in columns]))
