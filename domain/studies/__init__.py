"""Studies: searches, and the trials that each tried one choice of hyperparameters.

`commands.py` says what is asked, `decide.py` what becomes of it, `state.py` folds a study's events; `values.py` writes
numbers that JSON has no word for. It is pure. docs/search.md says what studies are for.
"""

from __future__ import annotations
