"""The best model by itself: what may be tried on a table, and its figures on the same folds.

It imports the other rooms of building, never the ledger. Begin at `candidates.py`.
"""
