"""Chains: steps that need one another, from a file; asked for once, and gone on with where they stopped.

Begin at `definition.py`. A chain is no aggregate: its jobs and moves are the ledger's own, under keys of the chain's.
"""
