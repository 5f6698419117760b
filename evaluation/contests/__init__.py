"""Contests of two models on the same rows: which paired test they call for, and how large the difference is.

It imports evaluation. Begin at `contest.py`.
"""
