"""Reports and model cards as pages, Markdown and charts, in Chinese and English.

It imports results alone. Begin at `page.py`; `charts.py` makes charts, `drawing.py` draws them, `card.py` is the card.
"""
