"""The aggregate of one job: what can be asked of it, and how its story is decided. Begin at `decide.py`."""
