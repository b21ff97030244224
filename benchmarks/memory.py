"""Memory of a training: the peak resident size of the step `train`, as rules run it, on a CPU.

    python benchmarks/memory.py

Ten replicates of 100,000 training and 10,000 test samples each; the number of steps hardly matters. The table also has
the size of the training samples.
"""

import argparse
import os
import tempfile
from pathlib import Path

import yaml

from harness import print_table, start_step, write_results
from minde.study import design, step_settings
from minde.study.tasks import TASKS

ROOT = Path(__file__).parents[1]


def study(task: str, replicates: int, steps: int) -> dict:
    """Return a study of one cell in the recipe `fast`."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    config |= {"tasks": [task], "replicates": replicates, "train_sizes": [100_000], "methods": ["minde-c"]}
    config["samples"] = {"train": 100_000, "test": 10_000}
    config["recipes"]["fast"]["duration"] = {"steps": steps}
    return config


def peak(verb: str, settings: str, **paths) -> float:
    """Run a step and return its peak resident size in GiB."""
    process = start_step(verb, settings, **paths)
    messages = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{verb} failed:\n{messages}")
    return usage.ru_maxrss / (1 << 20)  # KiB on Linux


def main() -> None:
    """Measure the cells and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=["1v1-normal-0.75", "multinormal-dense-50-50-0.5"])
    parser.add_argument("--replicates", type=int, default=10)
    parser.add_argument("--steps", type=int, default=64)
    args = parser.parse_args()
    rows = []
    for name in args.tasks:
        config, task = study(name, args.replicates, args.steps), TASKS[name]
        cell = design.Cell(method="minde-c", task=name, train_size=100_000)
        with tempfile.TemporaryDirectory() as folder:
            files = {key: Path(folder) / key for key in ("samples", "weights", "curve")}
            peak("sample", step_settings.sample(config, name), out=files["samples"])
            found = peak("train", step_settings.train(config, cell), **files)
        data = args.replicates * 100_000 * (task.dim_x + task.dim_y) * 4 / (1 << 30)
        rows.append({"task": name, "replicates": args.replicates, "samples, GiB": data, "peak, GiB": found})
    print_table(rows)
    write_results("memory", table=rows)


if __name__ == "__main__":
    main()
