"""What judging answers: performances by task, statistics, evaluations, and their reports with charts.

It imports results alone. Begin at `performance.py`, then `report.py`.
"""
