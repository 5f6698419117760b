"""The credit scoring model: encoding, an ensemble of small nets, a seeded fit. Begin at `model.py`."""
