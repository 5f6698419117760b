"""Following the log over HTTP: one look at its end for all streams, and these. Begin at `streams.py`."""
