"""The steps that bring a ledger's database to today's schema."""
