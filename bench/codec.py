"""The delta codec on real training steps: ratios and speeds a core, beside memcpy, blake3, zstd and safetensors."""

from __future__ import annotations

import copy
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import zstandard
from blake3 import blake3
from torch import nn

from lepton_ai.tensors.codec import apply_delta, decode_full, encode_delta, encode_full
from lepton_ai.tensors.manifest import CHUNK

RUNS = 5
WARM_UP, DISTANCE = 30, 8  # optimiser's steps before the first version, and between two versions
# Where the work began: figures from other trainings of the same kind, on another machine.
START = {
    "AdamW 1e-4": (0.6455, 0.292),
    "AdamW 1e-5": (0.584, 0.174),
    "SGD 1e-2": (0.471, 0.076),
    "from scratch": (0.710, 0.420),
}
START_SPEED = {"fp32": (447, 882), "bf16": (425, 790)}
HUFFMAN = zstandard.ZstdCompressionParameters(
    window_log=17,
    strategy=zstandard.STRATEGY_FAST,
    target_length=0,
    min_match=7,
    hash_log=10,
    chain_log=6,
    search_log=1,
)

Weights = dict[str, np.ndarray]
Pair = tuple[np.ndarray, np.ndarray]


class Transformer(nn.Module):
    """26 million parameters that predict the next byte of a text."""

    def __init__(self, width: int = 512, context: int = 64) -> None:
        super().__init__()
        self.embed = nn.Embedding(256, width)
        self.position = nn.Parameter(torch.randn(context, width) * 0.02)
        layer = nn.TransformerEncoderLayer(width, 8, 4 * width, 0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 8, enable_nested_tensor=False)
        self.head = nn.Linear(width, 256)
        self.mask = nn.Buffer(nn.Transformer.generate_square_subsequent_mask(context), persistent=False)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(self.embed(text) + self.position, mask=self.mask, is_causal=True))


def train(model: nn.Module, optimiser: torch.optim.Optimizer, steps: int, text: torch.Tensor, seed: int) -> None:
    """Some steps on random lines of the text."""
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        starts = torch.randint(0, len(text) - 65, (4,), generator=draw)
        lines = torch.stack([text[start : start + 65] for start in starts])
        loss = nn.functional.cross_entropy(model(lines[:, :-1]).flatten(0, 1), lines[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def weights(model: nn.Module) -> Weights:
    """A copy of every parameter's bits."""
    return {name: p.detach().numpy().copy().reshape(-1) for name, p in model.named_parameters()}


def lineages() -> dict[str, tuple[Weights, Weights]]:
    """Pairs of versions, `DISTANCE` steps apart, all but the last from one trained model."""
    torch.manual_seed(0)
    source = b"".join(path.read_bytes() for path in sorted(Path(torch.__file__).parent.glob("*.py")))
    text = torch.from_numpy(np.frombuffer(source, np.uint8).astype(np.int64))
    model = Transformer()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-4)
    train(model, optimiser, WARM_UP, text, 1)
    earlier = weights(model)
    train(model, optimiser, DISTANCE, text, 2)
    found = {"from scratch": (earlier, weights(model))}
    makers: dict[str, tuple[Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer], int]] = {
        "AdamW 1e-4": (lambda p: torch.optim.AdamW(p, lr=1e-4), DISTANCE),
        "AdamW 1e-5": (lambda p: torch.optim.AdamW(p, lr=1e-5), DISTANCE),
        "SGD 1e-2": (lambda p: torch.optim.SGD(p, lr=1e-2), DISTANCE),
        "AdamW 1e-4, one step": (lambda p: torch.optim.AdamW(p, lr=1e-4), 1),
    }
    for name, (make, steps) in makers.items():
        tuned = copy.deepcopy(model)
        train(tuned, make(tuned.parameters()), steps, text, 3)
        found[name] = (weights(model), weights(tuned))
    return found


def halved(tensors: Weights) -> Weights:
    """The same in bfloat16, rounded to nearest even."""
    return {name: torch.from_numpy(w).bfloat16().view(torch.int16).numpy() for name, w in tensors.items()}


def chunks(old: Weights, new: Weights) -> list[Pair]:
    """The chunks of both as the manifest cuts them."""
    raw = ((old[name].view(np.uint8), new[name].view(np.uint8)) for name in sorted(old))
    return [(a[i : i + CHUNK], b[i : i + CHUNK]) for a, b in raw for i in range(0, len(a), CHUNK)]


def plain(old: np.ndarray, new: np.ndarray, word: int) -> int:
    """Bytes that the recipe from which the codec grew takes for Δ: byte planes as they lie, or a mask and planes."""
    delta = (new.view(f"u{word}") - old.view(f"u{word}")).view(f"i{word}")
    folded = ((delta << 1) ^ (delta >> (8 * word - 1))).view(f"u{word}")
    coder, size = zstandard.ZstdCompressor(compression_params=HUFFMAN), 0
    if np.count_nonzero(folded) < 0.7 * len(folded):
        size = len(coder.compress(np.packbits(folded != 0).tobytes()))
        folded = folded[folded != 0]
    planes = folded.view(np.uint8).reshape(-1, word).T
    return size + sum(min(len(p), len(coder.compress(p.tobytes()))) if p.any() else 1 for p in planes)


