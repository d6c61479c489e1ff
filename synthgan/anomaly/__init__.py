"""Anomaly scores: how unlike a row is to a learned table, by several measures, and where."""
