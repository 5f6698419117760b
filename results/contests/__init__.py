"""What contests answer: versions side by side, tested against each other, and which of them to take.

It imports results alone. Begin at `comparison.py`.
"""
