"""The shapes that several commands' `--json` share, as results/shapes has them."""

from __future__ import annotations

from ..results.shapes.figures import CONTEST, METRICS, ROWS, TEST
from ..results.shapes.history import ENTRY, EVENT
from ..results.shapes.names import PARENT, VERSION
from ..results.shapes.versions import CHANGES
from ..results.shapes.work import JOB

__all__ = ["CHANGES", "CONTEST", "ENTRY", "EVENT", "JOB", "METRICS", "PARENT", "ROWS", "TEST", "VERSION"]
