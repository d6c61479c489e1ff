"""A fit within a privacy budget: the only room where rows meet a ledger."""
