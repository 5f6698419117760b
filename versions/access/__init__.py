"""Who may, where versions are asked for: tokens, and which events somebody may read."""
