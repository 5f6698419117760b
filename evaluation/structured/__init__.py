"""Tasks whose answers have a structure: several labels a row, orders, series, masks, tags; figures, one module each.

It may import what evaluation may. Begin at `tasks.py`, which measures outcomes of them; `predictions.py` makes these.
"""
