"""Cost of the MINDE rows of Table 1: 40 tasks × 2 variants × 10 replicates, by both recipes, from measured rates.

    python benchmarks/table_cost.py

Rates are those in results/throughput-*.json, of one machine each; on a CPU they are of all cores together. They hold
for the recipe `paper` between evaluations: the base of `fast`, the training curve and the start of a process come on
top. On this machine's CPU, the prediction is checked by running the step `train` for the two cells of a task in
parallel.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import torch
import yaml
from snakemake.utils import update_config

from harness import RESULTS, print_table, start_step, write_results
from minde.hardware import hardware_of
from minde.steps import plan
from minde.study import config as configs
from minde.study import design, methods, step_settings

ROOT = Path(__file__).parents[1]
FILES = {
    "paper": ("paper",),
    "fast": ("paper", "accuracy"),
}  # steps of `fast` by task are those of config/accuracy.yaml


def study(recipe: str, tasks: list[str]) -> dict:
    """Return the MINDE rows of the paper's study, by a recipe."""
    config = {}
    for name in ("config", *FILES[recipe]):
        update_config(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    update_config(config, {"tasks": tasks, "train_sizes": [100_000], "methods": [*methods.VARIANTS]})
    config["minde"]["recipe"] = recipe
    return configs.resolve(config, ROOT)


def predicted(config: dict, rates: list[plan.Rate], cells: list[design.Cell]) -> float:
    """Return the seconds of training of cells one after another on the whole machine."""
    trainings = [plan.cost_of(config, cell) for cell in cells]
    return sum(t.steps * config["replicates"] / plan.per_second(rates, t.work) for t in trainings)


def measured(config: dict, cells: list[design.Cell]) -> float:
    """Return the seconds that trainings of cells of one task take in parallel, from start to end of their processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = folder / "samples"
        _finish([start_step("sample", step_settings.sample(config, cells[0].task), out=samples)])
        begin = time.perf_counter()
        files = [{"weights": folder / f"{i}.w", "curve": folder / f"{i}.c"} for i in range(len(cells))]
        _finish(
            [
                start_step("train", step_settings.train(config, cell), samples=samples, device="cpu", **written)
                for cell, written in zip(cells, files, strict=True)
            ]
        )
        return time.perf_counter() - begin


def _finish(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        log = process.communicate()[1]
        if process.returncode:
            raise SystemExit(f"{process.args} failed:\n{log}")


def main() -> None:
    """Predict, check, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="TASK", default="multinormal-dense-5-5-0.5", help="task that is trained")
    args = parser.parse_args()
    here, rows, checked = hardware_of(torch.device("cpu")), [], None
    for path in sorted(RESULTS.glob("throughput-*.json")):
        machine, rates = plan.read_rates(path)
        for recipe in FILES:
            config = study(recipe, ["all"])
            cells = design.cells(config)
            most, work = max(rate.work for rate in rates), [plan.cost_of(config, cell).work for cell in cells]
            rows.append(
                {
                    "machine": machine,
                    "recipe": recipe,
                    "cells": len(cells),
                    "hours": predicted(config, rates, cells) / 3600,
                    "cells extrapolated": sum(value > plan.FAR * most for value in work),
                }
            )
        if machine == here:
            config = study("fast", [args.check])
            cells = design.cells(config)
            took, expected = measured(config, cells), predicted(config, rates, cells)
            checked = {"task": args.check, "predicted, s": expected, "really, s": took, "ratio": took / expected}
    print_table(rows)
    if checked:
        print_table([checked])
    write_results("table-cost", table=rows, check=checked)


if __name__ == "__main__":
    main()
