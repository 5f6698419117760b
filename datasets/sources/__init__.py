"""Rows that are no table in a file of this machine: pictures, named arrays, files on the web, Parquet in parts.

`datasets/read.py` reads the former three; `parquet_rows.py` reads by it.
"""
