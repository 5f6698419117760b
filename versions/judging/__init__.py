"""Judging: versions side by side, by their figures on the same rows.

It imports the ledger, the domain and versions. Begin at `compare.py`.
"""
