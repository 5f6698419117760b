"""How good predictions are: figures by task. It imports results and errors; never the ledger. Begin at `binary.py`."""
