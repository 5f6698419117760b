"""Pages of runs: a list, and of each its curves, its files as a gallery, its checkpoints. Begin at `page.py`.

It imports what `web/pages` does.
"""
