"""The SDK over HTTP: what ModelManager does, asked of a server; it imports neither SQL nor, by itself, torch.

It stands on the manager, whose methods it has, and on `versions/spool/` for outages. Begin at `manager.py`, then
`methods/`; `client.py` asks and tells JSON, `destination.py` takes saves and runs.
"""
