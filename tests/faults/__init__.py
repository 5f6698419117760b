"""What goes wrong on purpose: one chapter a file, each run by `make faults` and, in a short form, by `make test`."""
