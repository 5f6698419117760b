"""Searches: the list of studies, and one with its best trial, charts, importances and trials. Begin at `page.py`."""
