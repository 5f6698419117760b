"""Saves that come over a wire: chunks are staged in the home, then made a version by the save that all others use.

It imports what `versions` does. Begin at `transfer.py`; `staging.py` is the folder, `assembly.py` makes tensors of it.
"""
