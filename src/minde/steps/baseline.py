"""The step `baseline`: samples in, a row per replicate of a competitor's estimates out."""

from collections.abc import Iterator
from pathlib import Path

from minde import baselines
from minde.study import results, samples
from minde.study.files import processor, provenance
from minde.study.seeds import seed_of

PACKAGES = ("benchmark-mi", "numpy", "scikit-learn", "scipy")


def baseline(settings: dict, samples_path: Path, out: Path) -> None:
    """Estimate a cell with a competitor, every replicate from its own samples, and write its rows."""
    cell = {
        "task": settings["task"],
        "method": settings["method"],
        "estimator": settings["method"],
        "train_size": settings.get("train_size", 0),
        "mi_true": samples.metadata(samples_path)["mi_true"],
    }
    estimates = baselines.estimates(settings["method"], replicates(settings, samples_path), settings["options"])
    rows = [
        cell | {"replicate": number, "estimate": e.nats, "std_error": e.std_error, "seconds": e.seconds}
        for number, e in enumerate(estimates)
    ]
    made_by = provenance(settings, packages=PACKAGES, sources=("baselines/*.py",))
    made_by |= {"hardware": processor(), "samples": samples.provenance_of(samples_path)}
    results.write_parquet(out, results.estimates_table(rows), made_by)


def replicates(settings: dict, samples_path: Path) -> Iterator[baselines.Replicate]:
    """The samples of one replicate after the other; the training split and a seed for a method that trains."""
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
