"""Builds: the best model of some rows, searched among several kinds, fitted to all rows and kept as a version.

Begin at `building.py`, what callers ask; `definition.py` is what makes two runs the same build, `trials.py` judges a
candidate by folds, `clock.py` shares the time out. A build is a study, searched as `jobs/studies/` does.
"""
