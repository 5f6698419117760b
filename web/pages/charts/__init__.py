"""Charts on pages: a figure with its drawing and its table, what is plotted, and what a reader explores it with.

Begin with `figure`. Charts themselves are made by `results.pages`, in the process beside the server.
"""
