"""Training that sees rows through purchases from a ledger alone.

The generator never meets a row. It is taught by noisy tables of pairs of columns (`marginals`), and
where the objective has one, by an opponent whose every look at the rows is paid for: a critic whose
slopes are clipped and noisy (`clipping`, `noisy_critic`), or teachers that vote (`teachers`).
"""

from synthgan.training.private.plan import plan_training
from synthgan.training.private.run import PrivateTask, train_privately

__all__ = ["PrivateTask", "plan_training", "train_privately"]
