"""Work that waits for other work: the chains, and the jobs that need one another. Begin at `page.py`."""
