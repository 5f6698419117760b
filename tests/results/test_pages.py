"""A report's page in a browser: it asks nobody, fits a telephone, and is legible on light and dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from lepton_ai.evaluation.diagnostics.costs import Costs
from lepton_ai.evaluation.outcomes import Outcomes
from lepton_ai.evaluation.predictions import outcomes_of_predictions
from lepton_ai.evaluation.report import Asked, report_of
from lepton_ai.results import Report
from lepton_ai.results.judging.sentences import Sentences
from lepton_ai.results.pages import drawing, page
from lepton_ai.results.pages.markdown import markdown

ROWS: Final = 300
LEGIBLE: Final = """() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const rgb = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => colour.slice(0, 3).map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = light(rgb(getComputedStyle(document.body).backgroundColor));
    const worst = {};
    for (const each of document.querySelectorAll('h1,h2,p,th,td,li,svg text')) {
        if (!each.textContent.trim() || each.closest('[aria-roledescription="text mark container"]')) continue;
        const style = getComputedStyle(each), own = light(rgb(each.closest('svg') ? style.fill : style.color));
        worst[each.textContent.trim()] = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
    }
    return worst;
}"""
"""The contrast of each text with the page, as WCAG 2.2 computes it; counts in a chart's cells stand on these."""


def shown() -> Report:
    generator = np.random.default_rng(12)
    truth = (generator.random(ROWS) < 0.4).astype(float)
    chance = np.clip(0.25 * truth + 0.6 * generator.random(ROWS), 0, 1)
    purpose = generator.choice(["car", "a purpose that takes many words to be told at all", "装修"], ROWS)
    asked = Asked(
        columns={"purpose": purpose}, sensitive={"sex": generator.choice(["f", "m"], ROWS)}, costs=Costs(1, 5), draws=20
    )
    return report_of(Outcomes("binary", truth, (chance >= 0.5).astype(float), chance, (0, 1), 0.5), asked)


def named(truth: list[float], classes: tuple[str, str]) -> Report:
    groups = {"sex": ["f", "m"] * (len(truth) // 2)}
    outcomes = Outcomes("binary", np.array(truth), np.array(truth), None, classes)
    return report_of(outcomes, Asked(sensitive=groups, draws=20))


def test_a_report_says_which_class_is_positive_and_how_sure_its_gaps_are() -> None:
    report, told = named([0.0, 1.0] * 20, ("good", "b*d")), Sentences("en")
    written = (markdown(report, told=told), page.page(report, told=told, drawn=False))

    assert r"Positive class: b\*d" in written[0]
    assert "正类：b*d" in page.page(report, told=Sentences("zh"), drawn=False)
    for each in written:
        assert re.search(r"rates 1: beyond chance \(p [0-9.]+\); 95% interval [0-9.]+ to 1", each)
    assert "Positive class" not in markdown(shown(), told=told)
    assert "Positive class" not in markdown(named([0.0] * 40, ("good", "bad")), told=told)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_asks_nobody_fits_a_telephone_and_is_legible(browser: Any, language: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page.page(shown(), told=Sentences(language)))

    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme)
        seen = context.new_page()
        asked: list[str] = []
        seen.on("request", lambda request, asked=asked: asked.append(request.url))
        seen.goto(file.as_uri())

        assert asked == [file.as_uri()]
        assert seen.evaluate("document.documentElement.scrollWidth") == 390
        contrasts: dict[str, float] = seen.evaluate(LEGIBLE)
        assert len(contrasts) > 60
        assert {words: ratio for words, ratio in contrasts.items() if ratio < 4.5} == {}
        context.close()


def test_charts_as_a_page_ask_nobody_either(browser: Any, tmp_path: Path) -> None:
    generator = np.random.default_rng(12)
    series = outcomes_of_predictions("forecasting", np.arange(40.0), np.arange(40.0) + generator.normal(size=40))
    drawing.draw([report_of(series, Asked(draws=0)).plot("forecast")], tmp_path / "forecast.html")
    seen, asked = browser.new_context().new_page(), list[str]()
    seen.on("request", lambda request: asked.append(request.url))

    seen.goto((tmp_path / "forecast.html").as_uri())
    seen.wait_for_selector("svg, canvas")

    assert asked == [(tmp_path / "forecast.html").as_uri()]
