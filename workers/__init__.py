"""The worker: a process that takes orders, and the children in which their work is done.

It imports `jobs.protocol`, models, datasets and tensors; never the ledger, versions or the event store. Begin at
`worker.py`, then `child.py`; `handlers.py` lists the kinds of work.
"""
