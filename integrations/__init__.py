"""Doors for trainers that are not Lepton's: what they learn is told as a run, and its end kept as a version.

`loop.py` watches a loop of the caller's own, `lightning.py` and `transformers.py` are callbacks; `recorder.py` is what
the callbacks have in common. It imports the manager and what that returns; nothing imports it.
"""
