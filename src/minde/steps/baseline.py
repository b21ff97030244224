"""The step `baseline`: samples in, a row per replicate of a competitor's estimates out."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from minde import baselines
from minde.files import provenance
from minde.hardware import hardware_of, processor
from minde.progress import tell
from minde.study import methods, results, samples
from minde.study.seeds import seed_of
from minde.study.sources import SOURCES

BENCHMARK_PACKAGES = ("benchmark-mi", "jax", "jaxlib", "numpy", "scikit-learn", "scipy")
TORCH_PACKAGES = ("numpy", "scipy", "torch")


def baseline(settings: dict, samples_path: Path, out: Path, device: str = "auto") -> None:
    """Estimate a cell with a competitor, every replicate from its own samples, and write its rows.

    `device` is that of methods that use torch; the others run on the CPU.
    """
    method, options = settings["method"], settings["options"]
    packages, hardware = BENCHMARK_PACKAGES, processor()
    if method in methods.TORCH:
        # The other methods run without torch.
        from minde.device import pick_device

        options = options | {"device": pick_device(device)}
        packages, hardware = TORCH_PACKAGES, hardware_of(options["device"])
    cell = {
        "task": settings["task"],
        "method": method,
        "estimator": method,
        "train_size": settings.get("train_size", 0),
    }
    outcomes = baselines.estimates(method, replicates(settings, samples_path), options)
    rows = []
    for number, outcome in enumerate(outcomes):
        own = {
            "replicate": number,
            "estimate": outcome.nats,
            "std_error": outcome.std_error,
            "not_converged": outcome.not_converged,
            "seconds": outcome.seconds,
            "train_seconds": 0.0,
        }
        rows.append(cell | own)
        if outcome.not_converged:
            tell(f"{method}, {cell['task']}, replicate {number}: {outcome.not_converged}")
    made_by = provenance(settings, packages=packages, sources=SOURCES[method])
    made_by |= {"hardware": hardware, "samples": samples.provenance_of(samples_path)}
    results.write_parquet(out, results.estimates_table(rows), made_by)


def replicates(settings: dict, samples_path: Path) -> Iterator[baselines.Replicate]:
    """Yield the samples of each replicate, with the training split and a seed if the method trains."""
    task, method, train_size = (settings.get(key) for key in ("task", "method", "train_size"))
    for number in range(settings["replicates"]):
        splits, seed = {"test": samples.read(samples_path, number, "test")}, None
        if method not in methods.UNTRAINED:
            splits["train"] = samples.read(samples_path, number, "train", train_size)
            seed = seed_of(settings["seed"], task, train_size, number, f"train/{method}")
        if settings.get("preprocess") == "gaussianize":
            ranked = splits.get("train", splits["test"])
            splits = {split: tuple(map(gaussianized, pair, ranked)) for split, pair in splits.items()}
        rows = {
            f"{name}_{split}": rows for split, pair in splits.items() for name, rows in zip("xy", pair, strict=True)
        }
        yield baselines.Replicate(number=number, seed=seed, **rows)


def gaussianized(rows: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Map samples `(n, dim)` to a normal by their ranks among others `(m, dim)`, column by column.

    As :class:`minde.diffusion.preprocess.Gaussianize`, without torch, which most competitors' environments lack.
    """
    columns, n = [], len(ranked)
    for values, ordered in zip(rows.T, np.sort(ranked, axis=0).T, strict=True):
        n_below, n_up_to = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
        upper = n_below.clip(1, n - 1)
        below, above = ordered[upper - 1], ordered[upper]
        fraction = ((values - below) / np.maximum(above - below, np.finfo(rows.dtype).tiny)).clip(0, 1)
        rank = np.where(n_up_to > n_below, (n_below + n_up_to) / 2, upper - 0.5 + fraction)
        columns.append(ndtri(rank / n))
    return np.stack(columns, axis=1).astype(rows.dtype)
