"""How much memory is free, and refusing at once what would not fit into it."""

from __future__ import annotations

import os
from pathlib import Path

from synthgan.errors import MemoryLimitError

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that this process may still take, or None where the system does not say."""
    answers = [_available(), _left_in_cgroup()]
    known = [answer for answer in answers if answer is not None]
    return min(known) if known else None


def refuse_too_large(what: str, needed: int, remedy: str) -> None:
    """Refuse work whose result would not fit in free memory.

    Parameters
    ----------
    what : str
        The work, as the error's subject ("a sample of 10 rows").
    needed : int
        The estimate of its memory, bytes.
    remedy : str
        What to do instead.

    Raises
    ------
    MemoryLimitError
        If `needed` is more than what is free; nothing is said where the system does not tell.
    """
    free = free_memory()
    if free is not None and needed > free:
        raise MemoryLimitError(
            f"{what} needs about {in_words(needed)} of memory, "
            f"and {in_words(free)} are free; {remedy}"
        )


def in_words(size: int) -> str:
    """A number of bytes for people to read.

    Examples
    --------
    >>> in_words(3 * 2**30)
    '3.0 GiB'
    """
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            return f"{amount:.0f} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} PiB"


def _available() -> int | None:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable"))
        return 1024 * int(found.split()[1])
    except (OSError, StopIteration, ValueError):
        return _available_pages()


def _available_pages() -> int | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PAGE_SIZE" not in names or "SC_PHYS_PAGES" not in names:
        return None
    # without the count of free pages, all of the machine's memory is the bound that is sure
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in names else "SC_PHYS_PAGES"
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf(pages)


def _left_in_cgroup() -> int | None:
    """What a container still allows (control groups, version 2), page cache not counted as used."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        rows = (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        cache = next(int(row.split()[1]) for row in rows if row.startswith("inactive_file "))
    except (OSError, StopIteration, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used + cache)
