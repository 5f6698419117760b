"""The topics: the relay that tells the log, the readers that follow it, and restoring a ledger from what it told.

It imports `events`, `events.sql` and the files at the root. Begin at `relay.py`, then `log.py`.
"""
