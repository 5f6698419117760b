"""Ledgers as each format's Lepton wrote them, kept for ever: the tests open, upgrade, verify and load them."""
