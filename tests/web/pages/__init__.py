"""The pages, each asked for from a server that really serves them."""
