"""Models of windows of series. Begin at `model.py`."""
