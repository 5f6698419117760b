"""Runs: trainings of the caller's own, followed point by point while they last, and found when they are lost.

It imports the ledger, the domain and versions. Begin at `run.py`, what a training script holds; `record.py` tells of
runs afterwards.
"""
