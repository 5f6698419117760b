"""Which rows are learnt from and which are held out: by a seed, by whole groups, by time. Begin at `places.py`."""
