"""One column's values, whatever holds them: as Arrow has them, and where each is an array. Begin at `arrays.py`."""
