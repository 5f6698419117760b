"""Answers about work: jobs that workers do, and runs of training scripts. Begin at `jobs.py`."""
