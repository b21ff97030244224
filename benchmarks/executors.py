"""Many trivial jobs on SLURM: wall time and calls to the cluster, by our executor and by the most common one.

    SLURM_TEST_CPUS=4 tests/slurm/cluster.sh start
    eval "$(tests/slurm/cluster.sh env)"
    ln -s "$SLURM_CONF" /etc/slurm/slurm.conf   # the other plugin unsets the variable in its jobs; remove afterwards
    python benchmarks/executors.py --plugin FOLDER

FOLDER holds snakemake-executor-plugin-slurm and its jobstep plugin, from `pip install --target FOLDER`. Calls are those
on the submitting machine, counted by wrappers of the same names that come first in PATH. Each side runs with its
defaults, except that the seconds between status checks are the same.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from harness import print_table, write_results

SOURCES = Path(__file__).parents[1] / "src"
COMMANDS = ("sbatch", "squeue", "sacct", "scontrol", "scancel")
SNAKEFILE = """
rule all:
    input: expand("out/{{i}}.txt", i=range({jobs}))
rule trivial:
    output: "out/{{i}}.txt"
    resources: mem_mb=800, runtime=10{resources}
    shell: "echo {{wildcards.i}} > {{output}}"
"""


def counting_path(folder: Path) -> str:
    """Return a PATH on which SLURM's commands log their calls to a file in the folder."""
    programs = folder / "bin"
    programs.mkdir()
    for name in COMMANDS:
        program = programs / name
        program.write_text(f'#!/bin/sh\necho {name} >> {folder}/calls\nexec {shutil.which(name)} "$@"\n')
        program.chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


def measure(case: str, jobs: int, arguments: list[str], resources: str = "", plugin: str = "") -> dict:
    """Return the wall time of a run, in seconds, and its calls on the submitting machine."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "Snakefile").write_text(SNAKEFILE.format(jobs=jobs, resources=resources))
        environment = os.environ | {"PATH": counting_path(folder), "PYTHONPATH": f"{SOURCES}:{plugin}"}
        command = [sys.executable, "-m", "snakemake", "--jobs", str(jobs), *arguments]
        begin = time.perf_counter()
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        if run.returncode:
            sys.exit(f"{case} failed:\n{run.stderr[-3000:]}")
        calls = Counter((folder / "calls").read_text().split())
    row = {"case": case, "jobs": jobs, "seconds": round(seconds, 1)} | {name: calls[name] for name in COMMANDS}
    print_table([row])  # each case takes minutes
    return row


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugin", required=True, metavar="FOLDER", help="where snakemake-executor-plugin-slurm is")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seconds-between-looks", type=int, default=10)
    args = parser.parse_args()
    checks = ["--seconds-between-status-checks", str(args.seconds_between_looks)]
    # Its first status check is after 40 seconds by default, which does not matter in a run of minutes.
    theirs = ["--executor", "slurm", "--default-resources", "slurm_account=test", "slurm_partition=main", *checks]
    ours = ["--executor", "submitit", *checks]
    rows = [
        measure("submitit", args.jobs, ours),
        measure("submitit, bundles of 25", args.jobs, ours, resources=", bundle=25"),
        measure("slurm", args.jobs, theirs, plugin=args.plugin),
    ]
    print_table(rows)
    write_results("executors", cluster="SLURM 22.05, one node, 4 CPUs advertised", table=rows)


if __name__ == "__main__":
    main()
