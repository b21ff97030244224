"""Accuracy of the default estimator for arrays, and coverage of its intervals.

    .venv/bin/python benchmarks/accuracy.py [--rows 10000] [--tasks ID …]

Prints a row per task and variant, with the estimate and its standard error by every formula, in nats; the same for few
rows of normals in many columns, correlated or independent, with and without weight decay, in one cluster or four, and
for classes of normals and their labels, with either base; for dependence that oscillates, with sines and cosines among
the networks' inputs and without; and the share of 95 % intervals from short trainings on normals that contain the true
value. docs/estimators.md and docs/recipes.md show the results.
"""

import argparse
import time
from unittest.mock import patch

import numpy as np
import torch

from harness import print_table, write_results
from minde import MINDE
from minde.diffusion import model
from minde.study.tasks import task

TASKS = (
    "1v1-normal-0.75",
    "wiggly-1v1-normal-0.75",
    "1v1-additive-0.75",
    "multinormal-dense-5-5-0.5",
    "student-identity-2-2-1",
    "multinormal-sparse-25-25-2-2.0",
)
WEIGHT_DECAY = MINDE().weight_decay
FIELDS = 8  # of the checkerboard, in each direction
NOISE = 0.3  # standard deviation, on a sine of amplitude 1
SETS = 40  # sets of samples for the coverage of intervals


def estimates_of(fitted: MINDE) -> dict[str, float]:
    """Return the columns of every formula: its estimate and standard error."""
    columns = {}
    for name, found in fitted.by_formula().items():
        columns |= {name: float(found), f"{name} error": found.std_error}
    return columns


def accuracy(task_id: str, variant: str, rows: int) -> dict:
    """Estimate the mutual information of a task from one set of samples."""
    from bmi.benchmark import BENCHMARK_TASKS

    x, y = (np.asarray(part) for part in BENCHMARK_TASKS[task_id].sample(rows, 0))
    preprocess = "gaussianize" if task_id.startswith("student") else "standardize"
    start = time.perf_counter()
    estimator = MINDE(variant, preprocess=preprocess, random_state=0).fit(x, y)
    row = {"task": task_id, "variant": variant, "mi_true": task(task_id).mi_true} | estimates_of(estimator)
    return row | {"seconds": time.perf_counter() - start}


def few_rows(columns: int, slope: float, weight_decay: float, clusters: int = 1) -> dict:
    """Estimate the mutual information of 1,000 rows of normals; each of y is `slope` times one of x, plus noise.

    With several clusters, which are far apart, the mean of x and y depends on the cluster.
    """
    generator = np.random.default_rng(0)
    x, noise = generator.normal(size=(2, 1000, columns))
    of_cluster = 6 * generator.normal(size=(clusters, 2 * columns))[np.arange(1000) % clusters] if clusters > 1 else 0
    rows = np.hstack([x, slope * x + noise]) + of_cluster
    start = time.perf_counter()
    estimator = MINDE("c", weight_decay=weight_decay, random_state=0).fit(rows[:, :columns], rows[:, columns:])
    row = {"columns": f"{columns} + {columns}", "clusters": clusters, "weight decay": weight_decay}
    row["mi_true"] = np.log(clusters) + columns / 2 * np.log(1 + slope**2)
    return row | estimates_of(estimator) | {"seconds": time.perf_counter() - start}


def classes(number: int, columns: int, base: str) -> dict:
    """Estimate the information between 6,000 rows of `number` normals and their one-hot labels."""
    generator, identity = np.random.default_rng(0), np.eye(number)
    centres = 2 * generator.normal(size=(number, columns))

    def draw(rows: int) -> tuple[np.ndarray, np.ndarray]:
        labels = generator.integers(number, size=rows)
        return centres[labels] + generator.normal(size=(rows, columns)), labels

    x, labels = draw(6000)
    start = time.perf_counter()
    estimator = MINDE("c", base=base, random_state=0).fit(x, identity[labels])
    seconds = time.perf_counter() - start
    at, true = draw(100_000)
    log_density = -0.5 * np.square(at[:, np.newaxis] - centres).sum(axis=2)
    log_share = log_density[np.arange(len(at)), true] - np.logaddexp.reduce(log_density, axis=1)
    row = {"classes": number, "columns": columns, "base": base, "mi_true": np.log(number) + log_share.mean()}
    return row | estimates_of(estimator) | {"seconds": seconds}


