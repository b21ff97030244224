"""Planning of a study by Snakemake: wall time and memory of dry runs, and their growth with the number of cells.

    python benchmarks/planning.py

The paper's study, config/paper.yaml, then synthetic ones: all 40 tasks, both variants, and as many train sizes as
needed. Each is planned from scratch in a separate process on two cores.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import print_table, write_results

ROOT = Path(__file__).parents[1]
TASKS, VARIANTS = 40, ["minde-j", "minde-c"]
PER_TRAIN_SIZE = TASKS * len(VARIANTS)  # cells


# Snakemake writes its own peak memory at exit: the usage that the parent gets includes memory of the parent.
SNAKEMAKE = """
import atexit
from pathlib import Path
from snakemake.cli import main
atexit.register(lambda: Path("status").write_text(Path("/proc/self/status").read_text()))
main()
"""


def synthetic(cells: int, folder: Path) -> Path:
    """Write the config of a study with `cells` trainings, and return its path."""
    sizes = [1000 + 10 * i for i in range(math.ceil(cells / PER_TRAIN_SIZE))]
    config = {"name": f"synthetic-{cells}", "tasks": ["all"], "methods": VARIANTS, "train_sizes": sizes}
    path = folder / f"synthetic-{cells}.json"
    path.write_text(json.dumps(config | {"samples": {"train": max(sizes), "test": 10000}}))
    return path


def plan(case: str, configfile: Path) -> dict:
    """Plan a study; return its jobs, and the wall time and peak memory of the process."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--snakefile", ROOT / "Snakefile", "--configfile", configfile, "--dry-run", "--quiet", "rules"]
        output = Path(folder) / "output"
        load = os.getloadavg()[0]  # above 2, other processes dominate the wall time
        begin = time.perf_counter()
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-c", SNAKEMAKE, *map(str, arguments)],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        printed = output.read_text()
        if status:
            sys.exit(f"{case} failed:\n{printed[-3000:]}")
        memory = re.search(r"VmHWM:\s*(\d+) kB", (Path(folder) / "status").read_text()).group(1)
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", printed, flags=re.MULTILINE)}
    return {
        "study": case,
        "cells": sum(jobs.get(rule, 0) for rule in ("estimate", "baseline", "critic", "torch_baseline")),
        "jobs": jobs["total"],
        "seconds": seconds,
        "CPU seconds": usage.ru_utime + usage.ru_stime,
        "MiB": int(memory) / 1024,
        "load": load,
    }


def growth(rows: list[dict]) -> float:
    """Return the exponent with which CPU time grows with the cells, from the two largest studies."""
    smaller, larger = rows[-2:]
    return math.log(larger["CPU seconds"] / smaller["CPU seconds"]) / math.log(larger["cells"] / smaller["cells"])


def main() -> None:
    """Plan every study, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[1000, 5000, 20000], help="of the synthetic studies")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:2]))
    with tempfile.TemporaryDirectory() as folder:
        studies = {"paper": ROOT / "config/paper.yaml"}
        studies |= {f"synthetic, {cells:,}": synthetic(cells, Path(folder)) for cells in sorted(args.cells)}
        rows = [plan(case, path) for case, path in studies.items()]
    print_table(rows)
    print(f"CPU time grows with the cells to the power of {growth(rows):.2f}")
    write_results("planning", table=rows, power=growth(rows))


if __name__ == "__main__":
    main()
