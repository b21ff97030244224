"""The device of tensors: a GPU if there is one; memory that the process keeps on a CPU."""

import ctypes
import re

import torch

# CUBLAS_STATUS_NOT_INITIALIZED: cuBLAS says so if there is no memory left for its handle.
_SHORTAGE = re.compile(r"DefaultCPUAllocator|out of memory|ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED")

# Parameters of glibc's mallopt (malloc.h): how much free memory is kept at the end of the heap, how much more than
# needed is requested from the system, and the size below which blocks are not mapped one by one.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_KEPT, _AHEAD = 1 << 30, 1 << 26  # bytes


def pick_device(name: str) -> torch.device:
    """Return the device of a name: auto (CUDA if available), cpu, cuda, or cuda:N.

    Raises ValueError if the GPU is not available.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device, n_gpus = torch.device(name), torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= n_gpus:
        found = f"only {n_gpus}" if n_gpus else "none"
        is_built = torch.backends.cuda.is_built()
        remedy = "see `nvidia-smi`" if is_built else "install a build of torch for GPUs, which this one is not"
        raise ValueError(f"Device {name} was asked for, but torch finds {found}; use auto or cpu, or {remedy}.")
    return device


def shortage_in(error: BaseException | None) -> str:
    """Return the line which says that memory is exhausted, of this error or of one that it replaced; empty if none.

    torch raises an error class of its own for a GPU, and plain RuntimeErrors for a CPU and from within libraries. If
    one ends the recording of a CUDA graph, torch replaces it by another error.
    """
    while error is not None:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or _SHORTAGE.search(str(error)):
            return (str(error).splitlines() or ["no details"])[0]
        error = error.__context__
    return ""


def keep_freed_memory() -> None:
    """Make the process keep the memory that a training step frees, since the next step needs the same amount.

    Otherwise glibc returns it to the system, and a step of small networks spends a tenth of its time on page faults.
    This changes the whole process, so only this package's own programs call it; without glibc it does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for parameter, size in ((_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _AHEAD), (_MMAP_THRESHOLD, _KEPT)):
            mallopt(parameter, size)
