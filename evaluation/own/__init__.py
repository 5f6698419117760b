"""What users bring to a judgement: metrics of their own, and what each mistake costs them.

It imports the rest of evaluation, results and errors; never the ledger. Begin at `metrics.py`.
"""
