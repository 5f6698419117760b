"""How a model does where inputs are missing, shifted, noisy or unknown: perturbations, and figures under each.

It imports the rest of evaluation, datasets, results and errors; never the ledger. Begin at `robustness.py`.
"""
