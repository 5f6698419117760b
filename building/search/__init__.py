"""Search: the space of hyperparameters, and what draws from it. Begin at `space.py`.

It imports models and Optuna's distributions, samplers and pruners, never the ledger.
"""
