"""Where estimates come from: whether they were made with the study's settings, and with which software and hardware.

Snakemake only knows what it asked for. It cannot see that a cluster job read a config that was edited in the meantime,
that a training continued after its Snakemake was killed, or that results were copied without Snakemake's metadata.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from . import design, methods, step_settings

_FROM_SAMPLES = {"dim_x", "dim_y"}  # in a training's settings, but read from the samples


def check(path: Path, made_by: dict, config: dict, cell: design.Cell) -> None:
    """Raise ValueError if a cell's estimates or weights were made with other settings than the study's.

    `made_by` is the file's provenance, or `{"training": …}` with that of a file of weights; `config` holds what
    :func:`.step_settings.origins` returns. The message names stage and setting, the found and the expected value, and
    the files to delete.
    """
    expected, folder = _expected(config, cell), path.parents[3]
    made = {"samples": f"samples/{cell.task}.parquet", "training": f"networks/{cell.path}.safetensors"}
    for stage, settings in _found(made_by).items():
        own = [folder / made[stage]] if stage in made else []
        _compare(path, stage, settings, expected[stage], remove=[*own, path])


def check_experiment(path: Path, made_by: dict, config: dict, name: str) -> None:
    """Check the same for an experiment's rows, whose provenance is `made_by`; `config` is a whole config."""
    expected = json.loads(step_settings.experiment(config, name))
    _compare(path, "experiment", made_by["settings"], expected, remove=[path])


def _compare(path: Path, stage: str, found: dict, expected: dict, *, remove: list[Path]) -> None:
    """Raise ValueError, with the files to remove, if settings of a stage that leads to `path` differ.

    They are that of the stage and the last: Snakemake does not make a file again while one that is made from it exists.
    """
    for key in sorted(expected.keys() | found):
        if found.get(key) != expected.get(key):
            raise ValueError(
                f"{path} was made with other settings than the study's: {key} of its {stage} is {found.get(key)}, "
                f"expected {expected.get(key)}. For example, the config was edited while the study ran, or results "
                f"were copied from another study. Delete {' and '.join(map(str, remove))} and run the workflow again"
            )


def summary(made_by: Iterable[dict]) -> dict:
    """Return versions of Python and libraries, hardware and SHA-256 of source code, as sorted lists of distinct values.

    They are all those in the provenance of cells, including their training and samples, and of experiments.
    """
    found = {"python": set(), "versions": {}, "hardware": set(), "code_sha256": set()}
    for made in (stage for cell in made_by for stage in _stages(cell)):
        found["python"].add(made["python"])
        found["code_sha256"].add(made["code"])
        found["hardware"].update(filter(None, [made.get("hardware")]))
        for package, version in made["versions"].items():
            found["versions"].setdefault(package, set()).add(version)
    versions = {package: sorted(versions) for package, versions in sorted(found.pop("versions").items())}
    return {"versions": versions, **{name: sorted(values) for name, values in found.items()}}


def _stages(made: dict) -> Iterator[dict]:
    """Yield a provenance and those that it contains."""
    yield made
    for key in {"training", "samples"} & made.keys():
        yield from _stages(made[key])


def _expected(config: dict, cell: design.Cell) -> dict[str, dict]:
    """Return the settings of each stage that leads to a cell's estimates, as :mod:`.step_settings` has them."""
    user_file = config["data"].get(cell.task)
    settings = {"samples": (step_settings.split if user_file else step_settings.sample)(config, cell.task)}
    if cell.method in methods.VARIANTS:
        settings |= {
            "training": step_settings.train(config, cell),
            "estimates": step_settings.estimate(config, cell),
        }
    else:
        settings["estimates"] = step_settings.baseline(config, cell)
    return {stage: json.loads(text) for stage, text in settings.items()}


def _found(made_by: dict) -> dict[str, dict]:
    """Return the same settings, from a file's provenance."""
    training = made_by.get("training")
    samples = (training or made_by)["samples"]
    settings = {"samples": samples["settings"]}
    if training:
        settings["training"] = {key: value for key, value in training["settings"].items() if key not in _FROM_SAMPLES}
    if "settings" in made_by:
        settings["estimates"] = made_by["settings"]
    return settings
