"""Rows to learn from: read from files and buckets, described by columns, told apart by a fingerprint.

It imports tensors, errors and results. Begin at `read.py`.
"""
