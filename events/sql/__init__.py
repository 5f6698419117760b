"""The event store in SQL: one schema on SQLite and PostgreSQL, admission, actors, leases, audit, upgrade.

It imports `events`, `permissions` and `errors`, nothing of Kafka. Begin at `store.py`, then `admission.py`.
"""
