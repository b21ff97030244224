"""CUDA graphs: a step whose kernels are recorded once and then launched together, without Python.

A stack's step is a few hundred small kernels, which a GPU finishes faster than Python can launch them one by one. A
graph replays the same kernels on the same memory. So a step must read everything that changes from tensors, and write
its results to permanent ones; a number that the host passes to a kernel would keep its value from the recorded step.
"""

from collections.abc import Callable

import torch

WARM_UP = 3  # steps before recording, in which libraries choose algorithms and allocate memory


def captured(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Return a step on a CUDA device as one graph.

    The step runs a few times here: the caller must restore what it changes.
    """
    with torch.cuda.device(device):  # streams belong to the current device, which may be another one
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # On a separate stream: libraries keep one workspace per stream, and it is freed with the first graph that used
        # it. Other threads may use the device meanwhile.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            step()
    return graph.replay
