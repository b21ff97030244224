"""The config of a study, checked before any job: first against the closed schema, then in code.

Each stage reports all its problems together, and the next begins only if there are none: violations of the schema,
names that must exist, numbers that must fit each other. A problem has the key's path, the found value and what is
allowed.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator

from minde.files import sha256_of

from . import consistency, sizes, sources, step_settings
from .design import cells, estimators, matches, task_of
from .methods import VARIANTS
from .seeds import canonical, plain
from .tasks import BENCHMARK, GROUPS, HIGH_MI, TASKS, matching, suggestion
from .violations import repeated_keys, sentence

SCHEMA = Path("config/schema.yaml")
"""The reference of every key, relative to the root of the repository."""

DEFAULTS = Path("config/config.yaml")
"""The defaults of every config, relative to the root of the repository."""


class ConfigError(ValueError):
    """An invalid config."""


def resolve(config: dict, root: str | Path) -> dict:
    """Check a config against the schema under `root` and return it with all tasks listed, including those of groups,
    patterns and the consistency tests.

    Raises ConfigError with every problem of the first stage that finds any. The argument is not changed.
    """
    schema = yaml.safe_load((Path(root) / SCHEMA).read_text(encoding="utf-8"))
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: list(map(str, error.path)))
    # Each missing key is a separate error, whose message names all of them.
    _raise_if(list(dict.fromkeys(map(sentence, errors))) or list(_not_finite(config, "")))
    config = plain(config)
    _raise_if(list(_names_of_data(config)))
    of_images = consistency.entries(config)
    whole = config | {"data": config["data"] | of_images}
    _raise_if(list(_names(whole)))
    resolved = whole | {"tasks": list(dict.fromkeys([*_spelled_out(whole), *of_images]))}
    _raise_if(list(sizes.problems(resolved)))
    return resolved


def check_keys(paths: Iterable[str | Path]) -> None:
    """Raise ConfigError if a key occurs twice in one of these config files: the first would be ignored silently."""
    _raise_if([f"{path}, {problem}" for path in paths for problem in repeated_keys(path)])


def check_files(config: dict) -> None:
    """Raise ConfigError if the file of a task does not exist and its samples neither, or if a source file does not.

    Snakemake would take results that exist for those of the study.
    """
    try:
        sources.check()
    except ValueError as error:
        raise ConfigError(str(error)) from error
    allowed = "a file that exists, relative to the working directory"
    missing = [task for task in _without_file(config) if not _samples_of(config, task).exists()]
    _raise_if([f"data.{task}.file: found {config['data'][task]['file']}; allowed: {allowed}" for task in missing])


def _without_file(config: dict) -> list[str]:
    """Return the tasks of the study whose own file does not exist."""
    own = [(task, config["data"][task]["file"]) for task in config["tasks"] if task in config["data"]]
    return [task for task, file in own if file != consistency.LATENTS and not Path(file).exists()]


def _samples_of(config: dict, task: str) -> Path:
    return Path(f"results/{config['name']}/samples/{task}.parquet")


def problem_of_file(config: dict, task: str) -> str:
    """Return why the file of a task cannot be split into samples; empty if it can."""
    from .data import DUPLICATES, problem  # loads pyarrow, which other studies do not need on the login node

    entry = config["data"][task]
    content, allowed = sha256_of(entry["file"]), entry.get("duplicates", DUPLICATES)
    return problem(entry["file"], content, step_settings.split(config, task), allowed)


def remarks(config: dict, given: dict | None = None, *, for_report: bool = False) -> Iterator[str]:
    """Yield warnings: settings without effect, quoted formulas that are not estimated, a missing study or file.

    They are not errors: a further config file may have removed their tasks or formulas. `given` is what was added to
    the default config; with `for_report`, results that exist are compared with the config that would describe them.
    """
    every = [(cell, task_of(config, cell.task)) for cell in cells(config)]
    trained = [(cell, task) for cell, task in every if cell.method in VARIANTS]
    recipe = config["minde"]["recipe"]
    idle = [
        f"overrides.{i} ({canonical(override['match'])})"
        for i, override in enumerate(config["overrides"])
        # Competitors too are preprocessed.
        if not any(
            matches(override["match"], *cell, recipe)
            for cell in (every if "preprocess" in override["set"] else trained)
        )
    ]
    if (other := config["compared_with"]) and not Path(f"results/{other}/estimates.parquet").exists():
        yield f"compared_with names {other}, but results/{other}/estimates.parquet does not exist: run {other} first."
    for task in _without_file(config):
        if (samples := _samples_of(config, task)).exists():
            file = config["data"][task]["file"]
            yield f"data.{task}.file: {file} does not exist; {samples} is used as it is, whatever its settings were."
    if idle:
        yield f"No cell of this study matches {', '.join(idle)}."
    given = given or {}
    if given.keys() - {"name", "run"} and "name" not in given:
        yield f"This study has no name of its own: its results replace those of {config['name']} in results/."
    if given.get("recipes", {}) and recipe not in given["recipes"]:
        yield f"The config changes recipes that are not in use: minde.recipe is {recipe}."
    for path in _of_another_config(config) if for_report else ():
        yield f"{path} was made with another config than this one, which the report describes: run the study first."
    minde = config["minde"]
    if recipe not in minde["quoted"]:
        yield f"minde.quoted has no formulas for the recipe {recipe}: no row of MINDE is marked as quoted."
    for method, formula in minde["quoted"].get(minde["recipe"], {}).items():
        if method in config["methods"] and formula not in minde["estimators"]["formulas"]:
            yield (
                f"minde.quoted names {formula} for {method}, which is not in minde.estimators.formulas: no row of "
                f"{method} is marked as quoted."
            )


def _of_another_config(config: dict) -> Iterator[Path]:
    """Yield the study's merged estimates and experiments that exist and were made with other settings."""
    from . import experiment_rows, results  # loads pyarrow

    folder = Path(f"results/{config['name']}")
    if (merged := folder / "estimates.parquet").exists():
        made_by = results.read_provenance(merged)
        expected = {"settings": step_settings.merge(config), "config": step_settings.origins(config)}
        if any(key in made_by and made_by[key] != json.loads(text) for key, text in expected.items()):
            yield merged
    for name in config["experiments"]:
        if (path := folder / f"experiments/{name}.parquet").exists():
            made_by = results.read_provenance(path, experiment_rows.RULES)
            if made_by["settings"] != json.loads(step_settings.experiment(config, name)):
                yield path


