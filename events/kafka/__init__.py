"""The topics: the relay that tells the log, the readers that follow it, and restoring a ledger from what it told.

It imports `events` and `events.sql`. Begin at `relay.py`, then `log.py`.
"""
