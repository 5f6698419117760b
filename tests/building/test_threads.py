"""Small tables are fitted on one thread by every library, also by one that is loaded behind the first fit."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from lepton_ai.building.estimators.threads import threads_for
import sklearn.ensemble
with threads_for(10):
    pass
import lightgbm, xgboost
from threadpoolctl import threadpool_info
with threads_for(10):
    inside = {each["filepath"]: each["num_threads"] for each in threadpool_info()}
assert set(inside.values()) == {1}, inside
"""


def test_a_library_that_is_loaded_later_computes_on_one_thread_too() -> None:
    done = subprocess.run((sys.executable, "-c", PROGRAM), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
