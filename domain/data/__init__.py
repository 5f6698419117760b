"""The aggregate of one name of rows, and how rows are given it. Begin at `decide.py`."""
