"""Texts as a transformer reads them: tokens, and one vector a text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Self

import torch
from torch import Tensor, nn

from ..extra import built_with
from .pretrained import pretrained

AT_ONCE: Final = 64
"""Texts of nearly one length that are encoded at once."""
_SEPARATORS: Final = ("[SEP]", "</s>")


class SentenceEncoder(nn.Module):
    """A transformer, and the mean of what it says of a text's tokens, of length 1 (Reimers and Gurevych 2019).

    The tokenizer's file is a buffer, so that whoever has the parameters needs nothing else.
    """

    def __init__(self, config: Mapping[str, Any], tokenizer: int) -> None:
        super().__init__()
        transformers = built_with("transformers")
        kind = str(config["model_type"])
        told = transformers.AutoConfig.for_model(kind, **{key: config[key] for key in config if key != "model_type"})
        self.config = dict(config)
        self.transformer = transformers.AutoModel.from_config(told, trust_remote_code=False).float().eval()
        self.tokenizer = nn.Buffer(torch.zeros(tokenizer, dtype=torch.uint8))

    @classmethod
    def of(cls, name: str, revision: str | None = None) -> Self:
        """The pretrained encoder of that name. Raises `Refused`, as `pretrained` does."""
        had = pretrained(name, revision)
        config: dict[str, Any] = json.loads(had.transformer.config.to_json_string(use_diff=True))
        config = {key: value for key, value in config.items() if key not in _OF_A_COPY}
        encoder = cls({**config, "model_type": had.transformer.config.model_type}, len(had.tokenizer))
        encoder.transformer.load_state_dict(had.transformer.state_dict())
        encoder.tokenizer.copy_(torch.frombuffer(bytearray(had.tokenizer), dtype=torch.uint8))
        return encoder

    @property
    def width(self) -> int:
        """Numbers that a text becomes."""
        return int(self.transformer.config.hidden_size)

    @cached_property
    def _reader(self) -> Any:
        reader = built_with("tokenizers").Tokenizer.from_str(self.tokenizer.cpu().numpy().tobytes().decode())
        reader.no_padding()
        return reader

    def joined(self, turns: Sequence[str]) -> str:
        """Turns of a dialogue as one text."""
        known = (each for each in _SEPARATORS if self._reader.token_to_id(each) is not None)
        return f" {next(known, '')} ".join(turns)

    def tokens(self, texts: Sequence[str], most: int, *, from_end: bool = False) -> list[list[int]]:
        """The ids of each text's tokens, at most `most`: its first, or, `from_end`, its last."""
        most = min(most, int(getattr(self.transformer.config, "max_position_embeddings", most)))
        self._reader.enable_truncation(most, direction="left" if from_end else "right")
        return [each.ids for each in self._reader.encode_batch([*texts])]

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors of length 1, float32, shape (texts, width). `ids` and `mask` are int64, shape (texts, tokens)."""
        said = self.transformer(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(said.dtype)
        mean = (said * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
        return nn.functional.normalize(mean.float(), dim=1)

    def encoded(self, tokens: Sequence[Sequence[int]], device: torch.device) -> Tensor:
        """The vectors of texts, on the CPU, for what learns nothing of the encoder."""
        order = sorted(range(len(tokens)), key=lambda place: len(tokens[place]))
        found = torch.empty(len(tokens), self.width)
        self.to(device).eval()
        try:
            for first in range(0, len(order), AT_ONCE):
                places = order[first : first + AT_ONCE]
                ids, mask = padded([tokens[place] for place in places])
                found[places] = self(ids.to(device), mask.to(device)).float().cpu()
        finally:
            self.to("cpu")
        return found


_OF_A_COPY: Final = frozenset(("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype"))
"""Of a configuration, what tells where a copy of the encoder came from."""


def padded(tokens: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids, 0 beyond each text's end, and where there are any: int64, shape (texts, tokens of the longest)."""
    longest = max(1, max(map(len, tokens), default=1))
    ids, mask = (
        torch.zeros(len(tokens), longest, dtype=torch.int64),
        torch.zeros(len(tokens), longest, dtype=torch.int64),
    )
    for place, each in enumerate(tokens):
        ids[place, : len(each)] = torch.tensor(each, dtype=torch.int64)
        mask[place, : len(each)] = 1
    return ids, mask
