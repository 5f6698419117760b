"""The worker: a process that takes orders, and the children in which their work is done.

It knows `jobs.protocol` and the object store; never the ledger or SQL. Begin at `worker.py`, then `child.py`;
`tasks/` has the kinds of work, one file each.
"""
