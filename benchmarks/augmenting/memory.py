"""One fit of a generator for all cells that would fit the same: learners and metrics share it."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synthgan import SynthGAN

# one fold needs two: of all its rows for `gan_balance`, of those that judge nothing for `auto`
KEPT = 4


@contextmanager
def remembered_fits() -> Iterator[None]:
    """Within it, a `SynthGAN` that is fitted again to the same rows is what the first fit made.

    The seeds of all cells of a fold are the same, so that their rows are too; parameters, rows and
    weights are the key, and what does not compare is fitted.
    """
    fit, kept = SynthGAN.fit, OrderedDict[str, bytes]()

    def remembered(self: SynthGAN, X: Any, *others: Any, **given: Any) -> SynthGAN:
        seen = pickle.dumps((self.get_params(), X.to_pydict(), others, given))
        key = hashlib.sha256(seen).hexdigest()
        if key not in kept:
            kept[key] = pickle.dumps(fit(self, X, *others, **given))
            while len(kept) > KEPT:
                kept.popitem(last=False)
        self.__dict__.update(pickle.loads(kept[key]).__dict__)
        return self

    SynthGAN.fit = remembered  # type: ignore[method-assign]
    try:
        yield
    finally:
        SynthGAN.fit = fit  # type: ignore[method-assign]
