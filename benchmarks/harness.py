"""What the benchmarks share: the machine's name, a table on the terminal, results as JSON."""

import json
import os
import platform
import re
import sys
from datetime import date
from pathlib import Path

import torch

from minde.study.files import processor

RESULTS = Path(__file__).parent / "results"


def device_name(device: torch.device) -> str:
    """Name of the device, such as `NVIDIA H100 80GB HBM3` or `AMD EPYC, 2 cores`."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor()


def print_table(rows: list[dict]) -> None:
    """Print rows with the same keys as an aligned table."""
    lines = [list(rows[0])] + [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def write_results(name: str, device: torch.device, **content) -> Path:
    """Write a benchmark's results, with what they were measured on, to results/<name>-<device>.json."""
    slug = re.sub(r"[^a-z0-9]+", "-", device_name(device).lower()).strip("-")
    path = RESULTS / f"{name}-{slug}.json"
    path.parent.mkdir(exist_ok=True)
    made_on = {"device": device_name(device), "torch": torch.__version__, "python": platform.python_version()}
    # Where folders lie on this machine tells nobody else anything.
    command = [Path(word).name if os.path.isabs(word) else word for word in sys.argv]
    text = json.dumps(made_on | {"date": str(date.today()), "command": command} | content, indent=1)
    path.write_text(text + "\n")
    print(f"written to {path}")
    return path


def _cell(value) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and abs(value) < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )
