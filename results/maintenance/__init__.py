"""Answers about the ledger itself: how it stands, what is damaged, healed, upgraded or kept. Begin at `status.py`."""
