"""How good predictions are: figures by task, one module each.

It imports datasets, results and errors; never the ledger. Begin at `predictions.py`.
"""
