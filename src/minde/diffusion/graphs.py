"""CUDA graphs: a step whose kernels are recorded once and then launched together, without Python.

A stack's step is a few hundred small kernels, which a GPU ends sooner than Python can launch them one by one. A graph
repeats the same kernels on the same memory. So a step has to read what changes from tensors, and to write its results
into tensors that stay; a number that the host puts into a kernel would be the first step's for ever.
"""

from collections.abc import Callable

import torch

WARM_UP = 3  # steps before recording, in which libraries make their choices and take their memory


def captured(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Return a step on a CUDA device as one graph.

    The step runs a few times here: whoever asks has to put back what it changes.
    """
    with torch.cuda.device(device):  # streams are those of the current device, which may be another one
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # On a stream of its own: libraries keep their workspace by stream, and it goes with the first graph that used
        # it. Other threads may use the device meanwhile.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            step()
    return graph.replay
