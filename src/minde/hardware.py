"""The names of processors and GPUs, for provenance."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def hardware_of(device: torch.device) -> str:
    """Return the name of a device, such as `NVIDIA H100 80GB HBM3` or `AMD EPYC, 2 cores`."""
    if device.type != "cuda":
        return processor()
    import torch

    return torch.cuda.get_device_name(device)


def processor() -> str:
    """Return the processor of this machine and the cores available to this process, such as `AMD EPYC, 2 cores`."""
    name, cpuinfo = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*:\s*(.*)", cpuinfo.read_text())):
        name = found.group(1).strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores"
