"""What a model may be called: words of every script, and nothing that looks like another name."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\u200bb", "leave out its zero width space (U+200B), which nobody sees"),
        ("a\u202eb", "leave out its right-to-left override (U+202E), which nobody sees"),
        ("\u0645\u06cc\u200c\u062e", "leave out its zero width non-joiner (U+200C), which nobody sees"),
        ("a\ufe0f", "leave out its variation selector-16 (U+FE0F), which nobody sees"),
        ("a\u0301\x1b", "leave out its control character (U+001B), which nobody sees"),
        ("vie\u0323\u0302t", "write it in Unicode's composed form (NFC), as 'vi\u1ec7t'"),
        ("x" * 201, "a name has 200 characters at most"),
        ("\U0001f680", "begin with a letter, go on with letters, digits or ._-/"),
    ],
    ids=ascii,
)
def test_the_reason_why_it_is_no_name_is_the_true_one(name: str, reason: str) -> None:
    with pytest.raises(Malformed) as refusal:
        checked_model(name)

    assert str(refusal.value).endswith(f" cannot name a model; {reason}")
