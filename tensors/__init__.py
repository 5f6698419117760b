"""The bytes of parameters: manifests, exact deltas, packs and the stores that keep them. numpy, no torch."""