def oscillating(shape: str, rows: int, steps: int, waves: bool) -> dict:
    """Estimate the information in a checkerboard, or in the noisy sine of several periods of a uniform variable."""
    generator = np.random.default_rng(0)
    if shape == "checkerboard":
        field = generator.integers(FIELDS, size=rows)
        x = field + generator.random(rows)
        y = 2 * generator.integers(FIELDS // 2, size=rows) + field % 2 + generator.random(rows)
        mi_true = np.log(2)
    else:
        y = generator.random(rows)
        x = np.sin(2 * np.pi * int(shape.split()[0]) * y) + NOISE * generator.normal(size=rows)
        mi_true = entropy_of_noisy_sine() - 0.5 * np.log(2 * np.pi * np.e * NOISE**2)
    start = time.perf_counter()
    with patch.object(model, "FREQUENCIES", model.FREQUENCIES if waves else ()):
        estimator = MINDE("c", steps=steps, replicates=2, random_state=0).fit(x, y)
    row = {"samples": shape, "steps": steps, "waves": waves, "mi_true": mi_true}
    return row | estimates_of(estimator) | {"seconds": time.perf_counter() - start}


def entropy_of_noisy_sine() -> float:
    """Return the entropy of the sine of a uniform angle plus noise, in nats, by quadrature."""
    x = np.linspace(-1 - 8 * NOISE, 1 + 8 * NOISE, 4001)
    angle = (np.arange(4000) + 0.5) * np.pi / 4000
    density = np.exp(-0.5 * ((x[:, np.newaxis] - np.cos(angle)) / NOISE) ** 2).mean(axis=1)
    density /= NOISE * np.sqrt(2 * np.pi)
    return -(density * np.log(density)).sum() * (x[1] - x[0])


def coverage() -> list[dict]:
    """Count intervals that contain the mutual information of normals, whose Gaussian base needs no training."""
    rho, held = 0.75, {}
    truth = -0.5 * np.log(1 - rho**2)
    for number in range(SETS):
        z = np.random.default_rng(number).normal(size=(2, 1000))
        settings = {"steps": 64, "batch_size": 64, "hidden": 16, "random_state": number}
        fitted = MINDE(**settings).fit(z[0], rho * z[0] + np.sqrt(1 - rho**2) * z[1])
        for name, found in fitted.by_formula().items():
            low, high = found.interval(0.95)
            held.setdefault(name, []).append(low < truth < high)
    return [{"formula": name, "sets": SETS, "held": float(np.mean(values))} for name, values in held.items()]


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=10_000)
    options.add_argument("--tasks", nargs="*", default=TASKS)
    args = options.parse_args()
    torch.set_num_threads(1)
    intervals = coverage()
    print_table(intervals)
    few = [
        few_rows(columns, slope, weight_decay)
        for columns in (5, 20)
        for slope in (0.0, 0.5)
        for weight_decay in (0.0, WEIGHT_DECAY)
    ]
    few += [few_rows(20, slope, WEIGHT_DECAY, clusters=4) for slope in (0.0, 0.5)]
    print_table(few)
    clusters = [classes(*sizes, base) for sizes in ((5, 5), (10, 10), (20, 5)) for base in ("gaussian", "mixture")]
    print_table(clusters)
    oscillations = [
        oscillating(shape, args.rows, steps, waves)
        for shape in ("checkerboard", "8 periods", "16 periods")
        for steps in (1500, 6000)
        for waves in (False, True)
    ]
    print_table(oscillations)
    rows = [accuracy(task_id, variant, args.rows) for task_id in args.tasks for variant in "cj"]
    print_table(rows)
    write_results(
        "accuracy",
        rows=args.rows,
        accuracy=rows,
        few_rows=few,
        classes=clusters,
        oscillations=oscillations,
        coverage=intervals,
    )


if __name__ == "__main__":
    main()
