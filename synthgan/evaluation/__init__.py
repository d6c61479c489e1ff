"""Judges of tables, whoever made them: only tables and schemas come in, only figures go out."""

from synthgan.evaluation.fidelity import Fidelity, FidelityReference, fidelity
from synthgan.evaluation.version import METRICS_VERSION

__all__ = ["METRICS_VERSION", "Fidelity", "FidelityReference", "fidelity"]
