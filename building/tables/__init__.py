"""Models of tables: rows of numbers, dates and categories with gaps."""
