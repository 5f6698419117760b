"""A small encoder with random weights, saved as a published one is."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

WORDS = ("where", "is", "my", "card", "it", "late", "i", "want", "a", "loan", "please", "hello", "good", "morning")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def small_encoder(folder: Path) -> Path:
    """A transformer of one layer over a handful of words, in a folder."""
    vocabulary = {word: place for place, word in enumerate((*SPECIAL, *WORDS))}
    reader = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    reader.normalizer, reader.pre_tokenizer = Lowercase(), Whitespace()
    reader.post_processor = TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    named = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    PreTrainedTokenizerFast(tokenizer_object=reader, **named).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=32,
        )  # fmt: skip
        BertModel(config).save_pretrained(folder)
    return folder
