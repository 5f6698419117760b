"""The read model: what the events say, as DuckDB tables; the only room that names DuckDB.

It imports events, plain, permissions and errors, and of tensors how a file is synced; never the ledger. Begin at
`projector.py`, then `sql/`, where each table and each view is a file; `queries/` is how it is asked.
"""
