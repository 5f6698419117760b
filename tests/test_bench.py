"""Benchmarks that would rot unseen: they run by hand alone."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from itertools import islice
from pathlib import Path

from lepton_ai.events.catalogue import CATALOGUE

REBUILD = Path(__file__).parents[1] / "bench" / "rebuild.py"


def test_the_log_that_is_rebuilt_has_every_type_of_event() -> None:
    spec = spec_from_file_location("bench_rebuild", REBUILD)
    assert spec is not None
    assert spec.loader is not None
    rebuild = module_from_spec(spec)
    spec.loader.exec_module(rebuild)

    told = {event.type for _, event in islice(rebuild.lives(models=1), 400)}

    assert told == CATALOGUE.keys()
