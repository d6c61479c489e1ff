"""Measures: each holds a table to the real one, and gives figures in JSON's own types."""