def _spelled_out(config: dict) -> Iterator[str]:
    """Yield the ids that `tasks` stands for, possibly repeated; entries that match nothing are left out."""
    for name in config["tasks"]:
        yield from _ids(name, config["data"])


def _ids(name: str, data: dict) -> list[str]:
    """Return the ids that an entry of `tasks` stands for: a group's, its own, or those that match a pattern.

    A pattern refers to tasks of Table 1 and user files, and to those of high mutual information if it matches no other.
    """
    return list(GROUPS.get(name, ())) or matching(name, [*BENCHMARK, *map(str, data)]) or matching(name, HIGH_MI)


def _raise_if(problems: list[str]) -> None:
    if problems:
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ConfigError(f"the config has {len(problems)} problem(s):\n{lines}\nEvery key is described in {SCHEMA}.")


def _not_finite(value, where: str) -> Iterator[str]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _not_finite(inner, f"{where}.{key}" if where else str(key))
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{where}: found {value}; allowed: a finite number"


def _names(config: dict) -> Iterator[str]:
    """Yield problems with names that must exist elsewhere: tasks, the recipe, globs that must match something."""
    known = [*TASKS, *config["data"]]
    if unnamed := [name for name in config["recipes"] if not isinstance(name, str)]:
        yield f"recipes: found the name {unnamed[0]}, not text; allowed: text, such as '{unnamed[0]}' in quotes"
        return
    for i, name in enumerate(config["tasks"]):
        if not _ids(name, config["data"]):
            allowed = "all, high-mi, the id of one of their tasks, a key of `data`, or a pattern such as student-*"
            yield f"tasks.{i}: found {name!r}; allowed: {allowed}{suggestion(name, known)}"
    recipe, recipes = config["minde"]["recipe"], config["recipes"]
    if recipe not in recipes:
        yield (
            f"minde.recipe: found {recipe!r}; allowed: a key of `recipes`: {', '.join(recipes)}"
            f"{suggestion(recipe, recipes)}"
        )
    if "dependence" in config["experiments"] and "fast" not in recipes:
        yield f"recipes: found {', '.join(recipes)}; allowed: also fast, which experiments.dependence trains by"
    for name in config["minde"]["quoted"].keys() - recipes.keys():
        allowed = f"a key of `recipes`: {', '.join(recipes)}{suggestion(name, recipes)}"
        yield f"minde.quoted: found {name!r}; allowed: {allowed}"
    for i, override in enumerate(config["overrides"]):
        if (named := override["match"].get("recipe")) is not None and named not in recipes:
            allowed = f"a key of `recipes`: {', '.join(recipes)}{suggestion(named, recipes)}"
            yield f"overrides.{i}.match.recipe: found {named!r}; allowed: {allowed}"
        for pattern in override["match"].get("tasks", []):
            if not matching(pattern, known):
                nearest = suggestion(pattern.strip("*?"), known)
                yield f"overrides.{i}.match.tasks: found {pattern!r}, which matches none of the tasks{nearest}"
        methods = override["match"].get("methods", [])
        others = [method for method in methods if method not in VARIANTS]
        if others and override["set"].keys() != {"preprocess"}:  # nothing would apply the rest to them
            allowed = f"{', '.join(VARIANTS)}, and competitors if only preprocess is set"
            yield f"overrides.{i}.match.methods: found {', '.join(others)}; allowed: {allowed}"
        for dim in ("dim_x", "dim_y"):
            ends = override["match"].get(dim, {})
            if ends.get("min", 0) > ends.get("max", math.inf):
                yield f"overrides.{i}.match.{dim}: found {ends}; allowed: a min of at most max"
    for method in set(config["methods"]) & VARIANTS.keys():
        for name, count in Counter(estimators(config, method)).items():
            if count > 1:
                yield f"minde.estimators.sigmas: {count} widths are written {name!r}; allowed: each width once"
                return


def _names_of_data(config: dict) -> Iterator[str]:
    """Yield problems with user files: they must be tasks, with unique names and unique columns."""
    of_images, named = consistency.entries(config), set(_spelled_out(config))
    for name, entry in config["data"].items():
        if name in of_images and all(entry[key] == of_images[name][key] for key in ("x", "y")):
            continue  # a config that was resolved before
        if not isinstance(name, str):
            yield f"data.{name}: found a name that is not text; allowed: text, such as '{name}' in quotes"
        elif name in TASKS or name in GROUPS or name in of_images:
            yield f"data.{name}: found the name of a task, or of a group of tasks; allowed: any other name"
        elif name not in named:
            yield f"data.{name}: found a file that is not a task; allowed: one of `tasks`, so add it there"
        if set("{}<>") & set(entry["file"]):
            yield f"data.{name}.file: found {entry['file']!r}; allowed: a path without {{, }}, < and >"
        for column in sorted(set(entry["x"]) & set(entry["y"])):
            yield f"data.{name}: found the column {column!r} in both x and y; allowed: each column in one of them"
