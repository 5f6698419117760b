"""Named data: rows given a name, described, found again by it, and compared. Begin at `named_data.py`."""
