"""Evidence of this ledger: its head signed, its events proved, its history held against heads signed earlier.

What is said here is checked without a ledger by `lepton_ai.evidence`. Begin at `heads.py`.
"""
