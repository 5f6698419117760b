"""What a small save does not do: import torch or SQLAlchemy for arrays, wake threads, walk past others' saves."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from lepton_ai import ModelManager
from lepton_ai.errors import Malformed
from lepton_ai.tensors import threads
from lepton_ai.tensors.tensor import arrays_of

FIRST = """
import sys
import numpy as np
from lepton_ai import ModelManager
shared = np.arange(6, dtype="<f4")
weights = {"w": np.ones((2, 3)), "tied": shared, "same": shared, "big": np.arange(4, dtype=">i4"), "n": np.int64(3)}
with ModelManager("home") as manager:
    assert manager.save_version(weights, name="toy") == 1
    assert manager.save_version(weights, name="toy") == 1
assert not {"torch", "sqlalchemy", "alembic"} & sys.modules.keys()
"""


def test_arrays_are_saved_without_torch_and_restore_exactly(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONSAFEPATH": "1"}
    subprocess.run((sys.executable, "-c", FIRST), cwd=tmp_path, env=env, check=True)

    with ModelManager(tmp_path / "home") as manager:
        arrays = manager.load_arrays("toy@1")
        shown = manager.show("toy@1")

    assert arrays["same"] is arrays["tied"]
    assert arrays["big"].tolist() == [0, 1, 2, 3]
    assert (arrays["n"], arrays["w"].shape, arrays["tied"].dtype) == (3, (2, 3), np.float32)
    assert len(shown.tensors) == 5


@pytest.mark.parametrize("odd", [[1.0], np.array(["text"]), np.ma.masked_array([1.0, 2.0], [True, False]), None])
def test_what_is_no_plain_array_is_looked_at_as_ever(odd: object, tmp_path: Path) -> None:
    assert arrays_of({"w": np.ones(2), "odd": odd}) is None
    if not isinstance(odd, np.ma.MaskedArray):
        with ModelManager(tmp_path / "home") as manager, pytest.raises(Malformed, match="odd"):
            manager.save_version({"w": np.ones(2), "odd": odd}, name="toy")


def test_a_save_from_torch_and_from_numpy_is_the_same_version(tmp_path: Path) -> None:
    import torch

    weights = {"w": np.arange(6, dtype="float32").reshape(2, 3), "n": np.arange(3)}
    tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
    with ModelManager(tmp_path / "home") as manager:
        first = manager.save_version(weights, name="toy")

        assert manager.save_version(tensors, name="toy") == first
        assert manager.save_version({"w": weights["w"], "n": torch.arange(3)}, name="toy") == first


def test_an_item_alone_is_worked_on_by_its_own_thread() -> None:
    def where(_: int) -> int:
        return threads.threading.get_ident()

    own = threads.threading.get_ident()
    assert list(threads.in_order(where, [1])) == [own]
    assert own not in set(threads.in_order(where, [1, 2, 3]))
    assert list(threads.in_order(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(threads.in_order(where, [])) == []


def test_names_of_streams_are_found_in_as_many_steps_as_there_are_streams(tmp_path: Path) -> None:
    def steps(home: Path, act: Callable[[sqlite3.Connection], object]) -> int:
        count = 0

        def counting() -> int:
            nonlocal count
            count += 1
            return 0

        with closing(sqlite3.connect(home / "main.db")) as connection:
            connection.set_progress_handler(counting, 1)
            act(connection)
        return count

    def asked(connection: sqlite3.Connection) -> None:
        kind, last = "lepton.model.registered.v1", "model/\U0010ffff"
        assert connection.execute(sql.streams_holding, ("model/", last, last, kind, kind)).fetchall() == [
            ("model/toy",)
        ]

    counts = list[int]()
    with ModelManager(tmp_path / "home") as manager:
        for more in (1, 40):
            for number in range(more):
                manager.save_version({"w": np.full(2, 10.0 * more + number)}, name="toy")
            sql = manager._workspace.ledger.store.sql
            counts.append(steps(tmp_path / "home", asked))

    assert counts[1] <= counts[0] + 10
