"""Answers about named data: what rows a name stands for, and how two sets of rows differ. Begin at `named.py`."""
