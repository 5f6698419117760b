"""The routes of work: jobs, which workers do, and runs, which scripts tell of. Begin at `jobs.py`."""
