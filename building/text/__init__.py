"""Models of text: a head over a pretrained sentence encoder. Begin at `model.py`."""
