"""The step `baseline`: samples in, a row per replicate of a competitor's estimates out."""

from collections.abc import Iterator
from pathlib import Path

from minde import baselines
from minde.files import provenance
from minde.hardware import hardware_of, processor
from minde.progress import tell
from minde.study import results, samples
from minde.study.seeds import seed_of
from minde.study.sources import SOURCES

BENCHMARK_PACKAGES = ("benchmark-mi", "jax", "jaxlib", "numpy", "scikit-learn", "scipy")
TORCH_PACKAGES = ("numpy", "torch")


def baseline(settings: dict, samples_path: Path, out: Path, device: str = "auto") -> None:
    """Estimate a cell with a competitor, every replicate from its own samples, and write its rows.

    `device` is that of methods that use torch; the others run on the CPU.
    """
    on_device = baselines.METHODS[settings["method"]].on_device
    options, hardware = settings["options"], processor()
    if on_device:
        from minde.device import pick_device  # imports torch

        options = options | {"device": pick_device(device)}
        hardware = hardware_of(options["device"])
    cell = {
        "task": settings["task"],
        "method": settings["method"],
        "estimator": settings["method"],
        "train_size": settings.get("train_size", 0),
        "mi_true": samples.metadata(samples_path)["mi_true"],
    }
    estimates = baselines.estimates(settings["method"], replicates(settings, samples_path), options)
    rows = [
        cell
        | {"replicate": number, "estimate": e.nats, "std_error": e.std_error, "not_converged": e.not_converged}
        | {"seconds": e.seconds, "train_seconds": 0.0}
        for number, e in enumerate(estimates)
    ]
    for row in rows:
        if row["not_converged"]:
            tell(f"{cell['method']}, {cell['task']}, replicate {row['replicate']}: {row['not_converged']}")
    made_by = provenance(
        settings, packages=TORCH_PACKAGES if on_device else BENCHMARK_PACKAGES, sources=SOURCES[settings["method"]]
    )
    made_by |= {"hardware": hardware, "samples": samples.provenance_of(samples_path)}
    results.write_parquet(out, results.estimates_table(rows), made_by)


def replicates(settings: dict, samples_path: Path) -> Iterator[baselines.Replicate]:
    """Yield the samples of each replicate, with the training split and a seed if the method trains."""
    task, method, train_size = (settings.get(key) for key in ("task", "method", "train_size"))
    for number in range(settings["replicates"]):
        x_test, y_test = samples.read(samples_path, number, "test")
        x_train = y_train = seed = None
        if baselines.METHODS[method].trains:
            x_train, y_train = samples.read(samples_path, number, "train", train_size)
            seed = seed_of(settings["seed"], task, train_size, number, f"train/{method}")
        yield baselines.Replicate(
            number=number, x_test=x_test, y_test=y_test, x_train=x_train, y_train=y_train, seed=seed
        )
