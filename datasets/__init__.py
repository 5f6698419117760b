"""Rows to learn from: read from files and buckets, described by columns, told apart by a fingerprint.

It imports tensors, addresses, settings and errors; never the ledger. Begin at `read.py`.
"""
