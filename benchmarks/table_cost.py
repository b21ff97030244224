"""What the MINDE rows of Table 1 cost: 40 tasks × 2 variants × 10 replicates, by both recipes, from measured rates.

    python benchmarks/table_cost.py

Rates are those in results/throughput-*.json, of one machine each; on a CPU they are of all its cores together. They are
of the recipe `paper` between evaluations: the base of `fast`, the training curve and starting a process come on top.
On this machine the prediction is checked against the two cells of a task, really run by the step `train`, side by side.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import yaml
from snakemake.utils import update_config

from harness import RESULTS, device_name, print_table, write_results
from minde.steps import plan
from minde.study import config as configs
from minde.study import design, methods

ROOT = Path(__file__).parents[1]
FILES = {
    "paper": ("paper",),
    "fast": ("paper", "accuracy"),
}  # steps of `fast` by task are those of config/accuracy.yaml


def study(recipe: str, tasks: list[str]) -> dict:
    """The MINDE rows of the paper's study, by a recipe."""
    config = {}
    for name in ("config", *FILES[recipe]):
        update_config(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    update_config(config, {"tasks": tasks, "train_sizes": [100_000], "methods": [*methods.VARIANTS]})
    config["minde"]["recipe"] = recipe
    return configs.resolve(config, ROOT)


def predicted(config: dict, rates: list[plan.Rate], cells: list[design.Cell]) -> float:
    """Seconds of training of some cells, one after the other on the whole machine."""
    trainings = [plan.training_of(config, cell) for cell in cells]
    return sum(one.steps * config["replicates"] / plan.per_second(rates, one.work) for one in trainings)


def really_run(config: dict, cells: list[design.Cell]) -> float:
    """Seconds that trainings of cells of one task take side by side, from start to end of their processes."""
    with tempfile.TemporaryDirectory() as folder:

        def step(verb: str, settings: str, **paths) -> subprocess.Popen:
            options = [word for name, path in paths.items() for word in (f"--{name}", f"{folder}/{path}")]
            command = [sys.executable, "-m", "minde.steps", verb, "--settings", settings, *options]
            return subprocess.Popen(command, stderr=subprocess.DEVNULL)

        processes = [step("sample", design.sample_settings(config, cells[0].task), out="samples")]
        _finish(processes)
        begin = time.perf_counter()
        processes = [
            step("train", design.train_settings(config, cell), samples="samples", weights=f"{i}.w", curve=f"{i}.c")
            for i, cell in enumerate(cells)
        ]
        _finish(processes)
        return time.perf_counter() - begin


def _finish(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.wait():
            raise SystemExit(f"{process.args} ended in status {process.returncode}")


def main() -> None:
    """Predict, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="TASK", default="multinormal-dense-5-5-0.5", help="task that is really run")
    args = parser.parse_args()
    here, rows, checked = device_name(torch.device("cpu")), [], None
    for path in sorted(RESULTS.glob("throughput-*.json")):
        machine, rates = plan.read_rates(path)
        for recipe in FILES:
            config = study(recipe, ["all"])
            cells = design.cells(config)
            most, work = max(rate.work for rate in rates), [plan.training_of(config, cell).work for cell in cells]
            rows.append(
                {
                    "machine": machine,
                    "recipe": recipe,
                    "cells": len(cells),
                    "hours": predicted(config, rates, cells) / 3600,
                    "cells extrapolated": sum(one > plan.FAR * most for one in work),
                }
            )
        if machine == here:
            config = study("fast", [args.check])
            cells = design.cells(config)
            took, expected = really_run(config, cells), predicted(config, rates, cells)
            checked = {"task": args.check, "predicted, s": expected, "really, s": took, "ratio": took / expected}
    print_table(rows)
    if checked:
        print_table([checked])
    write_results("table-cost", torch.device("cpu"), table=rows, check=checked)


if __name__ == "__main__":
    main()
