"""Where tensors live: on a GPU where there is one; on a CPU, in memory that the process keeps."""

import ctypes
import re

import torch

_SHORTAGE = re.compile(r"DefaultCPUAllocator|out of memory|ALLOC_FAILED")

# Parameters of glibc's mallopt (malloc.h), in their order: what is freed at the end of the heap is kept up to so much,
# so much more is asked for at once, and smaller blocks are never mapped one by one.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT, _AHEAD = 1 << 30, 1 << 26  # bytes


def pick_device(name: str) -> torch.device:
    """Return the device of a name: auto (CUDA where there is one), cpu, cuda, or cuda:N.

    Raises ValueError where a GPU is not to be had.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device, n_gpus = torch.device(name), torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= n_gpus:
        found = f"only {n_gpus}" if n_gpus else "none"
        raise ValueError(f"Device {name} was asked for, but torch finds {found}; use auto or cpu, or see `nvidia-smi`.")
    return device


def is_shortage(error: Exception) -> bool:
    """Return whether an error says that memory does not suffice.

    torch raises a RuntimeError of its own for a GPU, and plain ones for a CPU and from within libraries.
    """
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or bool(_SHORTAGE.search(str(error)))


def keep_freed_memory() -> None:
    """Have the process keep the memory that a step frees for the next step, which asks for the same again.

    glibc returns it to the system otherwise, and a step of small networks spends a tenth of its time on page faults.
    Of the whole process, hence for programs of ours and not for a library's users; where there is no glibc, nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter, size in ((_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _AHEAD), (_MMAP_THRESHOLD, _KEPT)):
            mallopt(parameter, size)
