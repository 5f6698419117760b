"""The short forms of two chapters of `make faults`: a disk that fails at any call, and a faulty way to S3."""

from __future__ import annotations

import os

import pytest

from ..faults import bucket, disk
from ..servers import NotHere


@pytest.fixture(autouse=True)
def _environment() -> object:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def test_a_disk_that_fails_at_any_call_loses_nothing_and_sticks_nothing() -> None:
    try:
        disk.suffer(7, print, most=5)
    except NotHere as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(reason))


def test_a_way_to_s3_that_loses_and_spoils_what_it_acknowledges_loses_no_save(s3: str) -> None:
    bucket.suffer(7, print, saves=20)
