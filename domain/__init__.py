"""What is allowed and what follows: commands, aggregates, decide and evolve; pure, without I/O or clock.

It imports the types of events, addresses, plain and errors; never the store, the topics or tensors. Begin at
`decide.py`, then `commands.py`; `model/`, `job/` and `run/` hold an aggregate each.
"""
