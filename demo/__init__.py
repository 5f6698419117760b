"""The demo: the main job on real data, told as a story in a ledger of its own.

It may import the manager and all below; the command line alone imports it. Begin at `story.py`; `german_credit.py` is
the data with the rule by which production differs, `place.py` the folder, `sample.txt` the first lines of the README.
"""
