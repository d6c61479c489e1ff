"""The report: one HTML page that needs nothing else, made from the result of an evaluation."""

from synthgan.evaluation.report.page import notebook_html, render

__all__ = ["notebook_html", "render"]
