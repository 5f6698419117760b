"""Studies as Optuna uses them: its storage over the ledger. Begin at `storage.py`.

It imports the ledger and the domain; Optuna is named here alone, and imported by its submodules: where the working
folder stands first on the path, the bare name would be the package's own `optuna.py`.
"""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import Refused


def check_installed() -> None:
    """Raise `Refused` where Optuna is not installed."""
    if find_spec("optuna") is None:
        raise Refused("searches need the extra: pip install 'lepton-ai-sdk[search]'")
