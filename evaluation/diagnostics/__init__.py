"""What a report says beside figures: where a model does worst, for whom, how far its probabilities hold, at what cost.

It imports the rest of evaluation, results and errors; never the ledger. Begin at `slices.py`.
"""
