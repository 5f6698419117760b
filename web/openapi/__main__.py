"""`python -m lepton_ai.web.openapi`: docs/openapi.json."""

from __future__ import annotations

import sys

from .document import written

sys.stdout.write(written())
