"""Rows that are no table in one file of this machine: folders of pictures, named arrays. Begin at `pictures.py`.

It imports errors and datasets' memory; whoever reads rows begins at `datasets/read.py`.
"""
