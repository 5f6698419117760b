"""What comparisons and diffs show: what differs first, what is the same counted, and nothing ranked that cannot be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from IPython.lib.pretty import pretty

from lepton_ai.results import Comparison, Diff, Refs, TensorChange, Version, Versions
from lepton_ai.results.render import plain_text

SHOWN = Path(__file__).parent / "shown"
OURS = {"digest": f"sha256:{'3fa1' * 16}", "rows": 2400}
THEIRS = {"digest": f"sha256:{'be12' * 16}", "rows": 110}


def version(number: int, branch: str = "main") -> Version:
    return Version(number, model="credit", digest=f"sha256:{number:064x}", branch=branch)


def compared(*figures: Mapping[str, float], rows: tuple[Mapping[str, Any], ...] = (), **fields: Any) -> Comparison:
    """Versions 1, 2, ... with these figures, all on the same rows unless others are given, unranked."""
    known = rows or tuple(dict.fromkeys(each, OURS) for each in figures)
    versions = tuple(version(number, "main" if number % 3 else "全量") for number in range(1, len(figures) + 1))
    asked: dict[str, Any] = {"metric": None, "on": None, "words": ""} | fields
    return Comparison(model="credit", versions=versions, metrics=figures, rows=known, **asked)


def many(versions: int, figures: int, chosen: int) -> Comparison:
    """As many versions, figures and hyperparameters, every third figure and hyperparameter the same for all."""
    metrics = tuple(
        {"f1": 1 - number / 64} | {f"recall_at_{at}": (number if at % 3 else 9) / (at + 9) for at in range(1, figures)}
        for number in range(versions)
    )
    hyperparameters = tuple(
        {f"optimizer.param_{at}": number / 7 if at % 3 else "as ever" for at in range(chosen)}
        for number in range(versions)
    )
    better = {"f1": "higher", "recall_at_1": "higher"}
    return compared(*metrics, metric="f1", on=OURS, hyperparameters=hyperparameters, better=better)


def difference(tensors: int, **parts: Any) -> Diff:
    named = ("hyperparameters", "architecture", "settings", "data", "environment", "code", "files", "metrics")
    changes = tuple(
        TensorChange(
            f"encoder.layers.{at}.attention.self.query.weight", "changed", at / 128, at / 2, at / 256, 0.5, 0.25
        )
        for at in range(tensors)
    )
    return Diff(
        before=version(1),
        after=version(2),
        other_rows=("test/f1",),
        tensors=(*changes, TensorChange("head.bias", "added")),
        same={"hyperparameters": ("epochs", "members"), "code": ("commit",), "tensors": ("body.weight",)},
        **({name: {} for name in named} | parts),
    )


ANSWERS = {
    "compare-2": many(2, 3, 2),
    "compare-5": many(5, 30, 6),
    "compare-12": many(12, 60, 3),
    "diff-100": difference(
        100,
        hyperparameters={"lr": (0.1, 0.01), "note": (None, "全量数据重新训练" * 12)},
        metrics={"f1": (0.8, 0.9), "test/f1": (0.7, 0.6)},
        environment={f"packages.p{at}": ("1.0", "2.0") for at in range(30)},
    ),
}


@pytest.mark.parametrize("columns", [40, 60, 120])
@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_shown_as_they_were(name: str, columns: int) -> None:
    shown = plain_text(ANSWERS[name].blocks(), columns) + "\n"
    golden = SHOWN / f"{name}.{columns}.txt"

    if os.environ.get("LEPTON_GOLDEN") == "write":
        golden.write_text(shown)

    assert shown == golden.read_text()


def test_a_page_is_as_it_was() -> None:
    shown = compared({"f1": 0.5, "<b>": 1.0}, {"f1": 0.75}, better={"f1": "higher"})._repr_html_() + "\n"
    golden = SHOWN / "compare.html"

    if os.environ.get("LEPTON_GOLDEN") == "write":
        golden.write_text(shown)

    assert shown == golden.read_text()


def test_what_is_the_same_for_all_is_counted_named_and_shown_when_asked_for() -> None:
    comparison = compared(
        {"f1": 0.5, "recall": 0.25},
        {"f1": 0.75, "recall": 0.25},
        hyperparameters=({"lr": 0.1, "epochs": 3}, {"lr": 0.2, "epochs": 3}),
    )

    lines = str(comparison).split("\n")
    assert lines[-1].startswith("the same for all: 1 figure (recall), 1 hyperparameter (epochs); --all")
    assert not any("recall" in line or "epochs" in line for line in lines[:-1])
    assert "0.25" in str(comparison.whole)
    assert "epochs" in str(comparison.whole)
    assert comparison.same == {"metrics": ("recall",), "hyperparameters": ("epochs",)}


def test_the_best_is_marked_where_it_is_known_which_way_is_better_and_on_the_same_rows() -> None:
    figures = ({"f1": 0.5, "loss": 2.0, "novel": 1.0}, {"f1": 0.75, "loss": 3.0, "novel": 2.0})
    better = {"f1": "higher", "loss": "lower"}

    on_the_same = str(compared(*figures, better=better)).split("\n")
    elsewhere = str(
        compared(*figures, better=better, rows=(dict.fromkeys(figures[0], THEIRS), dict.fromkeys(figures[1], OURS)))
    )
    unnamed = str(compared(*figures, better=better, rows=({}, {})))

    assert on_the_same[2].split() == ["1", "main", "0.5", "2", "*", "1"]
    assert on_the_same[3].split() == ["2", "main", "0.75", "*", "3", "2"]
    assert "*" not in elsewhere + unnamed
    assert "a: 110 rows be12be12be12\nb: 2,400 rows 3fa13fa13fa1" in elsewhere
    assert "a: rows that nobody named" in unnamed


def test_equal_figures_on_other_rows_are_not_the_same() -> None:
    comparison = compared({"n": 3.0}, {"n": 3.0}, rows=({"n": OURS}, {"n": THEIRS}))

    assert comparison.same["metrics"] == ()


def test_nan_is_never_the_best() -> None:
    comparison = compared({"f1": float("nan")}, {"f1": 0.5}, {"f1": 0.25}, better={"f1": "higher"})

    assert [line.split()[2:] for line in str(comparison).split("\n")[2:5]] == [["nan"], ["0.5", "*"], ["0.25"]]


def test_a_long_diff_shows_what_changed_most_counts_the_rest_and_has_all_of_it() -> None:
    diff = difference(100)
    shown, whole = str(diff), str(diff.whole)

    assert "encoder.layers.99." in shown
    assert "encoder.layers.5." not in shown
    assert "and 81 more that changed less; --all" in shown
    assert shown.split("\n")[-1].startswith("the same: 2 hyperparameters, 1 code value, 1 tensor; --all")
    assert all(tensor.name in whole for tensor in diff.tensors)
    assert "epochs, members" in whole


def test_what_is_short_is_shown_in_its_order_with_nothing_left_out() -> None:
    names = [line.split()[0] for line in str(difference(3)).split("\n") if "changed  " in line or "added" in line]

    assert names == ["tensors", *(f"encoder.layers.{at}.attention.self.query.weight" for at in range(3)), "head.bias"]


def test_ipython_shows_what_print_does() -> None:
    for answer in (ANSWERS["compare-2"], ANSWERS["compare-2"].whole, Versions([version(1)]), Refs("tags", {})):
        assert pretty(answer) == str(answer)
