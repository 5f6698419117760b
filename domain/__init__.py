"""What is allowed and what follows: commands, aggregates, decide and evolve; pure, without I/O or clock."""
