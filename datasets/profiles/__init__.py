"""What may be told of rows beside their fingerprint: counts, rounded quantiles, common levels; and how two sets differ.

Rows come in pieces here, so that files larger than memory can be told of. Begin at `profile.py`.
"""
