"""Rows that are no table in a file of this machine: folders of pictures, named arrays, files on the web.

It imports errors and datasets' memory; whoever reads rows begins at `datasets/read.py`.
"""
