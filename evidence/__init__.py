"""Evidence for outsiders: signed heads of the log, and proofs that are checked where no ledger is at hand.

It imports events, results and what lies below them; never the ledger or the versions, which make proofs of theirs
(`versions/evidence/`). Begin at `proof.py`, which has the one form of a proof; `tree.py` is RFC 9162's arithmetic,
`note.py` and `head.py` are C2SP's signed note and checkpoint, `keys.py` signs, `witness.py` sends heads elsewhere.
"""
