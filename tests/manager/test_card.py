"""Model cards: Hugging Face's own reader takes them, they say what the ledger knows, and nothing private."""

from __future__ import annotations

import getpass
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lepton_ai import ModelManager
from lepton_ai.models import CreditScoringModel
from lepton_ai.results import Card
from lepton_ai.results.pages.front_matter import front_matter
from lepton_ai.results.pages.markdown import cell

GENERATOR = np.random.default_rng(4)
ROWS = 160
DATA = {"income": GENERATOR.normal(size=ROWS), "<debt>|*": GENERATOR.normal(size=ROWS)}
LABELS = (DATA["income"] + GENERATOR.normal(size=ROWS) > 0).astype(int)
LATER = {name: values[::-1].copy() for name, values in DATA.items()}
HOSTILE = "<script>x</script> | [a](b)\n# no heading\n---"


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelManager]:
    with ModelManager(tmp_path_factory.mktemp("card"), actor="ada-lovelace") as opened:
        model = CreditScoringModel()
        model.add_hyperparameter("epochs", 2)
        made = opened.train(model, DATA, LABELS, name="credit", message="asked for by ada-lovelace")
        opened.evaluate(made, DATA, LABELS, name="learnt", draws=0)
        opened.evaluate(made, LATER, LABELS[::-1].copy(), name="later", draws=60, sensitive={"sex": ["f", "m"] * 80})
        opened.describe("credit", HOSTILE)
        opened.annotate(made, {"intended_use": "who may have a loan", "license": "apache-2.0", "secret": "hush"})
        opened.save_version({"w": np.ones(3)}, name="bare", hyperparameters={"cache": "/home/ada/x", "lr": 1e-7})
        yield opened


@pytest.fixture(scope="module")
def card(manager: ModelManager) -> Card:
    return manager.card("credit@1", language="en")


def test_hugging_face_reads_the_figures(card: Card) -> None:
    hub = pytest.importorskip("huggingface_hub")

    data = hub.ModelCard(str(card)).data

    told = {(each.dataset_name, each.metric_type): each for each in data.eval_results}
    assert {name for name, _ in told} == {"validation", "learnt", "later"}
    later = next(each for each in card.judged if each.name == "later")
    assert told["later", "f1"].metric_value == later.figures["f1"]
    assert told["later", "f1"].task_type == "tabular-classification"
    assert told["later", "f1"].dataset_revision == (later.rows or {})["digest"]
    assert (data.license, data.library_name, data.tags) == ("apache-2.0", "lepton-ai-sdk", ["lepton"])


def test_a_card_says_what_is_known_and_what_is_not(card: Card) -> None:
    text = str(card)

    for part in (
        "**Intended use**: who may have a loan", "**Out of scope**: not stated", "Rows: 160", "| epochs | 2 |",
        "bootstrap over single rows, 60 draws", "Fairness by sex", "Parents: none", "load_version(\"credit@1\")",
        card.record.version.digest, card.tensors,
    ):  # fmt: skip
        assert part in text, part
    learnt, later = (text.partition(f"### {name}\n")[2].partition("\n##")[0] for name in ("learnt", "later"))
    assert "rows that it learnt from" in learnt
    assert "rows that it learnt from" not in later


def test_a_card_says_nothing_private(card: Card, manager: ModelManager, tmp_path: Path) -> None:
    cards = str(card) + str(manager.card("bare", language="en"))

    for private in ("ada-lovelace", "hush", "/home", socket.gethostname(), str(tmp_path.parent)):
        assert private not in cards
    assert getpass.getuser() not in re.findall(r"\w+", cards)
    assert "| cache | \\[…\\] |" in cards


def test_a_bare_version_has_a_card_that_admits_what_nobody_recorded(manager: ModelManager) -> None:
    text = str(manager.card("bare", language="en"))

    for part in ("Nobody recorded what it learnt from.", "Nobody judged this version.", "| lr | 1e-07 |"):
        assert part in text
    assert "model-index" not in text


def test_words_that_others_wrote_make_no_markup(card: Card) -> None:
    body = str(card).split("\n---\n", 1)[1]

    assert "<script" not in re.sub(r"\\<", "", body)
    assert "\n# no heading" not in body
    assert "| \\<debt>\\|\\* | number |" in body


def test_a_card_is_kept_whole(card: Card, tmp_path: Path) -> None:
    card.save(tmp_path / "README.md")

    assert (tmp_path / "README.md").read_text() == str(card) == card.markdown
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert card.to_dict()["version"]["version"] == 1


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS.filter(bool), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["tags", "model-index", "name", "价"]), VALUES, min_size=1))
def test_front_matter_is_yaml_that_says_the_same(facts: dict[str, Any]) -> None:
    told = front_matter(facts)

    assert told.startswith("---\n")
    assert told.endswith("\n---\n")
    assert yaml.safe_load(told[4:-4]) == facts


@given(st.text("ab|*_`[]<>#-. \n&~1", max_size=14))
def test_a_cell_is_one_cell_and_its_own_words(words: str) -> None:
    markdown = pytest.importorskip("markdown_it").MarkdownIt("js-default")

    table = markdown.render(f"| {cell(words)} | z |\n| --- | --- |\n| {cell(words)} | z |\n")

    assert table.count("<td>") == 2
    plain = re.sub(r"<[^>]*>", "", table.partition("<td>")[2].partition("</td>")[0])
    shown = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert shown == " ".join(words.split())
