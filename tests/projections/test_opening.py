"""Keys that are lent for one question open nothing in another."""

from __future__ import annotations

import duckdb
import pytest

from lepton_ai.errors import Refused
from lepton_ai.projections.queries.opening import Opener, opening
from lepton_ai.projections.queries.query import (
    _only_select,  # pyright: ignore[reportPrivateUsage]
)


@pytest.mark.parametrize("may_open", [False, True])
@pytest.mark.parametrize("call", ["{}('x')", "MAIN.{}('x')", "\"{}\"('x')", "('x').{}()", "[{}(x) for x in ['x']]"])
@pytest.mark.parametrize("written", [str.lower, str.upper])
def test_no_question_calls_what_was_lent_to_another(call: str, may_open: bool, written: type[str]) -> None:
    con = duckdb.connect()
    with con.cursor() as one, con.cursor() as two, opening(one, Opener(dict)):
        ((name,),) = two.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name LIKE 'opened\\_%' ESCAPE '\\'"
        ).fetchall()

        with pytest.raises(Refused, match="reaches beyond"):
            _only_select(two, "SELECT " + call.format(written(name)), may_open=may_open)
        assert one.execute("SELECT opened('x')").fetchall() == [("x",)]


def test_a_query_does_not_list_functions() -> None:
    with duckdb.connect() as con, pytest.raises(Refused, match="duckdb_functions"):
        _only_select(con, "SELECT function_name FROM duckdb_functions()", may_open=True)
