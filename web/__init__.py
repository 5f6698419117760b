"""The server: the ledger over HTTP. A door over the manager, as the command line is one.

`app.py` puts it together: `door/` says who may come in and how much one may take, `routing.py` mends what FastAPI does
otherwise than HTTP has it, `caller.py` is what a handler works with, `problems.py` how a refusal is told. `api/` has a
router a subject. It may import the manager and what lies below it; of what it does nothing is known there.
"""
