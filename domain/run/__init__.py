"""The aggregate of one run, and how its story is decided. Begin at `decide.py`."""
