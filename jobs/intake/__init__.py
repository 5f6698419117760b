"""What is taken in: messages of other services and of workers, each once and in order, and those that are refused.

It imports what `jobs/` does. Begin at `consumer.py`; `inbox.py` and `reports.py` are what it takes in.
"""
