"""The step `plan`: what a study will cost, from its design and from rates that the throughput benchmark measured."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from minde.diffusion.model import score_network
from minde.diffusion.network import Network, hidden_width
from minde.study import design

from .cell import steps_of

FLOAT = 4  # bytes
# Weights are kept raw and averaged; a checkpoint has both moments of Adam beside them.
KEPT, CHECKPOINT = 2, 4


@dataclass(frozen=True)
class Rate:
    """What the benchmark measured: replicate-steps per second of a stack, for networks and batches of a size."""

    work: int
    """Parameters times batch size."""
    per_second: float


def report(config: dict, measured: list[Path]) -> str:
    """Return a study's jobs, steps and disk, and its hours at the rates of every machine that was measured."""
    replicates = config["replicates"]
    cells = [cell for cell in design.cells(config) if cell.method in design.VARIANTS]
    networks = [network_of(config, cell) for cell in cells]
    trainings = [design.training_of(config, cell)["training"] for cell in cells]
    steps = [steps_of(training, cell.train_size) for cell, training in zip(cells, trainings, strict=True)]
    lines = [f"study {config['name']}: {len(config['tasks'])} tasks, {replicates} replicates of each cell"]
    rows = [(network.hidden, cell.train_size) for network, cell in zip(networks, cells, strict=True)]
    for hidden, train_size in sorted(set(rows)):
        of_row = [count for row, count in zip(rows, steps, strict=True) if row == (hidden, train_size)]
        lines.append(
            f"  width {hidden:>3}, {train_size:>7,} samples: {len(of_row):>3} trainings of {max(of_row):>9,} steps"
        )
    for path in measured:
        machine, rates = read_rates(path)
        work = [n.n_parameters * t["batch_size"] for n, t in zip(networks, trainings, strict=True)]
        hours = [count * replicates / per_second(rates, w) / 3600 for count, w in zip(steps, work, strict=True)]
        longest = max(hours, default=0)
        lines.append(
            f"on {machine}: {sum(hours):,.1f} hours of training, the longest cell {longest:,.1f} ({path.name})"
        )
    competitors = sum(cell.method in design.COMPETITORS for cell in design.cells(config))
    weights = sum(network.n_parameters for network in networks) * replicates * FLOAT
    return "\n".join(
        [
            *lines,
            f"jobs: {len(config['tasks'])} of samples, {len(cells)} of training, as many of estimates, "
            f"{competitors} of competitors",
            f"disk: samples {_gigabytes(_samples(config))}, weights {_gigabytes(weights * KEPT)}, "
            f"checkpoints at most {_gigabytes(weights * CHECKPOINT)} while training",
        ]
    )


def network_of(config: dict, cell: design.Cell) -> Network:
    """Return the network of a cell."""
    task, settings = design.task_of(config, cell.task), design.training_of(config, cell)
    return score_network(
        variant=design.VARIANTS[cell.method],
        dim_x=task.dim_x,
        dim_y=task.dim_y,
        hidden=hidden_width(task.dim_x + task.dim_y, settings["network"]["hidden"]),
        middle_blocks=settings["network"]["middle_blocks"],
        has_base=settings["training"]["precondition"] == "gaussian",
    )


def per_second(rates: list[Rate], work: int) -> float:
    """Return the replicate-steps per second at some work per step, from the measured case that is nearest to it.

    More work is taken to take longer in proportion; less, as long: small steps are bound by what each costs anyway.
    """
    nearest = min(rates, key=lambda rate: abs(math.log(rate.work / work)))
    return nearest.per_second * min(1.0, nearest.work / work)


def read_rates(path: Path) -> tuple[str, list[Rate]]:
    """Return the machine that the throughput benchmark has measured, and its rates."""
    measured = json.loads(path.read_text())
    rates = {Rate(row["parameters"] * row["batch size"], row["ours, replicate-steps/s"]) for row in measured["table"]}
    return measured["device"], list(rates)


def _samples(config: dict) -> int:
    rows = config["samples"]["train"] + config["samples"]["test"]
    tasks = [design.task_of(config, task_id) for task_id in config["tasks"]]
    return sum(task.dim_x + task.dim_y for task in tasks) * rows * config["replicates"] * FLOAT


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
