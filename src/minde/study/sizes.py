"""Numbers of a config that must fit each other: rows, steps, batches, widths."""

from collections.abc import Iterator

from . import consistency
from .design import batch_size_key, batch_size_of, cells, training_of
from .methods import CRITICS, VARIANTS

BINARY_PATTERNS = 4096  # rows of the experiment `binary`


def problems(config: dict) -> Iterator[str]:
    """Yield problems with the numbers of a config whose names are all known."""
    yield from consistency.problems(config)
    yield from _widths(config)
    if config["compared_with"] == config["name"]:
        yield f"compared_with: found {config['name']!r}, the study itself; allowed: the name of another study"
    if not config["tasks"]:
        yield "tasks: found none; allowed: at least one, here or by `consistency`"
    rows, sde = config["samples"], config["minde"]["sde"]
    for i, size in enumerate(config["train_sizes"]):
        if size > rows["train"]:
            yield f"train_sizes.{i}: found {size}; allowed: at most samples.train, which is {rows['train']} (rows)"
    if sde["beta_min"] > sde["beta_max"]:
        yield f"minde.sde.beta_min: found {sde['beta_min']}; allowed: at most beta_max, which is {sde['beta_max']}"
    if VARIANTS.keys() & set(config["methods"]) and config["curve"]["test_rows"] > rows["test"]:
        yield (
            f"curve.test_rows: found {config['curve']['test_rows']}; allowed: at most samples.test, "
            f"which is {rows['test']} (rows)"
        )
    yield from _of_competitors(config["baselines"], config["methods"], rows["test"])
    yield from _of_experiments(config["experiments"])
    for cell in cells(config):
        if cell.method in VARIANTS:
            training = training_of(config, cell)["training"]
            if training["score_choice"] == "per_sample" and training["batch_size"] < 4:
                yield (
                    f"batch_size: found {training['batch_size']} for task {cell.task} and method {cell.method}; "
                    "allowed: from 4 (samples) if score_choice is per_sample, which splits a batch among all scores"
                )
                return
        if cell.train_size and (batch_size := batch_size_of(config, cell)) > cell.train_size:
            yield (
                f"train_sizes: found {cell.train_size}, with batch_size {batch_size} for task {cell.task} and "
                f"method {cell.method}; allowed: at least one full batch, as an incomplete one is dropped. Lower "
                f"{batch_size_key(config, cell)}"
            )
            return


def _widths(config: dict) -> Iterator[str]:
    """Yield problems with the widths in tables, which must be estimated if the sigma formula is."""
    chosen = config["minde"]["estimators"]
    written = [f"{sigma:g}" for sigma in chosen["sigmas"]]
    unknown = [f"{sigma:g}" for sigma in config["tables"]["sigmas"] if f"{sigma:g}" not in written]
    if unknown and "sigma" in chosen["formulas"]:
        yield (
            f"tables.sigmas: found {unknown[0]}; allowed: one of minde.estimators.sigmas, which are "
            f"{', '.join(written)}"
        )
    shown = config["tables"]["sigmas"]
    if not shown and chosen["formulas"] == ["sigma"] and VARIANTS.keys() >= set(config["methods"]):
        yield "tables.sigmas: found none, and no other estimate; allowed: at least one of minde.estimators.sigmas"
    quoted = config["minde"]["quoted"].get(config["minde"]["recipe"], {})
    if "sigma" in quoted.values() and len(shown) > 1:
        yield f"minde.quoted: found sigma, and widths {shown} in tables.sigmas; allowed: a single width, to be quoted"


def _of_competitors(settings: dict, methods: list[str], test: int) -> Iterator[str]:
    """Yield problems with numbers of the study's competitors; `test` is the number of test rows."""
    for method, key in (("ksg", "neighbors"), ("lnn", "truncation")):
        if method in methods and settings[method][key] >= test:
            found = settings[method][key]
            yield f"baselines.{method}.{key}: found {found}; allowed: below samples.test, which is {test} (rows)"
    lnn, critics = settings["lnn"], settings["critics"]
    if "lnn" in methods and lnn["neighbors"] > lnn["truncation"]:
        found = f"found {lnn['neighbors']}; allowed: at most truncation, which is {lnn['truncation']}"
        yield f"baselines.lnn.neighbors: {found} (samples)"
    if set(methods) & set(CRITICS) and critics["test_every"] > critics["max_steps"]:
        found = f"found {critics['test_every']}; allowed: at most max_steps, which is {critics['max_steps']}"
        yield f"baselines.critics.test_every: {found} (steps)"


def _of_experiments(settings: dict) -> Iterator[str]:
    """Yield problems with numbers of the experiments."""
    for name, key in (("gans", "points"), ("bigan", "points"), ("stacked", "shown")):
        if name in settings and (found := settings[name][key]) > (rows := settings[name]["samples"]):
            yield f"experiments.{name}.{key}: found {found}; allowed: at most samples, which is {rows} (rows)"
    for name in ("estimation", "dependence"):
        if name not in settings:
            continue
        rows, options = settings[name]["samples"], settings[name]
        for method in ("mine", "minde"):
            if method in options and (found := options[method]["batch_size"]) > rows:
                where = f"experiments.{name}.{method}.batch_size"
                yield f"{where}: found {found}; allowed: at most samples, which is {rows} (rows)"
        if (found := options["ksg"]["neighbors"]) >= rows:
            yield f"experiments.{name}.ksg.neighbors: found {found}; allowed: below samples, which is {rows} (rows)"
    yield from _of_shares(settings)


def _of_shares(settings: dict) -> Iterator[str]:
    """Yield problems with the shares of rows that experiments hold out or train on."""
    splits = []  # key, rows, share
    if "bottleneck" in settings:
        rows, share = consistency.IMAGES[settings["bottleneck"]["images"]][0], settings["bottleneck"]["test_share"]
        splits.append(("bottleneck.test_share", rows, share))
        left = rows - round(share * rows)
        if 0 < left < rows and (found := settings["bottleneck"]["evaluation"]) > left:
            yield f"experiments.bottleneck.evaluation: found {found}; allowed: at most {left}, the images to train on"
    if "stacked" in settings:
        rows, classifier = consistency.IMAGES[settings["stacked"]["images"]][0], settings["stacked"]["classifier"]
        splits.append(("stacked.classifier.test_share", rows, classifier["test_share"]))
    if "binary" in settings:
        splits.append(("binary.train_share", BINARY_PATTERNS, settings["binary"]["train_share"]))
    for key, rows, share in splits:
        if not 0 < (found := round(share * rows)) < rows:
            yield f"experiments.{key}: found {share}, which makes {found} of {rows} rows; allowed: some, and not all"
