"""CUDA graphs: a step whose kernels are recorded once and then launched together, without Python.

A stack's step is a few hundred small kernels, which a GPU finishes faster than Python can launch them one by one. A
graph replays the same kernels on the same memory. So a step must read everything that changes from tensors, and write
its results to permanent ones; a number that the host passes to a kernel would keep its value from the recorded step.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

import torch

WARM_UP = 3  # steps before recording, in which libraries choose algorithms and allocate memory

_RECORDING = Lock()  # torch records one graph at a time in a process


def captured(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Return a step on a CUDA device as one graph.

    The step runs a few times here: the caller must restore what it changes.
    """
    with _RECORDING, torch.cuda.device(device):  # streams belong to the current device, which may be another one
        stream = _stream(torch.cuda.current_device())
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use the device meanwhile.
        with without_collections(), torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            step()
    return graph.replay


@cache
def _stream(index: int) -> torch.cuda.Stream:
    """Return the stream on which all graphs of a device are recorded.

    Libraries keep one workspace per stream for the life of the process. The first warm-up on this stream allocates it,
    so that it is not part of any graph's memory, which is freed with the graph.
    """
    return torch.cuda.Stream(index)


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect garbage now, and none within: freeing an earlier graph while recording makes the recording fail."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
