"""The step `plan`: the cost of a study, from its design and the rates that the throughput benchmark has measured."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from minde.diffusion.model import score_network
from minde.study import design, methods

from .cell import shape_of, steps_of

FLOAT = 4  # bytes
# Copies of the parameters: weights are kept raw and averaged; a checkpoint also has both moments of Adam.
KEPT, CHECKPOINT = 2, 4
FAR = 1.5  # times the work of the largest measured case, above which hours are reported as extrapolated


@dataclass(frozen=True)
class Rate:
    """A measured rate: replicate-steps per second of a stack, for one size of networks and batches."""

    work: int
    """Parameters times batch size."""
    per_second: float


@dataclass(frozen=True)
class Cost:
    """The cost of training a cell, per replicate."""

    width: int
    train_size: int
    steps: int
    parameters: int
    work: int
    """Parameters times batch size, per step."""


def report(config: dict, measured: list[Path], checks: list[Path]) -> str:
    """Return a study's jobs, steps and disk space, and its hours at the rates of every measured machine, as text.

    `measured` are results of the throughput benchmark, `checks` of that which runs cells to check a prediction.
    """
    replicates, cells = config["replicates"], design.cells(config)
    trainings = [cost_of(config, cell) for cell in cells if cell.method in methods.VARIANTS]
    lines = [f"study {config['name']}: {len(config['tasks'])} tasks, {replicates} replicates of each cell"]
    for width, train_size in sorted({(training.width, training.train_size) for training in trainings}):
        steps = [t.steps for t in trainings if (t.width, t.train_size) == (width, train_size)]
        length = f"{max(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
        lines.append(f"  width {width:>3}, {train_size:>7,} samples: {len(steps):>3} trainings of {length:>9} steps")
    if trainings:
        lines += [line for path in measured for line in hours(path, trainings, replicates)]
        lines += [line for path in checks for line in check(path)]
    weights = sum(training.parameters for training in trainings) * replicates * FLOAT
    return "\n".join(
        [
            *lines,
            f"jobs: {len(config['tasks'])} for samples, {len(trainings)} for training, {len(trainings)} for estimates",
            *unpredicted(config),
            f"disk: samples {_gigabytes(_samples(config))}, weights {_gigabytes(weights * KEPT)}, "
            f"checkpoints at most {_gigabytes(weights * CHECKPOINT)} while training",
        ]
    )


def unpredicted(config: dict) -> list[str]:
    """Return what else the study runs, whose rates are not measured, as text; no line if there is nothing."""
    competitors = sum(cell.method in methods.COMPETITORS for cell in design.cells(config))
    found = [f"{competitors} cells of competitors"] if competitors else []
    if experiments := config["experiments"]:
        found.append(f"{len(experiments)} experiments ({', '.join(experiments)})")
    if config["consistency"]:
        found.append("the autoencoders of the consistency tests")
    return [f"hours are not predicted of {', '.join(found)}"] if found else []


def hours(path: Path, trainings: list[Cost], replicates: int) -> list[str]:
    """Return the hours that trainings take on a measured machine, and the extrapolated part of them, as text."""
    machine, rates = read_rates(path)
    spent = [training.steps * replicates / per_second(rates, training.work) / 3600 for training in trainings]
    longest, most = max(spent, default=0), max(rate.work for rate in rates)
    lines = [f"on {machine}: {sum(spent):,.1f} hours of training, the longest cell {longest:,.1f} ({path.name})"]
    far = [(training, time) for training, time in zip(trainings, spent, strict=True) if training.work > FAR * most]
    for width in sorted({training.width for training, _ in far}):
        total = sum(time for training, time in far if training.width == width)
        times = max(training.work for training, _ in far if training.width == width) / most
        lines.append(
            f"  of these, {total:,.1f} hours at width {width} are extrapolated: a step is up to {times:.1f} times the "
            "work of the largest measured case, and is assumed to take that many times as long"
        )
    return lines


def check(path: Path) -> list[str]:
    """Return how many times their prediction the cells of a checked task took, as text; nothing if none were run."""
    found = json.loads(path.read_text())
    if not (checked := found["check"]):
        return []
    return [
        f"on {found['device']}, real trainings of {checked['task']} took {checked['ratio']:.1f} times their prediction "
        f"({path.name})"
    ]


def cost_of(config: dict, cell: design.Cell) -> Cost:
    """Return the cost of training a cell."""
    task, settings = design.task_of(config, cell.task), design.training_of(config, cell)
    training = settings["training"]
    network = score_network(
        variant=methods.VARIANTS[cell.method],
        dim_x=task.dim_x,
        dim_y=task.dim_y,
        n_train=cell.train_size,
        has_base=training["base"] != "none",
        **shape_of(settings),
    )
    steps, parameters = steps_of(training, cell.train_size), network.n_parameters
    return Cost(network.hidden, cell.train_size, steps, parameters, parameters * training["batch_size"])


def per_second(rates: list[Rate], work: int) -> float:
    """Return the replicate-steps per second at some work per step, from the nearest measured case.

    Larger steps scale linearly; smaller ones cost the same, since overhead dominates.
    """
    nearest = min(rates, key=lambda rate: abs(math.log(rate.work / work)))
    return nearest.per_second * min(1.0, nearest.work / work)


def read_rates(path: Path) -> tuple[str, list[Rate]]:
    """Return the name of the machine that the throughput benchmark has measured, and its rates."""
    measured = json.loads(path.read_text())
    rates = {Rate(row["parameters"] * row["batch size"], row["ours, replicate-steps/s"]) for row in measured["table"]}
    return measured["device"], list(rates)


def _samples(config: dict) -> int:
    rows = config["samples"]["train"] + config["samples"]["test"]
    tasks = [design.task_of(config, task_id) for task_id in config["tasks"]]
    return sum(task.dim_x + task.dim_y for task in tasks) * rows * config["replicates"] * FLOAT


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
