"""Chains as they are remembered: the steps of each, and what became of them.

`commands.py` says what is told, `decide.py` what becomes of it, `state.py` folds a chain's events. It is pure; chains
are run by `jobs/chains/`.
"""

from __future__ import annotations
