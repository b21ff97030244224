"""Shared by the benchmarks: steps as processes, a table on the terminal, results as JSON."""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import torch

from minde.hardware import hardware_of

torch.set_float32_matmul_precision("highest")  # NVIDIA's containers allow TF32
RESULTS = Path(__file__).parent / "results"
CPU = torch.device("cpu")


def start_step(verb: str, settings: str, **options: str | Path) -> subprocess.Popen:
    """Start a step of the workflow with options such as paths, and its log in the pipe `stderr`."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "minde.steps", verb, "--settings", settings, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def print_table(rows: list[dict]) -> None:
    """Print rows with the same keys as an aligned table."""
    lines = [list(rows[0])] + [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))


def write_results(name: str, device: torch.device = CPU, **content) -> None:
    """Write a benchmark's results and the machine's name to results/<name>-<device>.json."""
    machine = hardware_of(device)
    slug = re.sub(r"[^a-z0-9]+", "-", machine.lower()).strip("-")
    path = RESULTS / f"{name}-{slug}.json"
    path.parent.mkdir(exist_ok=True)
    made_on = {"device": machine, "torch": torch.__version__, "python": platform.python_version()}
    # Absolute paths mean nothing on another machine.
    command = [Path(word).name if os.path.isabs(word) else word for word in sys.argv]
    text = json.dumps(made_on | {"date": str(date.today()), "command": command} | content, indent=1)
    path.write_text(text + "\n")
    print(f"written to {path}")


def _cell(value) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
