"""The choice of a device, and its memory: errors that mean a shortage; what one step frees is kept for the next."""

import platform
import subprocess
import sys

import pytest
import torch

from minde.device import pick_device, shortage_in

FREED = """
import ctypes
import sys
import torch
from minde.device import keep_freed_memory

class Mallinfo2(ctypes.Structure):  # malloc.h; fordblks: unused bytes in the heap
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]

if sys.argv[1] == "kept":
    keep_freed_memory()
tensors = [torch.empty(1 << 21) for _ in range(32)]  # of 8 MiB each
del tensors
mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2
print(mallinfo2().fordblks >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep memory")
def test_freed_memory_is_kept():
    mebibytes = {
        how: int(subprocess.run([sys.executable, "-c", FREED, how], check=True, capture_output=True, text=True).stdout)
        for how in ("returned", "kept")
    }
    assert mebibytes["returned"] < 64
    assert mebibytes["kept"] >= 256


@pytest.mark.parametrize(
    ("is_built", "remedy"), [(True, "see `nvidia-smi`"), (False, "install a build of torch for GPUs")]
)
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do(monkeypatch, is_built, remedy) -> None:
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: is_built)
    with pytest.raises(
        ValueError, match=f"Device cuda was asked for, but torch finds none; use auto or cpu, or {remedy}"
    ):
        pick_device("cuda")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    ],
)
def test_every_error_of_a_shortage_is_recognized(error) -> None:
    assert shortage_in(error) == (str(error).splitlines() or ["no details"])[0]


def test_a_shortage_while_a_graph_is_recorded_is_recognized() -> None:
    """As torch.cuda.graph ends: the failed recording raises an error in place of its cause."""
    shortage = torch.OutOfMemoryError("CUDA out of memory.")

    def record() -> None:
        try:
            raise shortage
        finally:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    with pytest.raises(RuntimeError, match="during capture") as caught:
        record()
    assert shortage_in(caught.value) == "CUDA out of memory."


def test_other_errors_are_no_shortage() -> None:
    assert not shortage_in(RuntimeError("shapes differ"))
