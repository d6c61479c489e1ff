"""Networks over the codes of a table: pure torch, written against a Layout."""
