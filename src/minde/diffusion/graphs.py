"""CUDA graphs: a step whose kernels are recorded once and then launched together, without Python.

A stack's step is a few hundred small kernels, which a GPU finishes faster than Python can launch them one by one. A
graph replays the same kernels on the same memory. So a step must read everything that changes from tensors, and write
its results to permanent ones; a number that the host passes to a kernel would keep its value from the recorded step.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

import torch

WARM_UP = 3  # steps before recording, in which libraries choose algorithms and allocate memory

_recording = RLock()
"""Torch records one graph at a time in a process. Reentrant: the garbage collector may end one in between."""
_unused: dict[int, list[torch.cuda.Stream]] = {}
"""Streams of each device on which no living graph was recorded."""


@contextmanager
def captured(step: Callable[[], None], device: torch.device) -> Iterator[Callable[[], None]]:
    """Capture a step on a CUDA device as one graph; yield what replays it, for as long as the context lasts.

    The step runs a few times here: the caller must restore what it changes.
    """
    graph = torch.cuda.CUDAGraph()
    with _own_stream(device) as stream:
        try:
            _record(graph, step, stream)
            yield graph.replay
        finally:
            with _recording:
                graph.reset()


def _record(graph: torch.cuda.CUDAGraph, step: Callable[[], None], stream: torch.cuda.Stream) -> None:
    with _recording, torch.cuda.device(stream.device):  # which may not be the current one
        current = torch.cuda.current_stream()
        with torch.cuda.stream(current):  # restores it: a recording that fails leaves its own stream as the current one
            stream.wait_stream(current)
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    step()
            current.wait_stream(stream)
            # Other threads may compute on the device meanwhile, but not synchronize all of it.
            with without_collections(), torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                step()


@contextmanager
def _own_stream(device: torch.device) -> Iterator[torch.cuda.Stream]:
    """Lend a stream on which no other living graph was recorded.

    cuBLAS has a workspace for each stream, which the warm-up allocates and the graph's kernels use. If two graphs
    shared one, they could not run at the same time, and torch from 2.12 on frees it with the first of them
    (https://github.com/pytorch/pytorch/issues/193402). Streams are used again, because torch has only 32.
    """
    index = torch.cuda.current_device() if device.index is None else device.index
    unused = _unused.setdefault(index, [])
    try:
        stream = unused.pop()
    except IndexError:
        stream = torch.cuda.Stream(index)
    try:
        yield stream
    finally:
        unused.append(stream)


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
