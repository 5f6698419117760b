"""Building: what makes versions from data; one trainer, and the families of models that it trains.

It imports models, datasets, evaluation, tensors, results, plain and errors; never the ledger, versions or workers.
Begin at `trainer.py`, then `tables/model.py`. What a family computes with that others wrote comes with the extra
`build`.
"""
