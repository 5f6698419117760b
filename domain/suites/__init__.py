"""Suites: what versions are judged on by themselves, and what they must come to.

`commands.py` says what is asked, `decide.py` what becomes of it, `state.py` folds a suite's events; `due.py` says which
versions a suite has to judge. It is pure. docs/suites.md says what suites are for.
"""

from __future__ import annotations
