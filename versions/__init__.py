"""What happens to versions: save, restore, roll back, merge, compare, suggest, history, runs, fsck.

It imports the ledger, the domain, events, models, datasets and tensors; never jobs or workers. Begin at `save.py`,
then `restore.py`; `workspace.py` holds what all of it stands on, `spool/` is for outages.
"""
