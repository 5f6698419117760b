"""`predict`: what a version says of the rows of a file."""
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (pyarrow ships no types)

from __future__ import annotations

import json
import sys
from pathlib import PurePath
from typing import Any, Final, Literal

import click

from ...errors import Refused
from ...results.figures import count
from ...results.shapes.names import VERSION
from ...results.words import say
from ..command import Session, command, importing
from ..completion import revisions
from ..output import check_place, show, write

FORMATS: Final[dict[str, Literal["csv", "parquet", "arrow", "jsonl"]]] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
"""What a file holds, by its ending."""


@command(
    {"version": VERSION, "columns": ["text"], "count": "number", "rows?": [{"NAME": "any"}], "file": "text?"},
    "lepton predict main loans.csv",
    "lepton predict production loans.csv --id kind -o predictions.csv",
    "lepton predict main loans.csv --keep-columns -o predictions.parquet",
)
@click.argument("rev", shell_complete=revisions)
@click.argument("data")
@click.option("-o", "--output", metavar="FILE", help="A new file: .csv, .parquet, .arrow or .jsonl; else stdout, CSV.")
@click.option("--id", "ids", multiple=True, metavar="COLUMN", help="A column of DATA to carry along; may be repeated.")
@click.option("--keep-columns", is_flag=True, help="Carry all columns of DATA along, as they stand there.")
@click.option("--force", is_flag=True, help="Replace FILE where it is there already.")
@importing
def predict(
    session: Session, rev: str, data: str, output: str | None, ids: tuple[str, ...], keep_columns: bool, force: bool
) -> None:
    """Predict the rows of a file or a folder of pictures, one line a row and in their order.

    DATA is read as what the version learnt; other columns, labels among them, are left aside. The answer has the
    columns carried along, `prediction`, and `probability_CLASS` of each class where the model gives probabilities.
    FILE is written whole or not at all. A version that was saved as bare tensors predicts nothing, and one of your own
    class does so where --import names the module that registers it.
    """
    form = _format(output)
    if output is not None:
        check_place(output, force=force)
    manager = session.manager
    version = manager.show(rev).version
    with session.waiting("predicting"):
        table = manager.predict(f"{version.model}@{version}", data, keep=None if keep_columns else ids)
    from ...projections.export import export

    answer: dict[str, Any] = {"version": version.to_dict(), "columns": table.column_names, "count": table.num_rows}
    if output is None:
        if not session.as_json:
            show(export(table, form))
            sys.stdout.flush()
            return
        session.answer(answer | {"rows": json.loads(export(table, "json")), "file": None}, ())
        return
    write(export(table, form), output, force=force)
    names = {"version": version, "model": version.model, "file": output}
    many = count(table.num_rows, "prediction")
    shown = say("{predictions} by version {version} of {model} in {file}", predictions=many, **names)
    session.answer(answer | {"rows": None, "file": output}, shown)


def _format(output: str | None) -> Literal["csv", "parquet", "arrow", "jsonl"]:
    ending = PurePath(output).suffix.lower() if output is not None else ".csv"
    if ending not in FORMATS:
        raise Refused(f"{output} says not what it is to hold; give it the ending .csv, .parquet, .arrow or .jsonl")
    return FORMATS[ending]
