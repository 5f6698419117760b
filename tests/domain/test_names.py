"""What a model may be called: words of every script, and nothing that looks like another name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lepton_ai.domain.names import checked_model
from lepton_ai.errors import Malformed


@pytest.mark.parametrize(
    "name", ["credit", "हिन्दी", "ภาษาไทย", "தமிழ்", "বাংলা/ঋণ", "信用评分", "عَرَبِيّ", "עִבְרִית", "é", "x̂-1", "net/हि.2"]
)
def test_words_of_every_script_are_names(name: str) -> None:
    assert checked_model(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "1a", "_a", "\u0301a", "a/\u0301b", "e\u0301", "a b", "a\u202eb", "a\u200db", "a\ufe0f", "a\u034f", "a!",
        "a@b", "a..b", "a.", "a\u0301\x1b", "a\u20dd",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_word_or_looks_like_another_is_no_name(name: str) -> None:
    with pytest.raises(Malformed, match="cannot name a model"):
        checked_model(name)


def test_windows_is_told_in_one_sentence() -> None:
    code = "import sys; sys.platform = 'win32'; import lepton_ai"

    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ImportError: Lepton runs on Linux and macOS, not on Windows")
