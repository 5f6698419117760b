"""How the read model is asked: guarded SQL and searches, here, over a projector's socket, or by strangers.

It imports projections; projections never import it. Begin at `client.py`, then `query.py`.
"""
