"""While the ledger is away: what was to be told waits in the home, and is told later, once and in order.

It imports what `versions` may. Begin at `outbox.py`, the way in; `delivery.py` is the way out.
"""
