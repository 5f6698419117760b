"""The facts: types of events, their envelope, the Merkle tree over them, and the log as its readers see it.

It imports errors and plain; `sql/` is the store that keeps them, `kafka/` the topics that tell them, and the types know
neither. Begin at `event.py`, then `envelope.py`; `catalogue.py` lists the types.
"""
