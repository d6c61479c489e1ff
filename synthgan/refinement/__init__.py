"""Refinement: what a generator draws, improved by boosted trees that were learned with it.

A pool of rows is weighed by how much likelier each is in the real table (`density_ratio`), rows are
chosen by weight (`selection`), some cells are drawn anew by conditionals that know better than the
generator, and the result is weighed once more. Where rows may not be read, the pool is weighed by
tables that were bought (`tilting`).
"""

from synthgan.refinement.account import Refinement
from synthgan.refinement.drawing import RefinedSampler
from synthgan.refinement.learning import Lesson, learn_refiner
from synthgan.refinement.refiner import Refiner
from synthgan.refinement.tilt import Tilt
from synthgan.refinement.tilting import learn_tilt

__all__ = [
    "Lesson",
    "RefinedSampler",
    "Refinement",
    "Refiner",
    "Tilt",
    "learn_refiner",
    "learn_tilt",
]
