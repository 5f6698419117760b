"""Who may: the rights that somebody acts with, what each command needs of them, and tokens. Begin at `rights.py`."""
