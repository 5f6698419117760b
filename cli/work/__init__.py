"""Commands about work: trainings, jobs, runs, and the processes that do it.

It imports what `cli/` does. Begin at `train.py`.
"""
