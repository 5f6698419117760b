"""MISSION's sample, letter for letter, on real data where it is at hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SAMPLE = Path(__file__).parents[2] / "demo" / "sample.txt"
PRINTED = """
from lepton_ai import ModelManager
from lepton_ai.models import CreditScoringModel

model_manager = ModelManager()
model = CreditScoringModel()
model.add_hyperparameter('learning_rate', 0.01)
model.add_hyperparameter('dropout_rate', 0.2)
model.train(train_data, train_labels)
version = model_manager.save_version(model)
print(f"模型版本{version}已保存")
new_model = model_manager.load_version(version)
print(f"回退到版本{version}")
performance = new_model.evaluate(test_data, test_labels)
print(f"模型性能：{performance}")
"""
RUN = """
import runpy, sys
import numpy as np
rng = np.random.default_rng(0)
data = rng.normal(size=(400, 5)).astype("float32")
labels = (data @ [1.5, -1, 0.5, 0, 0] + rng.normal(size=400) > 0.4).astype(int)
names = dict(train_data=data[:300], train_labels=labels[:300], test_data=data[300:], test_labels=labels[300:])
runpy.run_path(sys.argv[1], init_globals=names)
"""


def run_sample(home: Path) -> list[str]:
    environment = os.environ | {"LEPTON_HOME": str(home), "PYTHONSAFEPATH": "1", "LEPTON_LANG": "zh"}
    done = subprocess.run(
        (sys.executable, "-c", RUN, str(SAMPLE)), env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_example_is_the_sample_as_printed() -> None:
    assert PRINTED.strip() in SAMPLE.read_text()


def test_the_sample_runs_twice_in_one_home_beside_another_model(home: Path) -> None:
    from lepton_ai import ModelManager

    with ModelManager(home) as manager:
        manager.save_version({"w": np.arange(3.0)}, name="another")

    first, second = run_sample(home), run_sample(home)

    assert first[0] == "模型版本1已保存"
    assert first[1] == "回退到版本1"
    assert first[2].startswith("模型性能：精度0.")
    assert "召回率0." in first[2]
    assert "F1分数0." in first[2]
    assert second == first


def test_the_figures_are_the_datas(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sklearn.metrics import f1_score, precision_score, recall_score

    from lepton_ai import ModelManager
    from lepton_ai.models import CreditScoringModel

    monkeypatch.setenv("LEPTON_LANG", "zh")
    rng = np.random.default_rng(0)
    data = rng.normal(size=(400, 5)).astype("float32")
    labels = (data @ [1.5, -1, 0.5, 0, 0] + rng.normal(size=400) > 0.4).astype(int)
    with ModelManager(home) as manager:
        model = CreditScoringModel()
        model.train(data[:300], labels[:300])
        loaded = manager.load_version(manager.save_version(model))

    predicted = loaded.predict(data[300:])

    precision, recall = precision_score(labels[300:], predicted), recall_score(labels[300:], predicted)
    f1 = f1_score(labels[300:], predicted)
    performance = loaded.evaluate(data[300:], labels[300:])
    assert str(performance) == f"精度{precision:.2f}，召回率{recall:.2f}，F1分数{f1:.2f}"
