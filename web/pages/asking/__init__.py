"""Pages that ask the ledger: the audit trail, search, SQL, how it is, tokens.

Each file has the pages of one subject, as in the room above; begin at `events.py`. `sentences.py` says events in
words, `chinese.py` says all of this in Chinese.
"""
