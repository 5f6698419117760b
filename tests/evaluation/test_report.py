"""A report of an evaluation: its parts agree with the figures, and its charts draw in both languages."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn.metrics

from lepton_ai.errors import Malformed, Unavailable
from lepton_ai.evaluation.diagnostics.costs import Costs
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.report import Asked, report_of
from lepton_ai.results import Report
from lepton_ai.results.chinese import CHINESE
from lepton_ai.results.judging.sentences import GAPS, RATES, Sentences
from lepton_ai.results.pages import charts, drawing, markdown, page, painter, tables

from ..asking import PATIENCE

GENERATOR = np.random.default_rng(2)
ROWS = 400
PURPOSE = GENERATOR.choice(["car", "house", "business"], ROWS)
TRUTH = (GENERATOR.random(ROWS) < 0.4).astype(float)
CHANCE = np.clip(0.25 * TRUTH + 0.6 * GENERATOR.random(ROWS), 0, 1)
ASKED = Asked(
    columns={"purpose": PURPOSE}, sensitive={"sex": GENERATOR.choice(["f", "m"], ROWS)}, costs=Costs(1, 5), draws=60
)


def judged(asked: Asked = ASKED) -> Report:
    called = (CHANCE >= 0.5).astype(float)
    return report_of(Outcomes("binary", TRUTH, called, CHANCE, (0, 1), threshold=0.5), asked)


BINARY = judged()
CLASSES = report_of(
    outcomes_of_predictions("multiclass", ["a", "b", "c", "a"] * 9, ["a", "b", "a", "a"] * 9), Asked(draws=30)
)
NUMBERS = report_of(Outcomes("regression", TRUTH, CHANCE), Asked(draws=30))


def test_each_figure_lies_in_its_interval_and_the_same_seed_gives_the_same_report() -> None:
    figures = BINARY.performance.figures()

    assert {"accuracy", "f1", "roc_auc", "brier", "log_loss"} <= BINARY.intervals.keys()
    for name, interval in BINARY.intervals.items():
        if name in figures:
            assert interval.low <= figures[name] <= interval.high, name
    assert judged() == BINARY
    assert (BINARY.method, BINARY.draws, BINARY.seed) == ("rows", 60, 0)


def test_the_curve_has_the_area_that_the_figures_tell() -> None:
    roc = BINARY.curves["roc"]

    assert np.trapezoid(roc.y, roc.x) == pytest.approx(BINARY.performance.figures()["roc_auc"], abs=0.01)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)


def test_the_table_of_confusion_is_scikit_learns() -> None:
    assert CLASSES.confusion is not None

    theirs = sklearn.metrics.confusion_matrix(["a", "b", "c", "a"] * 9, ["a", "b", "a", "a"] * 9)
    assert CLASSES.confusion.classes == ("a", "b", "c")
    assert CLASSES.confusion.counts == tuple(map(tuple, theirs.tolist()))


def test_without_draws_there_are_figures_alone() -> None:
    alone = judged(Asked(draws=0))

    assert (alone.intervals, alone.draws) == ({}, 0)
    assert "intervals" not in str(alone)


def test_a_report_is_plain_json_and_reads_in_text_and_html() -> None:
    stored = json.loads(json.dumps(BINARY.to_dict(), allow_nan=False))

    assert stored["task"] == "binary"
    assert stored["intervals"]["f1"]["level"] == 0.95
    for part in ("Calibration", "Least cost", "Fairness by sex", "difference of selection rates"):
        assert part in str(BINARY)
        assert part in BINARY._repr_html_()


@pytest.mark.parametrize("shown", [BINARY, CLASSES, NUMBERS], ids=["binary", "multiclass", "regression"])
def test_what_was_kept_of_a_report_is_read_back_as_the_same_report(shown: Report) -> None:
    stored = json.loads(json.dumps(shown.to_dict(), allow_nan=False))

    assert Report.of_dict(stored) == shown
    assert Report.of_dict(shown.to_dict()) == shown


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"performance": {"task": "divination"}}, "no figures of a task"),
        ({"draws": "many"}, r"report\.draws is str"),
        ({"intervals": {"f1": {"low": 0.1}}}, r"report\.intervals\.f1 lacks a part"),
        ({"calibration": {"bins": [1], "ece": 0.1, "noise": 0.1}}, r"report\.calibration\.bins\[0\] is no Bin"),
    ],
    ids=["task", "type", "part", "kind"],
)
def test_what_was_no_report_is_not_read_as_one(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed, match=words):
        Report.of_dict(BINARY.to_dict() | change)


def test_a_report_is_told_in_chinese_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEPTON_LANG", "zh")

    told = str(BINARY) + str(CLASSES) + str(NUMBERS)

    assert re.findall(r"[a-z]{2,} [a-z]{2,} [a-z]{2,}", told) == []
    for part in ("校准误差", "每行最低成本", "公平性：sex", "选中率之差", "区间：自助法，抽样方式 逐行"):
        assert part in told


@pytest.mark.parametrize("english", [True, False], ids=["en", "zh"])
@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (BINARY, ("roc", "precision_recall", "calibration", "confusion", "costs", "slices", "fairness")),
        (CLASSES, ("confusion", "by_class")),
        (NUMBERS, ("residuals",)),
    ],
    ids=["binary", "multiclass", "regression"],
)
def test_every_chart_is_drawn(shown: Report, names: tuple[str, ...], english: bool, tmp_path: Path) -> None:
    file = tmp_path / "all.svg"

    assert charts.charts_of(shown) == names
    told = Sentences("en" if english else "zh")
    drawing.draw([charts.chart(shown, name, told) for name in names], file)

    texts = "".join(ElementTree.parse(file).getroot().itertext())
    assert any("\u4e00" <= letter <= "\u9fff" for letter in texts) is not english


def test_a_chart_is_kept_as_the_ending_of_its_file_says(tmp_path: Path) -> None:
    drawn = [charts.chart(BINARY, "roc")]
    for ending in ("png", "html", "json"):
        drawing.draw(drawn, tmp_path / f"roc.{ending}")

    assert (tmp_path / "roc.png").read_bytes()[:4] == b"\x89PNG"
    assert "http" not in (tmp_path / "roc.html").read_text().partition("vega")[0]
    assert json.loads((tmp_path / "roc.json").read_text())["$schema"].endswith(".json")
    with pytest.raises(Malformed, match=r"end it in \.svg, \.png"):
        drawing.draw(drawn, tmp_path / "roc.gif")


def test_a_part_of_a_report_is_plotted_by_itself(tmp_path: Path) -> None:
    assert BINARY.calibration is not None
    assert BINARY.costs is not None
    assert CLASSES.confusion is not None
    parts = [BINARY.calibration, BINARY.costs, CLASSES.confusion, BINARY.fairness["sex"], BINARY.performance]
    parts += [CLASSES.performance]

    drawing.draw([part.plot() for part in parts], tmp_path / "parts.svg")
    drawing.draw([BINARY.plot()], tmp_path / "whole.svg")
    drawing.draw([BINARY.plot("roc")], tmp_path / "roc.svg", "dark")

    words = "".join(ElementTree.parse(tmp_path / "parts.svg").getroot().itertext())
    assert all(
        word in words for word in ("Reliability", "Cost by threshold", "Confusion", "Rates by group", "macro_f1")
    )
    with pytest.raises(Malformed, match="plot its report"):
        NUMBERS.performance.plot()


def test_a_server_draws_in_a_process_of_its_own() -> None:
    roc = {"make": "report", "report": BINARY.to_dict(), "name": "roc", "language": "en"}
    apart = painter.Painter()

    drawn = apart.made(roc, seconds=PATIENCE)
    process = apart.process
    assert "false positive rate" in "".join(ElementTree.fromstring(drawn["svg"]).itertext())
    assert drawn["spec"]["layer"][1]["data"]["values"][0] == {"x": 0.0, "y": 0.0}
    with pytest.raises(Unavailable, match="could not be drawn"):
        apart.made({**roc, "name": "nonsense"})
    assert apart.process == process
    with pytest.raises(Unavailable, match=r"took longer than 0\.01 seconds"):
        apart.made(roc, seconds=0.01)
    assert apart.process is None
    assert apart.made(roc, seconds=PATIENCE) == drawn
    apart.close()
    with pytest.raises(Unavailable, match="ending"):
        apart.made(roc)


def test_every_chart_of_a_report_has_a_table() -> None:
    for report in (BINARY, CLASSES, NUMBERS):
        for name in charts.charts_of(report):
            table = tables.chart_table(report, name)
            assert table.count >= len(table.rows) > 0
            assert all(len(row) == len(table.head) for row in table.rows)


HOSTILE = "<script>alert(1)</script>|*x*"


@pytest.mark.parametrize("english", [True, False], ids=["en", "zh"])
def test_a_page_needs_no_network_and_obeys_no_name(english: bool) -> None:
    html = page.page(BINARY, HOSTILE, told=Sentences("en" if english else "zh"))

    assert "<script" not in html
    assert html.count("<svg") == 7
    assert not re.search(r"(?:src|href)=.?http|url\(", html)
    assert ("Fairness by sex" in html, "公平性：sex" in html) == (english, not english)


@pytest.mark.parametrize("english", [True, False], ids=["en", "zh"])
def test_markdown_tells_what_the_page_tells_and_obeys_no_name(english: bool) -> None:
    told = markdown.markdown(BINARY, HOSTILE, told=Sentences("en" if english else "zh"))

    assert re.findall(r"(?<!\\)[<*]", told.splitlines()[0]) == []
    tables = [line for line in told.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) >= 4 for line in tables)
    assert ("Fairness by sex" in told, "公平性：sex" in told) == (english, not english)


def test_a_chart_that_the_report_has_not_is_refused() -> None:
    with pytest.raises(Malformed, match="it has confusion, by_class"):
        charts.chart(CLASSES, "roc")


def test_without_altair_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)

    with pytest.raises(Unavailable, match=r"install lepton-ai-sdk\[plot\]"):
        charts.chart(BINARY, "roc")


@pytest.mark.parametrize(
    ("asked", "advice"),
    [({"draws": -1}, "between 0"), ({"level": 1.0}, "0.95 is usual"), ({"level": 0.2}, "0.95 is usual")],
)
def test_a_report_that_cannot_be_made_is_refused(asked: dict[str, Any], advice: str) -> None:
    with pytest.raises(Malformed, match=advice):
        Asked(**asked)


def test_every_sentence_of_a_report_or_card_has_its_chinese() -> None:
    room = Path(charts.__file__).parent
    files = [*room.glob("*.py"), *room.glob("templates/*"), *(room.parent / "judging").glob("[rs]*.py")]
    code = "".join(path.read_text() for path in files)
    said = {*re.findall(r'\bword\(\s*"([^"]+)"', code), *RATES.values(), *GAPS.values(), *charts.TITLES.values()}

    assert len(said) > 80
    assert said - CHINESE.keys() == set()


def test_a_report_names_no_group_that_few_rows_have() -> None:
    town = np.array(["big"] * 40 + ["small"] * 40 + [f"person {n}" for n in range(6)])
    calls = np.arange(len(town)) % 2

    found = report_of(outcomes_of_predictions("binary", calls, calls), Asked(draws=9, sensitive={"town": town}))

    assert [(each.group, each.rows) for each in found.fairness["town"].groups] == [
        ("(< 5)", 6), ("big", 40), ("small", 40),
    ]  # fmt: skip
    assert "person" not in json.dumps(found.to_dict())


def test_a_table_of_confusion_is_of_the_classes_that_are_there() -> None:
    truth, called = np.array([0, 99_999, 99_999]), np.array([0, 99_999, 7])

    found = report_of(Outcomes("multiclass", truth, called, classes=tuple(range(100_000))), Asked(draws=0))

    assert found.confusion is not None
    assert found.confusion.classes == ("0", "7", "99999")
    assert found.confusion.counts == ((1, 0, 0), (0, 0, 0), (0, 1, 1))
