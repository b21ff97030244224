"""Gain from bundles: the study's small rules on SLURM, with one, four and eight of their jobs in a SLURM job.

    SLURM_TEST_CPUS=4 tests/slurm/cluster.sh start
    eval "$(tests/slurm/cluster.sh env)"
    python benchmarks/bundles.py

Samples of eight tasks are drawn, and CCA is run on them, with the paper's numbers of samples. All jobs are ready
together. The seconds of a SLURM job are those for which it holds its node, by the accounting.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import fmean

import yaml

from harness import print_table, write_results

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests/workflow"))
from running import checkout  # noqa: E402

SIZES = (1, 4, 8)
STUDY = {
    "name": "bundles",
    "tasks": [
        "1v1-normal-0.75",
        "1v1-additive-0.1",
        "1v1-additive-0.75",
        "1v1-bimodal-0.75",
        "wiggly-1v1-normal-0.75",
        "half_cube-1v1-normal-0.75",
        "multinormal-dense-2-2-0.5",
        "multinormal-dense-3-3-0.5",
    ],
    "replicates": 10,
    "samples": {"train": 100_000, "test": 10_000},
    "train_sizes": [5000],
    "methods": ["cca"],
}


def measure(folder: Path, rule: str, size: int) -> dict:
    """Return the times per job of a rule in bundles of a size: wall time, and that for which SLURM jobs hold a node."""
    resources = [f"{rule}:bundle={size}", f"{rule}:mem_mb=2000", f"{rule}:runtime=10m"]
    command = [sys.executable, "-m", "snakemake", "--executor", "submitit", "--jobs", "8", "--configfile", "study.yaml"]
    command += ["--seconds-between-status-checks", "5", "--until", rule, "--set-resources", *resources]
    begin = time.perf_counter()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if run.returncode:
        sys.exit(run.stderr[-3000:])
    ids = re.findall(r"Submitted .*?(?:job|array of \d+,) (\d+)", run.stderr)
    time.sleep(5)  # the accounting lags
    query = ["sacct", "-X", "-n", "-P", "-j", ",".join(ids), "-o", "ElapsedRaw"]
    held = [int(row) for row in subprocess.run(query, check=True, capture_output=True, text=True).stdout.split()]
    jobs = len(STUDY["tasks"])
    row = {"rule": rule, "bundle": size, "SLURM jobs": len(held), "seconds of each": round(fmean(held), 1)}
    return row | {"wall seconds per job": round(seconds / jobs, 1), "node seconds per job": round(sum(held) / jobs, 1)}


def main() -> None:
    """Measure every rule and size and print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = checkout(Path(name) / "minde")
        (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
        for rule, made in (("draw_samples", "samples"), ("baseline", "estimates")):
            for size in SIZES:
                shutil.rmtree(folder / "results/bundles" / made, ignore_errors=True)
                rows.append(measure(folder, rule, size))
                print_table(rows[-1:])
    print_table(rows)
    write_results("bundles", cluster="SLURM 22.05, one node, 4 CPUs advertised", table=rows)


if __name__ == "__main__":
    main()
