"""Tensors over HTTP, the client's end: chunks uploaded, stored payloads read by ranges and restored here.

It imports tensors, what of `versions` asks no ledger, and results. Begin at `vault.py` and `saving.py`.
"""
