"""What a model answers: forward passes, outputs read by task, probabilities corrected, inputs perturbed.

It imports the rest of evaluation, datasets, results and errors; never the ledger. Begin at `outputs.py`.
"""
