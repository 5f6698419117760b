"""schemathesis against a served ledger: whatever is sent, the answer is one that the description has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from .seeded import Seeded, seeded

HERE = Path(__file__).parent
LONG = settings.get_current_profile_name() == "fuzz"
LONG_RUN = [("--phases", "examples,coverage,fuzzing,stateful", "-n", "100")]
"""What `make fuzz` does, each time with another seed."""
SHORT_RUN = [
    ("--phases", "examples,stateful", "--seed", "1", "-n", "2"),
    ("--phases", "coverage", "--seed", "1", "--include-path-regex", "position|models/{model}$|aliases|/moves$|/rows$"),
]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A ledger that the examples are of, served to who holds a token."""
    with seeded(tmp_path_factory.mktemp("ledger")) as ledger:
        yield ledger


def tried(ledger: Seeded, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Have schemathesis try the server."""
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
        *("run", f"{ledger.server.url}/api/v1/openapi.json", "-H", f"Authorization: Bearer {ledger.secret}"),
        *(
            "--no-color",
            "--continue-on-failure",
            "--warnings",
            "off",
            "--no-shrink",
            "--request-timeout",
            "90",
            *options,
        ),
    )
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.web.fuzzing", "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "options",
    LONG_RUN if LONG else SHORT_RUN,
    ids=lambda options: options[1],
)
def test_every_answer_is_one_that_the_description_has(ledger: Seeded, tmp_path: Path, options: tuple[str, ...]) -> None:
    done = tried(ledger, tmp_path, *options)

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert re.search(r"\b0 generated", done.stdout) is None