def speed(act: Callable[[], object], nbytes: int) -> float:
    """MB of raw tensor a second of CPU, which is what one core does: median of five after one that is not counted."""
    taken: list[float] = []
    for _ in range(RUNS + 1):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return nbytes / statistics.median(taken[1:]) / 1e6


def codec_row(name: str, form: str, pairs: list[Pair], word: int) -> str:
    """Ratios and one core's speeds for one pair of versions; every chunk is decoded and compared first."""
    nbytes = sum(new.nbytes for _, new in pairs)
    full = [encode_full(new, word) for _, new in pairs]
    deltas = [encode_delta(old, new, word).payload for old, new in pairs]
    for (old, new), whole, delta in zip(pairs, full, deltas, strict=True):
        live = old.copy()
        apply_delta(delta, live, 1)
        assert np.array_equal(live, new)
        assert np.array_equal(decode_full(whole), new)
    live = [old.copy() for old, _ in pairs]

    def decode() -> None:
        for payload, into in zip(deltas, live, strict=True):
            apply_delta(payload, into, 1)

    def decode_whole() -> None:
        for payload, into in zip(full, live, strict=True):
            decode_full(payload, into)

    ratio = sum(map(len, deltas)) / nbytes
    told = START.get(name)
    before = f"{told[form == 'bf16']:.3f}" if told else "–"
    unrotated = sum(plain(old, new, word) for old, new in pairs) / nbytes
    speeds = (
        speed(lambda: [encode_delta(old, new, word) for old, new in pairs], nbytes),
        speed(decode, nbytes),
        speed(lambda: [encode_full(new, word) for _, new in pairs], nbytes),
        speed(decode_whole, nbytes),
    )
    whole = sum(map(len, full)) / nbytes
    return (
        f"| {name}, {form} | {ratio:.4f} | {unrotated:.4f} | {before} | {speeds[0]:.0f} / {speeds[1]:.0f} "
        f"| {whole:.3f} | {speeds[2]:.0f} / {speeds[3]:.0f} |"
    )


def peer_rows(tensors: Weights) -> list[str]:
    """The same bytes through what everybody has, in the same run."""
    raw = np.concatenate([w.view(np.uint8) for w in tensors.values()])
    data, into = raw.tobytes(), np.empty_like(raw)
    state = {name: torch.from_numpy(w) for name, w in tensors.items()}
    coder, decoder = zstandard.ZstdCompressor(level=3), zstandard.ZstdDecompressor()
    squeezed = coder.compress(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"

        def load() -> list[torch.Tensor]:
            return [tensor.clone() for tensor in safetensors.torch.load_file(path).values()]

        figures = {
            "memcpy": (speed(lambda: np.copyto(into, raw), raw.nbytes), None, 1.0),
            "blake3": (speed(lambda: blake3(data).digest(), raw.nbytes), None, 1.0),
            "zstd-3": (
                speed(lambda: coder.compress(data), raw.nbytes),
                speed(lambda: decoder.decompress(squeezed), raw.nbytes),
                len(squeezed) / len(data),
            ),
            "safetensors save / load and clone": (
                speed(lambda: safetensors.torch.save_file(state, path), raw.nbytes),
                speed(load, raw.nbytes),
                1.0,
            ),
        }
    return [
        f"| {name} | {ratio:.3f} | {there:.0f}{f' / {back:.0f}' if back else ''} |"
        for name, (there, back, ratio) in figures.items()
    ]


def rows() -> str:
    """Two Markdown tables: the codec on pairs of versions, and its peers on the same bytes."""
    torch.set_num_threads(os.cpu_count() or 1)
    found = lineages()
    lines = [
        "| pair | delta / raw | plain planes | elsewhere | there / back, MB/s | full / raw | there / back, MB/s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, (old, new) in found.items():
        lines.append(codec_row(name, "fp32", chunks(old, new), 4))
        lines.append(codec_row(name, "bf16", chunks(halved(old), halved(new)), 2))
    start = ", ".join(f"{form} {there} / {back}" for form, (there, back) in START_SPEED.items())
    lines += ["", f"Speeds are MB a second of CPU. Elsewhere a delta (AdamW 1e-4) ran at {start} MB/s.", ""]
    lines += ["| the same bytes, fp32 | kept / raw | there / back, MB/s |", "| --- | --- | --- |"]
    lines += peer_rows(found["AdamW 1e-4"][1])
    return "\n".join(lines)


if __name__ == "__main__":
    print(rows())
