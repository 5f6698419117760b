"""Suites as they are used: defined, listed, and run on a version in this process. Begin at `definition.py`."""
