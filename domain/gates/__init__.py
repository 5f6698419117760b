"""Gates: a version held against requirements on its figures, and the aliases that move only where one was passed.

`commands.py` says what is asked, `decide.py` what becomes of it; `figures.py` finds figures of the same rows, and
`protection.py` says whether an alias may move. The requirements are of `expressions/`.
"""

from __future__ import annotations
