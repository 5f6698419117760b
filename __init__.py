"""Lepton: the ledger that keeps every version of every model."""
