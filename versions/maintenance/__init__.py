"""Care for a ledger: checked, healed, upgraded, restored from its topic.

It imports the ledger, versions and tensors. Begin at `fsck.py`.
"""
