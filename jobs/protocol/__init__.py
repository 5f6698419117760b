"""What the ledger and its workers tell each other: messages, orders, and the ports over Kafka and over tables.

It imports events, tensors and errors; never the ledger, its domain, versions or workers. Begin at `messages.py`.
"""
