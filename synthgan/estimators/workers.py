"""Blocks made side by side: one thread for each, in order, and few ahead of who takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_order(work: Callable[[Job], Result], jobs: Iterable[Job], threads: int) -> Iterator[Result]:
    """The results of jobs, in their order, by so many threads.

    Networks and trees compute with one thread in each job: threads that share a small product wait
    for each other more than they compute. Numbers are added in the same order however many there
    are.

    Parameters
    ----------
    work : callable
        Makes a result of a job.
    jobs : iterable
        The jobs.
    threads : int
        How many jobs are worked on at once; with 1 the caller's own thread does everything.

    Examples
    --------
    >>> list(in_order(abs, [-3, 1, -2], threads=2))
    [3, 1, 2]
    """
    if threads <= 1:
        yield from map(work, jobs)
        return
    own = torch.get_num_threads()
    waiting: deque[Future[Result]] = deque()
    executor = ThreadPoolExecutor(
        threads, "synthgan", initializer=torch.set_num_threads, initargs=(1,)
    )
    try:
        for job in jobs:
            waiting.append(executor.submit(work, job))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)
        # torch hands the number that was set last to threads that are new to it
        torch.set_num_threads(own)
