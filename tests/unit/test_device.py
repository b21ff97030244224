"""Memory of a training process: what one step frees is kept for the next."""

import platform
import subprocess
import sys

import pytest

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
