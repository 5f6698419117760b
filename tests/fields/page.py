"""docs/fields.md: each task of the four fields, what was measured, and how a user does the same."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from . import finance, manufacturing, medicine, service
from .judged import FieldTask, Row
from .sets import SETS

PAGE: Final = Path(__file__).parents[2] / "docs" / "fields.md"
TASKS: Final[Mapping[str, FieldTask]] = {**finance.TASKS, **medicine.TASKS, **manufacturing.TASKS, **service.TASKS}
_FIGURES: Final = {
    "roc_auc": "ROC AUC", "rmse": "RMSE", "pixel_dice": "Dice", "accuracy": "accuracy", "macro_f1": "macro F1",
    "average_precision": "average precision",
}  # fmt: skip


def page(rows: Mapping[str, Row]) -> str:
    """The page of the tasks that were measured; the others are named."""
    parts = [
        "# Four fields, twelve tasks\n",
        "Made by `make fields`. Each model was trained by `manager.train` at its defaults, but for what is written "
        "here, so that each fit is a version of a ledger; it and its baseline, of scikit-learn, were fitted to the "
        "same rows and asked about the same others. The figure is over all of these, with an interval of 95 % by the "
        "bootstrap; the difference to the baseline has its own, by a paired test on the same rows. Rows of one "
        "patient, mouse, place or dialogue are on one side of each split and drawn together. Small figures may differ "
        "on another machine.\n",
        f"Measured on {_machine()}\n",
    ]
    fields = {task.field for task in TASKS.values()}
    for field in sorted(fields, key=[task.field for task in TASKS.values()].index):
        own = {name: task for name, task in TASKS.items() if task.field == field and name in rows}
        lacking = [task.title for name, task in TASKS.items() if task.field == field and name not in rows]
        parts += [f"## {field.capitalize()}\n", _table({name: (task, rows[name]) for name, task in own.items()})]
        parts += [_remarks(own, rows), _commands(own)]
        if lacking:
            parts += [f"Not measured yet: {'; '.join(lacking)}.\n"]
    parts += ["## The data\n", _data()]
    return "\n".join(parts)


def _table(own: Mapping[str, tuple[FieldTask, Row]]) -> str:
    lines = [
        "| task | data, split | model | figure (95 %) | baseline | difference (95 %) | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for task, row in own.values():
        data = ", ".join(SETS[each].title for each in task.sets[:1])
        ends = "" if row.low is None or row.high is None else f" ({_number(row.low)} to {_number(row.high)})"
        gap = "" if row.below is None or row.above is None else f" ({row.below:+.4f} to {row.above:+.4f})"
        figure = f"{_FIGURES[row.figure]} **{_number(row.ours)}**{ends}"
        beside = f"{_number(row.baseline)}, {task.baseline}"
        lines.append(
            f"| {task.title} | {data}; {task.split}, {row.rows:,} rows judged | `{task.model}` | {figure} | {beside} | "
            f"{row.difference:+.4f}{gap} | {_verdict(row)} |"
        )
    return "\n".join(lines) + "\n"


def _verdict(row: Row) -> str:
    if not row.holds:
        return "below"
    ends = [each for each in (row.below, row.above) if each is not None]
    return "better" if ends and min(row.better * each for each in ends) > 0 else "level"


def _remarks(own: Mapping[str, FieldTask], rows: Mapping[str, Row]) -> str:
    said = [
        f"- {task.title[0].upper()}{task.title[1:]}: {'; '.join(each for each in parts if each)}."
        for name, task in own.items()
        if any(parts := (rows[name].note, task.published and f"published: {task.published}", task.miss))
    ]
    return "\n".join(said) + "\n" if said else ""


def _commands(own: Mapping[str, FieldTask]) -> str:
    shell = [task.command for task in own.values() if task.command.startswith("lepton")]
    python = [task.command for task in own.values() if not task.command.startswith("lepton")]
    parts = [
        f"```{name}\n{chr(10).join(dict.fromkeys(lines))}\n```\n"
        for name, lines in (("sh", shell), ("python", python))
        if lines
    ]
    return "\n".join(parts)


def _data() -> str:
    lines = ["| data | publisher | licence | SHA-256 of the file measured |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {each.title} (`{each.file}`) | <{each.source}> | {each.licence} | `{each.sha256}` |"
        for each in SETS.values()
    ]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def _machine() -> str:
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("torch", "scikit-learn", "tabm", "transformers", "timm")
    )
    return f"{os.cpu_count()} cores, Python {platform.python_version()}; {packages}."
