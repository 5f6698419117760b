"""A manager between processes: pickled and copied as its settings, without what is secret in them."""

from __future__ import annotations

import copy
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager, Refused, Unavailable


def _numbers(manager: ModelManager) -> list[int]:
    with manager:
        return [int(entry.version or 0) for entry in manager.log(model="net")]


def test_a_manager_goes_to_another_process_as_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = ModelManager(tmp_path / "home", actor="ada")
    with manager:
        manager.save_version({"w": np.ones(1)}, name="net")
        monkeypatch.setenv("LEPTON_HOME", str(tmp_path / "other"))
        monkeypatch.setattr(sys, "path", [*sys.path, str(Path(__file__).parents[2])])  # where a child finds this module
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            assert pool.submit(_numbers, manager).result() == [1]


def test_what_came_from_a_pickle_or_a_copy_is_a_manager_of_its_own(tmp_path: Path) -> None:
    strict = ModelManager(tmp_path / "home", actor="ada", strict=True)
    strict.save_version({"w": np.ones(1)}, name="net")

    for again in (pickle.loads(pickle.dumps(strict)), copy.copy(strict), copy.deepcopy(strict)):
        with again:
            again.annotate("net@1", {"seen": True})
            assert again._settings == strict._settings
            assert again._strict
    strict.close()


def test_no_secret_is_in_a_pickle_and_what_lacks_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "correct-horse-battery"
    url = f"postgresql://ada:{secret}@127.0.0.1:9/ledger"
    for name in ("LEPTON_WORKER_SECRET", "LEPTON_KAFKA_KEY_PASSWORD"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("LEPTON_DATABASE", url)
    monkeypatch.setenv("LEPTON_WAIT", "0.1")
    pickled = pickle.dumps(ModelManager(tmp_path / "home"))

    assert secret.encode() not in pickled
    again = pickle.loads(pickled)
    assert again._settings.database == url
    assert again._settings.worker_secret == again._settings.kafka_key_password == secret
    with pytest.raises(Unavailable):
        again.models()
    monkeypatch.delenv("LEPTON_DATABASE")
    with pytest.raises(Refused, match="set LEPTON_DATABASE"):
        pickle.loads(pickled)
