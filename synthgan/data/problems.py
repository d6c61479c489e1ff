"""The wording of problems: the nearest known word, and many problems in one message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any


def nearest(word: Any, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` with the nearest known word, or nothing."""
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def listed(where: str, problems: Sequence[str]) -> str:
    """Return problems as one message: on one line if there is one, else a list."""
    if len(problems) == 1:
        return f"{where}: {problems[0]}"
    return f"{where}: {len(problems)} problems\n" + "\n".join(f"- {each}" for each in problems)
