"""The bytes of parameters: manifests, exact deltas, packs and the stores that keep them. numpy, no torch.

It imports errors and permissions. Begin at `vault.py`, then `manifest.py` and `delta.py`.
"""
