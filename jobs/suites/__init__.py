"""Suites at work: versions judged by themselves where a suite watches their branch. Begin at `judging.py`."""
