"""Training: a game, its trainer, and what comes out of them."""

from synthgan.training.plan import Plan, ResolvedPlan
from synthgan.training.run import Trained, train

__all__ = ["Plan", "ResolvedPlan", "Trained", "train"]
