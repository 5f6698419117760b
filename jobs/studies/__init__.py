"""Searches: hyperparameters tried one after another or side by side, and the best kept as versions.

Begin at `tuning.py`, what callers ask; `search.py` is the loop, `trials.py` fits a model here or by a job,
`definition.py` is what makes two runs the same search. The studies themselves are `versions/studies/`.
"""
