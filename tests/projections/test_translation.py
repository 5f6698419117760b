"""Whose fault an error of DuckDB's is: only bytes that are not what was written are damage."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest

from lepton_ai.errors import Damaged, Unavailable
from lepton_ai.projections.translation import of_file

PASSING = [
    duckdb.IOException('Could not read from file "x": Input/output error'),
    duckdb.IOException('Cannot open file "x": Stale file handle'),
    duckdb.IOException('Cannot open file "x": Too many open files'),
    duckdb.IOException('Cannot open file "x": Connection timed out'),
    duckdb.IOException('Cannot rename "x": a reason that nobody has thought of'),
    duckdb.TransactionException("Cannot launch in-place checkpoint, as the database was opened read-only"),
    duckdb.FatalException("Failed to commit: Could not write file: No space left on device"),
    *(OSError(number, os.strerror(number)) for number in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE)),
    duckdb.InvalidInputException(
        'Invalid Input Error: Cannot change configuration option ""memory_limit"" - the configuration has been locked'
    ),
    MemoryError(),
]
DAMAGED = [
    duckdb.IOException('The file "x" exists, but it is not a valid DuckDB database file!'),
    duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2 in block"),
    duckdb.IOException('Could not read enough bytes from file "x": attempted to read 4096 bytes'),
    duckdb.SerializationException("Failed to deserialize: field id mismatch"),
    duckdb.InternalException("Attempted to access index 7 within vector of size 3"),
]


@pytest.mark.parametrize("error", PASSING, ids=str)
def test_what_passes_is_no_damage(error: Exception) -> None:
    assert type(of_file(error)) is Unavailable


@pytest.mark.parametrize("error", DAMAGED, ids=str)
def test_bytes_that_are_none_of_a_read_model_are_damage(error: Exception) -> None:
    assert type(of_file(error)) is Damaged
