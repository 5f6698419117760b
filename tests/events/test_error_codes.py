"""What the databases' error codes mean: each code that a driver knows has been thought about."""

from __future__ import annotations

import re
import sqlite3

import pytest
from psycopg import errors as postgresql_errors

from lepton_ai.errors import Damaged, LeptonError, Malformed, Refused, Unavailable
from lepton_ai.events.sql.error_codes import SQLITE, SQLSTATES, sqlite_meaning, sqlstate_meaning
from lepton_ai.events.sql.translation import Translator

KNOWN = {
    state: kind for kind in vars(postgresql_errors).values() if isinstance(state := getattr(kind, "sqlstate", 0), str)
}
"""Every error that psycopg has a class for: the whole appendix of PostgreSQL's manual."""
TRANSLATOR = Translator("the database x", 30.0, ("hunter2",))

NO_ERRORS = re.compile(
    "SQLITE_(OK|ROW|DONE|NOTICE|WARNING|LIMIT|DENY|IGNORE|CREATE|DROP|ALTER|DELETE|INSERT|UPDATE|READ|SELECT|PRAGMA|"
    "TRANSACTION|ATTACH|DETACH|REINDEX|ANALYZE|FUNCTION|SAVEPOINT|RECURSIVE)(_.*)?"
)
"""Constants of sqlite3 that tell of no error: limits, and what an authoriser is asked about."""


def test_the_driver_knows_the_whole_appendix() -> None:
    assert len(KNOWN) > 250
    assert {"25006", "40001", "53100", "57P03", "XX001"} <= set(KNOWN)


def test_each_sqlstate_has_a_decision() -> None:
    assert [state for state in sorted(KNOWN) if sqlstate_meaning(state) is None] == []


def test_no_decision_is_about_a_code_that_nobody_sends() -> None:
    assert [state for state in SQLSTATES if not any(known.startswith(state) for known in KNOWN)] == []


def test_each_result_code_of_sqlite_has_a_decision() -> None:
    errors = [name for name in dir(sqlite3) if name.startswith("SQLITE_") and not NO_ERRORS.fullmatch(name)]

    assert len(errors) > 80
    assert set(SQLITE) <= set(errors)
    assert [name for name in errors if sqlite_meaning(getattr(sqlite3, name)) is None] == []


def translated(state: str) -> LeptonError:
    error = TRANSLATOR.translate(KNOWN[state]("told so, with hunter2"))
    assert error is not None
    assert "hunter2" not in str(error)
    assert "\n" not in str(error)
    return error


PASSING = """25006 40001 40P01 40003 08006 08003 53100 53200 53300 55000 55006 55P03 57014 57P01 57P02 57P03 57P04 57P05
58030 0A000 26000 42P05 25P02 25P03 XX000"""


@pytest.mark.parametrize("state", PASSING.split())
def test_a_state_that_passes_is_unavailable(state: str) -> None:
    assert type(translated(state)) is Unavailable


@pytest.mark.parametrize("state", ["28P01", "28000", "3D000", "42501", "42601", "P0001"])
def test_what_no_waiting_mends_is_refused(state: str) -> None:
    assert type(translated(state)) is Refused


@pytest.mark.parametrize("state", ["23505", "42P01", "42703", "XX001", "XX002"])
def test_tables_that_are_not_a_ledgers_are_damaged(state: str) -> None:
    assert type(translated(state)) is Damaged


def test_a_value_that_no_column_holds_is_malformed() -> None:
    assert type(translated("22P05")) is type(translated("54000")) is Malformed


def test_a_code_of_tomorrow_is_unavailable_so_that_nothing_is_thrown_away() -> None:
    class Tomorrow(postgresql_errors.OperationalError):
        sqlstate = "99999"

    assert type(TRANSLATOR.translate(Tomorrow("unheard of"))) is Unavailable
