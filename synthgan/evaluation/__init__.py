"""Judges of tables, whoever made them: only tables and schemas come in, only figures go out."""

from synthgan.evaluation.fidelity import METRICS_VERSION, Fidelity, FidelityReference, fidelity

__all__ = ["METRICS_VERSION", "Fidelity", "FidelityReference", "fidelity"]
