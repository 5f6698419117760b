"""The one language of conditions on versions, for searches, gates and whatever decides by figures.

`parsing.py` makes a tree of a text, `tree.py` has its nodes and writes a tree as text again, `judging.py` says whether
a tree holds for given figures. It is pure and imports nothing but errors. docs/expressions.md is the grammar.
"""

from __future__ import annotations
