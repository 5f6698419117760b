"""The aggregate of one model: its versions and names, how a commit is decided, revisions, and what to roll back to.

Begin at `state.py`, then `commit.py` and `refs.py`.
"""
