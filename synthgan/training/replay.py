"""Work on a GPU that is recorded once and launched as one from then on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

# Calls before the recording: lazy initialisation must be over, and allocations settled.
WARM_UP_CALLS = 3
Work = Callable[[], dict[str, Tensor]]


class Replay:
    """A step of a game as a CUDA graph: the same kernels on the same memory, in one launch.

    A step of small networks is some five hundred short operations, which Python launches ten times
    slower than a GPU runs them. What changes from step to step must lie in tensors: rates, and the
    random stream, which is registered with the graph. Every call does the work once, the first few
    as it stands.

    Parameters
    ----------
    work : callable
        Gives named tensors; it must not wait for the host.
    stream : torch.Generator
        Where all its random numbers come from.
    """

    def __init__(self, work: Work, stream: torch.Generator) -> None:
        self._work, self._stream = work, stream
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._found: dict[str, Tensor] = {}

    def __call__(self) -> dict[str, Tensor]:
        """Do the work once; what it gives stays as it is in later calls."""
        self._calls += 1
        if self._calls <= WARM_UP_CALLS:
            return self._apart()
        if self._graph is None:
            self._graph = self._record()
        self._graph.replay()
        return {name: value.clone() for name, value in self._found.items()}

    def _apart(self) -> dict[str, Tensor]:
        """Work on a stream of its own, as a recording needs it to have been done before."""
        main = torch.cuda.current_stream()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(main)
        with torch.cuda.stream(side):
            found = self._work()
        main.wait_stream(side)
        return found

    def _record(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._stream)
        with torch.cuda.graph(graph):
            self._found = self._work()
        return graph
