"""A report as one self-contained page of HTML, or as Markdown: the same parts, in Chinese or English."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from ..figures import figure
from . import charts
from .report import Report

RATES: Final = ("rows", "base_rate", "selection_rate", "true_positive_rate", "false_positive_rate", "precision")
_WORDS: Final[dict[str, tuple[str, str]]] = {
    "figures": ("指标", "Figures"),
    "figure": ("指标", "figure"),
    "value": ("值", "value"),
    "interval": ("{} 置信区间", "{} interval"),
    "to": ("至", "to"),
    "method": (
        "区间：BCa 自助法，抽样方式 {}，{:,} 次，随机种子 {}",
        "Intervals: BCa bootstrap over {}, {:,} draws, seed {}",
    ),
    "charts": ("图表", "Charts"),
    "calibration": ("校准", "Calibration"),
    "believable": (
        "校准误差 {} 不超过完美概率也会有的随机误差 {}",
        "The calibration error {} is no more than perfect probabilities show by chance ({})",
    ),
    "unbelievable": (
        "校准误差 {} 超过完美概率的随机误差 {}：概率不可直接采信",
        "The calibration error {} is more than perfect probabilities show by chance ({}): they are not to be believed",
    ),
    "costs": ("成本", "Costs"),
    "least": ("每行最低成本 {}，阈值 {}", "Least cost a row: {} at a threshold of {}"),
    "slices": ("表现较差的分组", "Slices that do worse"),
    "no slices": (
        "在 {} 个分组中没有发现超出随机的差异",
        "None of {} slices does worse beyond chance",
    ),
    "condition": ("条件", "condition"),
    "rows": ("行数", "rows"),
    "loss": ("平均损失", "mean loss"),
    "others": ("其余行", "other rows"),
    "fairness": ("公平性：{}", "Fairness by {}"),
    "group": ("组", "group"),
    "base_rate": ("正例比例", "base rate"),
    "selection_rate": ("选中率", "selection rate"),
    "true_positive_rate": ("真正率", "true positive rate"),
    "false_positive_rate": ("假正率", "false positive rate"),
    "precision": ("精确率", "precision"),
    "demographic_parity_difference": ("选中率之差", "difference of selection rates"),
    "demographic_parity_ratio": ("选中率之比", "ratio of selection rates"),
    "equal_opportunity_difference": ("真正率之差", "difference of true positive rates"),
    "equalized_odds_difference": ("真正率与假正率的最大差", "greatest difference of true or false positive rates"),
    "beyond": ("超出随机（p {}）", "beyond chance (p {})"),
    "chance": ("未超出随机（p {}）", "not beyond chance (p {})"),
}


def page(report: Report, title: str, subtitle: str = "", *, english: bool = True, drawn: bool = True) -> str:
    """One page that needs no network: styles and charts stand in it, readable on light and dark.

    `drawn` draws the charts, which needs the extra `plot`. Raises `Unavailable` where it is not installed.
    """
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("lepton_ai.results.judging"), autoescape=True, trim_blocks=True)
    environment.filters["figure"] = figure
    names = charts.charts_of(report) if drawn else ()
    return environment.get_template("report.html.j2").render(
        report=report,
        title=title,
        summary=report.performance.summary(english=english),
        subtitle=subtitle,
        lang="en" if english else "zh",
        t=partial(_word, english=english),
        figures=list(report.performance.to_dict().items()),
        level=_level(report),
        charts=[(name, charts.svg([charts.chart(report, name, english=english)])) for name in names],
        worst=[each for each in report.slices if each.p <= 1 - _confidence(report)],
        rates=RATES,
    )


def markdown(report: Report, title: str, subtitle: str = "", *, english: bool = True) -> str:
    """The figures, verdicts and groups of a report as Markdown, as a pull request shows it."""
    return (
        "\n".join(
            _lines(
                report, title, subtitle, report.performance.summary(english=english), partial(_word, english=english)
            )
        )
        + "\n"
    )


def _lines(report: Report, title: str, subtitle: str, summary: str, t: Callable[[str], str]) -> Iterator[str]:
    yield from (f"## {_cell(title)}", "", summary, "")
    if subtitle:
        yield from (_cell(subtitle), "")
    head = [t("figure"), t("value"), *([t("interval").format(_level(report))] if report.intervals else [])]
    yield from _table(head, ([name, figure(value), *_ends(report, name, t)] for name, value in _figures(report)))
    if report.intervals:
        yield from ("", t("method").format(report.method, report.draws, report.seed))
    if report.calibration:
        verdict = "believable" if report.calibration.believable else "unbelievable"
        yield from ("", t(verdict).format(figure(report.calibration.ece), figure(report.calibration.noise)))
    if report.costs:
        threshold, cost = report.costs.best
        yield from ("", t("least").format(figure(cost), figure(threshold)))
    if report.slices:
        yield from ("", *_slices(report, t))
    for column, fairness in report.fairness.items():
        yield from ("", f"### {t('fairness').format(_cell(column))}", "")
        rows = ([_cell(each.group), *(figure(getattr(each, rate)) for rate in RATES)] for each in fairness.groups)
        yield from _table([t("group"), *map(t, RATES)], rows)


def _slices(report: Report, t: Callable[[str], str]) -> Iterator[str]:
    worst = [each for each in report.slices if each.p <= 1 - _confidence(report)]
    if not worst:
        yield t("no slices").format(len(report.slices))
        return
    yield from (f"### {t('slices')}", "")
    rows = ([_cell(s.condition), str(s.rows), figure(s.loss), figure(s.others), figure(s.p)] for s in worst)
    yield from _table([t("condition"), t("rows"), t("loss"), t("others"), "p"], rows)


def _table(head: list[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _ends(report: Report, name: str, t: Callable[[str], str]) -> list[str]:
    if not report.intervals:
        return []
    interval = report.intervals.get(name)
    return [f"{figure(interval.low)} {t('to')} {figure(interval.high)}" if interval else ""]


def _figures(report: Report) -> list[tuple[str, Any]]:
    return list(report.performance.to_dict().items())


def _confidence(report: Report) -> float:
    return next((each.level for each in report.intervals.values()), 0.95)


def _level(report: Report) -> str:
    return f"{_confidence(report):.0%}"


def _cell(words: str) -> str:
    """Words that make no markup: of a name that a person chose, in a cell of a table."""
    marked = "".join(f"\\{letter}" if letter in "\\`*_{}[]<>()#+-.!|" else letter for letter in words)
    return " ".join(marked.split())


def _word(name: str, *, english: bool) -> str:
    return _WORDS[name][english]
