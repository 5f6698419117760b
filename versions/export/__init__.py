"""Export: what leaves the ledger for others: a version's predictions of rows, and a version in a folder of its own.

It imports the ledger, the domain, versions, models and datasets. Begin at `predict.py`, then `checkout.py`.
"""
