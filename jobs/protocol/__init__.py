"""What the ledger and its workers tell each other: messages, orders, and the ports over Kafka and over tables.

Nothing here knows the ledger. Begin at `messages.py`.
"""
