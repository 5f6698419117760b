"""The page of evidence: proofs of events, and heads that were kept, checked in the browser or here.

Begin at `page.py`.
"""
