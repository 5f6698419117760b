"""The tree beside a history: which lane each line has, how a row of it is drawn, and what of that is kept.

Begin at `lanes.py`. Nothing here knows HTTP or HTML beyond the paths of an SVG.
"""
