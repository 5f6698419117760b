"""A training that takes more memory than there is: an event, a sentence, and a worker that goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from lepton_ai import ModelManager
from lepton_ai.models.memory import is_out_of_memory

from ..cli_home import loans
from ..worker_process import worker

WIDE = {"family": "mlp", "width": 8192, "blocks": 6, "epochs": 1, "device": "cpu"}
SMALL = {"family": "mlp", "width": 8, "blocks": 1, "epochs": 1, "device": "cpu"}


@contextmanager
def at_work(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is ended behind it."""
    process = worker(home)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_a_job_that_takes_more_memory_than_its_limit_fails_and_its_worker_lives(home: Path, tmp_path: Path) -> None:
    loans(tmp_path / "loans.csv")
    with ModelManager(home) as manager, at_work(home) as process:
        hog, other = (
            manager.jobs.train(
                "table-model", str(tmp_path / "loans.csv"), "default", name=name, hyperparameters=chosen, memory=memory
            ).job
            for name, chosen, memory in (("hog", WIDE, 1_000_000_000), ("other", SMALL, None))
        )
        ended = [manager.jobs.wait(job, timeout=300) for job in (hog, other)]

        assert [job.status for job in ended] == ["failed", "finished"]
        assert ended[0].error == "OutOfMemory"
        assert process.poll() is None
        assert manager.sql("SELECT model FROM versions")["model"].to_pylist() == ["other"]


WITHIN = """
import resource, sys
import numpy as np
from lepton_ai import ModelManager
from lepton_ai.models import TableModel

resource.setrlimit(resource.RLIMIT_DATA, (1_500_000_000, resource.RLIM_INFINITY))
manager, model = ModelManager(sys.argv[1]), TableModel()
for name, value in {wide}.items():
    model.add_hyperparameter(name, value)
try:
    manager.train(model, {{"a": np.arange(90.0) % 13}}, np.arange(90) % 2, name="hog")
except MemoryError as error:
    print(error)
print(manager.models())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_in_ones_own_process_it_is_told_in_a_sentence(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHIN.format(wide=WIDE), str(home)],
        env=os.environ | {"PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    said = done.stdout.splitlines()
    assert said, done.stderr
    assert said[0].startswith("the training takes more memory than there is (")
    assert said[0].endswith("); lower the hyperparameter 'batch_size', or make the net smaller")
    assert len(said) == 2
    assert "hog" not in said[1]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
    ids=str,
)
def test_torchs_own_words_are_known(error: Exception, told: bool) -> None:
    assert is_out_of_memory(error) is told


def test_what_numpy_cannot_have_is_the_same() -> None:
    with pytest.raises(MemoryError) as refused:
        np.empty(1 << 45)
    assert is_out_of_memory(refused.value)
