"""The ledger's side of long work: jobs asked for, given to workers, and their answers and outside events taken in.

It imports the ledger, the domain, versions, events, models, datasets and tensors; never workers. Begin at `api.py`,
then `assigner.py`; `protocol/` is what ledger and workers tell each other.
"""
