"""Models of pictures. Begin at `model.py`."""
