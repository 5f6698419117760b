"""The worker: a process that takes orders, and the children in which their work is done.

It imports `jobs.protocol`, what the domain declares of jobs, models, datasets and tensors; never the ledger, versions
or the event store. Begin at `worker.py`, then `child.py`; `tasks/` has the kinds of work, one file each.
"""
