"""The short form of the chapter `writes`: every write is sent under its key to a server that is killed with kill -9."""

from __future__ import annotations

from pathlib import Path

from ..faults.writes import ordeal


def test_every_write_has_one_effect_and_one_answer_however_often_the_server_is_killed(tmp_path: Path) -> None:
    print(ordeal(tmp_path, sends=1, seed=11))
