"""The step `plan`: what a study will cost, from its design and from rates that the throughput benchmark measured."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from minde.diffusion.model import score_network
from minde.diffusion.network import Network
from minde.study import design, methods

from .cell import shape_of, steps_of

FLOAT = 4  # bytes
# Weights are kept raw and averaged; a checkpoint has both moments of Adam beside them.
KEPT, CHECKPOINT = 2, 4
FAR = 1.5  # times the work of the largest case measured, from which hours are said to be extrapolated


@dataclass(frozen=True)
class Rate:
    """What the benchmark measured: replicate-steps per second of a stack, for networks and batches of a size."""

    work: int
    """Parameters times batch size."""
    per_second: float


@dataclass(frozen=True)
class Training:
    """What the training of a cell costs, per replicate."""

    width: int
    train_size: int
    steps: int
    parameters: int
    work: int
    """Parameters times batch size, per step."""


def report(config: dict, measured: list[Path]) -> str:
    """Return a study's jobs, steps and disk, and its hours at the rates of every machine that was measured."""
    replicates, cells = config["replicates"], design.cells(config)
    trainings = [training_of(config, cell) for cell in cells if cell.method in methods.VARIANTS]
    lines = [f"study {config['name']}: {len(config['tasks'])} tasks, {replicates} replicates of each cell"]
    for width, train_size in sorted({(one.width, one.train_size) for one in trainings}):
        steps = [one.steps for one in trainings if (one.width, one.train_size) == (width, train_size)]
        of = f"{max(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
        lines.append(f"  width {width:>3}, {train_size:>7,} samples: {len(steps):>3} trainings of {of:>9} steps")
    for path in measured:
        lines += hours(path, trainings, replicates)
    competitors = sum(cell.method in methods.COMPETITORS for cell in cells)
    weights = sum(one.parameters for one in trainings) * replicates * FLOAT
    return "\n".join(
        [
            *lines,
            f"jobs: {len(config['tasks'])} of samples, {len(trainings)} of training, as many of estimates, "
            f"{competitors} of competitors, whose hours are not counted",
            f"disk: samples {_gigabytes(_samples(config))}, weights {_gigabytes(weights * KEPT)}, "
            f"checkpoints at most {_gigabytes(weights * CHECKPOINT)} while training",
        ]
    )


def hours(path: Path, trainings: list[Training], replicates: int) -> list[str]:
    """Return in words what trainings take on a machine that was measured, and what of it is extrapolated."""
    machine, rates = read_rates(path)
    spent = [one.steps * replicates / per_second(rates, one.work) / 3600 for one in trainings]
    longest, most = max(spent, default=0), max(rate.work for rate in rates)
    lines = [f"on {machine}: {sum(spent):,.1f} hours of training, the longest cell {longest:,.1f} ({path.name})"]
    far = [(one, time) for one, time in zip(trainings, spent, strict=True) if one.work > FAR * most]
    for width in sorted({one.width for one, _ in far}):
        total = sum(time for one, time in far if one.width == width)
        times = max(one.work for one, _ in far if one.width == width) / most
        lines.append(
            f"  of these, {total:,.1f} hours at width {width} are extrapolated: a step is up to {times:.1f} times the "
            "work of the largest case measured, and taken to last as many times as long"
        )
    return lines


def training_of(config: dict, cell: design.Cell) -> Training:
    """Return what the training of a cell costs."""
    network, training = network_of(config, cell), design.training_of(config, cell)["training"]
    steps, parameters = steps_of(training, cell.train_size), network.n_parameters
    return Training(network.hidden, cell.train_size, steps, parameters, parameters * training["batch_size"])


def network_of(config: dict, cell: design.Cell) -> Network:
    """Return the network of a cell."""
    task, settings = design.task_of(config, cell.task), design.training_of(config, cell)
    return score_network(
        variant=methods.VARIANTS[cell.method],
        dim_x=task.dim_x,
        dim_y=task.dim_y,
        has_base=settings["training"]["precondition"] != "none",
        **shape_of(settings, task.dim_x + task.dim_y),
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
