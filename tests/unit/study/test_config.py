"""Every check of the config fails once, with the key's path, what was found and what is allowed."""

import copy
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from minde.study import design, experiment_rows, methods, results, selection, sources, step_settings
from minde.study.config import SCHEMA, ConfigError, check_files, remarks, resolve
from minde.study.tasks import BENCHMARK, HIGH_MI, TASKS
from minde.study.violations import repeated_keys

ROOT = Path(__file__).parents[3]


def load(name):
    return yaml.safe_load((ROOT / "config" / name).read_text())


def changed(keys, value):
    """The default config with one value set at a path such as minde.sde.beta_max."""
    config = load("config.yaml")
    *folders, last = keys.split(".")
    inner = config
    for folder in folders:
        inner = inner[folder]
    inner[last] = value
    return config


def with_experiments():
    """The config of the study of MINE."""
    config = load("config.yaml")
    update_config(config, load("mine.yaml"))
    return config


def properties(schema, path=""):
    """Every described place of the schema with its path."""
    if isinstance(schema, dict):
        for name, inner in (schema.get("properties") or {}).items():
            yield f"{path}.{name}", inner
        for name, inner in schema.items():
            yield from properties(inner, f"{path}.{name}")


def test_the_schema_is_a_valid_schema():
    Draft202012Validator.check_schema(yaml.safe_load((ROOT / SCHEMA).read_text()))


def test_the_schema_is_closed_and_describes_every_key_with_its_unit():
    schema = yaml.safe_load((ROOT / SCHEMA).read_text())
    found = list(properties(schema))
    assert len(found) > 50
    for path, inner in found:
        if "$ref" in inner:
            inner = schema["$defs"][inner["$ref"].rsplit("/", 1)[1]]
        assert inner.get("description"), path
        if inner.get("type") in ("number", "integer"):
            assert inner.get("unit"), path
        if inner.get("type") == "object":
            assert "additionalProperties" in inner, path
        assert "default" not in inner, path


def test_the_schema_knows_the_methods_of_the_design():
    schema = yaml.safe_load((ROOT / SCHEMA).read_text())
    assert schema["$defs"]["method"]["enum"] == list(methods.METHODS)


def test_the_default_config_is_accepted_and_left_as_it_is():
    config = load("config.yaml")
    before = copy.deepcopy(config)
    assert resolve(config, ROOT) == before == config


def test_the_paper_has_all_tasks_ten_replicates_and_its_two_classes_of_settings():
    config = load("config.yaml")
    update_config(config, load("paper.yaml"))
    config = resolve(config, ROOT)
    assert config["tasks"] == list(BENCHMARK)
    assert config["replicates"] == 10
    cells = {task: design.Cell(method="minde-c", task=task, train_size=100000) for task in TASKS}
    for task, cell in cells.items():
        training = design.training_of(config, cell)["training"]
        small = TASKS[task].dim_x <= 5
        assert training["batch_size"] == (128 if small else 256)
        assert training["learning_rate"] == (1e-3 if small else 2e-3)
        assert training["duration"] == {"epochs": 300 if small else 500}
        assert (training["schedule"], training["times"]) == ("constant", "iid")


FILE = {"file": "mine.csv", "x": ["a"], "y": ["b"]}


def test_overrides_that_match_nothing_are_named():
    override = {"set": {"preprocess": "none"}}
    matches = [{"tasks": ["1v1-normal-*"]}, {"tasks": ["student-*"]}, {"tasks": ["1v1-*"], "dim_y": {"min": 2}}]
    config = resolve(changed("overrides", [override | {"match": match} for match in matches]), ROOT)
    assert list(remarks(config)) == [
        'No cell of this study matches overrides.1 ({"tasks":["student-*"]}), '
        'overrides.2 ({"dim_y":{"min":2},"tasks":["1v1-*"]}).'
    ]
    assert not list(remarks(resolve(changed("overrides", [override | {"match": matches[0]}]), ROOT)))


def test_an_override_of_the_preprocessing_alone_may_name_competitors():
    override = {"match": {"methods": ["minde-c", "ksg"]}, "set": {"preprocess": "gaussianize"}}
    config = resolve(load("config.yaml") | {"overrides": [override]}, ROOT)
    assert not list(remarks(config))
    asked = [design.Cell(method=method, task="1v1-normal-0.75", train_size=0) for method in ("ksg", "cca")]
    assert [design.preprocess_of(config, cell) for cell in asked] == ["gaussianize", "standardize"]


def test_of_competitors_alone_an_override_of_the_preprocessing_matches():
    changes = [{"preprocess": "gaussianize"}, {"network": {"hidden": 8}}]
    overrides = [{"match": {"tasks": ["1v1-normal-*"]}, "set": change} for change in changes]
    config = resolve(load("config.yaml") | {"methods": ["ksg"], "overrides": overrides}, ROOT)
    assert list(remarks(config)) == ['No cell of this study matches overrides.1 ({"tasks":["1v1-normal-*"]}).']


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: {c: 1, c: 2}\n", ["line 2: found the key c again, as in line 2; allowed: once"]),
        ("- {a: 1}\n- {a: 1,\n   a: 2}\n", ["line 3: found the key a again, as in line 2; allowed: once"]),
        ("a: &one {c: 1}\nb: &two {d: 1}\ne: {<<: *one, <<: *two}\n? [1, 2]\n: 3\n1: a\n'1': b\n", []),
        ("a: [1\n", []),
        ("", []),
    ],
)
def test_keys_that_a_file_has_twice_are_found_with_their_lines(tmp_path, text, found):
    (tmp_path / "config.yaml").write_text(text)
    assert repeated_keys(tmp_path / "config.yaml") == found


def test_a_quoted_formula_that_is_not_estimated_is_named():
    [remark] = remarks(resolve(changed("minde.estimators.formulas", ["inside"]), ROOT))
    assert remark.startswith("minde.quoted names gap for minde-j, which is not in minde.estimators.formulas")


def test_a_recipe_without_formulas_to_quote_is_named():
    own = changed("recipes.own", load("config.yaml")["recipes"]["fast"])
    own["minde"] = own["minde"] | {"recipe": "own"}
    [remark] = remarks(resolve(own, ROOT))
    assert remark.startswith("minde.quoted has no formulas for the recipe own")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"run": {"device": "cpu"}}, []),
        ({"name": "own", "replicates": 5, "recipes": {"paper": {}, "fast": {}}}, []),
        ({"replicates": 5}, ["This study has no name of its own: its results replace those of small in results/."]),
        (
            {"name": "own", "recipes": {"paper": {"ema_decay": 0.5}}},
            ["The config changes recipes that are not in use: minde.recipe is fast."],
        ),
    ],
)
def test_what_a_config_changes_in_vain_or_by_mistake_is_named(given, expected):
    assert list(remarks(resolve(load("config.yaml"), ROOT), given)) == expected


def test_a_report_of_results_of_another_config_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = resolve(load("config.yaml"), ROOT)
    table = results.estimates_table([]).append_column("mi_true", pa.array([], pa.float64()))
    made_by = {"settings": json.loads(step_settings.merge(config)), "config": json.loads(step_settings.origins(config))}
    results.write_parquet("results/small/estimates.parquet", table, made_by)
    assert not list(remarks(config, for_report=True))
    for key, value in (("replicates", 5), ("samples.train", 20_000)):
        more = resolve(changed(key, value), ROOT)
        assert not list(remarks(more))
        [remark] = remarks(more, for_report=True)
        assert remark.startswith("results/small/estimates.parquet was made with another config than this one")


def test_a_report_of_an_experiment_of_another_config_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = resolve(with_experiments(), ROOT)
    path = Path(f"results/{config['name']}/experiments/gans.parquet")
    settings = json.loads(step_settings.experiment(config, "gans"))
    experiment_rows.write(path, [], {"settings": settings})
    assert not list(remarks(config, for_report=True))
    config["experiments"]["gans"]["beta"] = 7
    [remark] = remarks(config, for_report=True)
    assert remark.startswith(f"{path} was made with another config than this one")


def test_a_file_is_a_task_that_overrides_and_dimensions_know():
    change = {"preprocess": "none"}
    config = load("config.yaml") | {
        "data": {"mine": FILE | {"x": ["a", "c"]}},
        "tasks": ["mine"],
        "overrides": [
            {"match": {"tasks": ["min*"]}, "set": change},
            {"match": {"dim_x": {"min": 2}}, "set": {"network": {"middle_blocks": 1}}},
        ],
    }
    resolved = resolve(config, ROOT)
    settings = design.training_of(resolved, design.Cell(method="minde-c", task="mine", train_size=2000))
    assert settings["preprocess"] == "none"
    assert settings["network"]["middle_blocks"] == 1
    assert design.task_of(resolved, "mine").mi_true is None


def test_tasks_are_named_by_id_pattern_and_group_and_each_is_there_once():
    def tasks(*names: str) -> list[str]:
        config = load("config.yaml") | {"data": {"mine": FILE}, "tasks": [*names, "mi?e"]}
        *found, own = resolve(config, ROOT)["tasks"]
        assert own == "mine"
        return found

    assert tasks("all") == list(BENCHMARK)
    assert tasks("1v1-normal-0.75", "high-mi")[:2] == ["1v1-normal-0.75", next(iter(HIGH_MI))]
    spirals = [task for task in BENCHMARK if task.startswith("spiral-")]
    assert tasks(spirals[3], "spiral-*") == [spirals[3], *spirals[:3], *spirals[4:]]  # none of high mutual information
    assert tasks("half_cube-high-*") == [task for task in HIGH_MI if task.startswith("half_cube-")]


# Errors found by the schema.
@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (
            "nmae",
            "x",
            r"top level: unknown key 'nmae'; the nearest valid name is 'name'; allowed: baselines, .*train_sizes",
        ),
        ("minde.sde.beta_mx", 20.0, r"minde\.sde: unknown key 'beta_mx'; the nearest valid name is 'beta_max'"),
        ("recipes.fast.lr", 1.0, r"recipes\.fast: unknown key 'lr'; allowed: architecture, base, batch_size"),
        ("replicates", 0, r"replicates: found 0; allowed: integer from 1 to 1000 \(runs\)"),
        ("replicates", 2.5, r"replicates: found 2\.5; allowed: integer"),
        ("replicates", True, r"replicates: found True; allowed: integer"),
        ("seed", "zero", r"seed: found 'zero'; allowed: integer from 0"),
        ("name", "a/b", r"name: found 'a/b'; allowed: letters, digits"),
        ("tasks", [], r"tasks: found none; allowed: at least one"),
        ("train_sizes", [2000, 2000], r"train_sizes: found \[2000, 2000\]; allowed: each entry once"),
        ("methods", ["minde"], r"methods\.0: found 'minde'; allowed: minde-j, minde-c, mine, .*; the nearest"),
        ("preprocess", "standardise", r"preprocess: found 'standardise'; allowed: none, .*'standardize'"),
        ("minde.network.hidden", 12, r"minde\.network\.hidden: found 12; allowed: auto, or a multiple of 8"),
        ("minde.network.hidden", "big", r"found 'big'; allowed: auto, or a multiple of 8"),
        ("recipes.fast.duration", {"steps": 1, "epochs": 1}, r"allowed: 1 entry, one of epochs, steps.*another name"),
        ("recipes.fast.duration", {}, r"recipes\.fast\.duration: found \{\}; allowed: at least 1 entry"),
        ("recipes.fast.ema_decay", 1.0, r"ema_decay: found 1\.0; allowed: number from 0 below 1"),
        # YAML 1.1 reads 1e-3, without a point, as text.
        ("train_sizes", ["1e4"], r"found '1e4'.*YAML reads 1e4 as text, write 10000\."),
        ("recipes.fast.learning_rate", "1e-3", r"found '1e-3'.*YAML reads 1e-3 as text, write 0\.001"),
        # Snakemake's --config reads values of lists and mappings as text.
        ("train_sizes", ["2000"], r"train_sizes\.0: found '2000'.*is text.*--config as text, use a file"),
        (
            "recipes.slow",
            {"batch_size": 1},
            r"(?s)has 1 problem.*slow: the keys architecture, .*weight_decay are missing",
        ),
        ("minde.sde.beta_max", float("nan"), r"minde\.sde\.beta_max: found nan; allowed: a finite number"),
        ("overrides", [{"match": {}, "set": {"preprocess": "none"}}], r"overrides\.0\.match: found \{\}"),
        ("data", {"my data": FILE}, r"data: found 'my data'; allowed: letters, digits, dots"),
        (
            "data",
            {"mine": FILE | {"file": "a.xlsx"}},
            r"data\.mine\.file: found 'a\.xlsx'; allowed: a path that ends in",
        ),
        ("data", {"mine": FILE | {"x": []}}, r"data\.mine\.x: found \[\]; allowed: at least 1 entry"),
        (
            "data",
            {"mine": FILE | {"z": ["a"]}},
            r"data\.mine: unknown key 'z'; allowed: duplicates, file, mi_true, x, y",
        ),
        ("name", 2024, r"name: found 2024; .*; as text, write '2024' in quotes"),
        ("name", True, r"name: found True; .*; as text, put the word in quotes"),  # `on`, for example
        ("consistency", {"images": "digits"}, r"consistency: also needs autoencoder, noise, rows"),
        ("run.device", "gpu", r"run\.device: found 'gpu'; allowed: auto, cpu, cuda"),
    ],
)
def test_the_schema_stops_a_wrong_config(keys, value, message):
    with pytest.raises(ConfigError, match=message):
        resolve(changed(keys, value), ROOT)


# Errors that a schema cannot express.
@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        ("data", {"1v1-normal-0.75": FILE}, r"data\.1v1-normal-0\.75: found the name of a task, or of a group"),
        ("data", {"mine": FILE | {"y": ["b", "a"]}}, r"data\.mine: found the column 'a' in both x and y"),
        ("data", {"mine": FILE}, r"data\.mine: found a file that is not a task; allowed: one of `tasks`"),
        ("data", {2024: FILE}, r"data\.2024: found a name that is not text; allowed: text, such as '2024' in quotes"),
        (
            "data",
            {"mine": FILE | {"file": "{x}.csv"}},
            r"data\.mine\.file: found '\{x\}\.csv'; allowed: a path without",
        ),
        ("compared_with", "small", r"compared_with: found 'small', the study itself"),
        (
            "tasks",
            ["1v1-norml-0.75"],
            r"tasks\.0: found '1v1-norml-0\.75'; .*the nearest valid name is '1v1-normal-0\.75'",
        ),
        ("tasks", ["studnet-*"], r"tasks\.0: found 'studnet-\*'; allowed: all, high-mi, the id"),
        (
            "minde.recipe",
            "fsat",
            r"minde\.recipe: found 'fsat'; allowed: .*paper, fast; the nearest valid name is 'fast'",
        ),
        (
            "minde.quoted",
            {"fsat": {"minde-j": "gap", "minde-c": "inside"}},
            r"minde\.quoted: found 'fsat'; allowed: .*paper, fast; the nearest valid name is 'fast'",
        ),
        (
            "overrides",
            [{"match": {"methods": ["minde-c", "cca", "mine"]}, "set": {"training": {"learning_rate": 0.5}}}],
            r"overrides\.0\.match\.methods: found cca, mine; allowed: minde-j, minde-c",
        ),
        (
            "overrides",
            [{"match": {"recipe": "fsat"}, "set": {"preprocess": "none"}}],
            r"overrides\.0\.match\.recipe: found 'fsat'; allowed: .*paper, fast; the nearest valid name is 'fast'",
        ),
        (
            "overrides",
            [{"match": {"dim_x": {"min": 5, "max": 2}}, "set": {"preprocess": "none"}}],
            r"overrides\.0\.match\.dim_x: found .*; allowed: a min of at most max",
        ),
        ("train_sizes", [20000], r"train_sizes\.0: found 20000; allowed: at most samples\.train, which is 10000"),
        (
            "recipes.fast.batch_size",
            3,
            r"batch_size: found 3 for task .*; allowed: from 4 \(samples\) if score_choice",
        ),
        (
            "train_sizes",
            [100],
            r"train_sizes: found 100, with batch_size 256 .*one full batch.*recipes\.fast\.batch_size",
        ),
        ("minde.sde.beta_min", 30.0, r"minde\.sde\.beta_min: found 30; allowed: at most beta_max"),
        ("curve.test_rows", 10001, r"curve\.test_rows: found 10001; allowed: at most samples\.test"),
        ("baselines.ksg.neighbors", 10000, r"baselines\.ksg\.neighbors: found 10000; allowed: below samples\.test"),
        ("tables.sigmas", [1.0, 3.0], r"tables\.sigmas: found 3; allowed: one of minde\.estimators\.sigmas, .* are 1"),
        ("baselines.doe.batch_size", 4000, r"found 2000, with batch_size 4000 for task .* method doe-gaussian"),
        ("minde.estimators.sigmas", [1.0, 1.00000001], r"minde\.estimators\.sigmas: 2 widths are written 'sigma=1'"),
        (
            "overrides",
            [{"match": {"tasks": ["studnet-*"]}, "set": {"preprocess": "none"}}],
            r"overrides\.0\.match\.tasks: found 'studnet-\*', which matches none",
        ),
        (
            "overrides",
            [{"match": {"tasks": ["wiggly-*"]}, "set": {"training": {"batch_size": 4000}}}],
            r"found 2000, with batch_size 4000 for task wiggly-1v1-normal-0\.75",
        ),
    ],
)
def test_numbers_and_names_must_fit_each_other(keys, value, message):
    with pytest.raises(ConfigError, match=message):
        resolve(changed(keys, value), ROOT)


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        ("baselines.lnn.truncation", 10000, r"baselines\.lnn\.truncation: found 10000; allowed: below samples\.test"),
        ("baselines.lnn.neighbors", 31, r"baselines\.lnn\.neighbors: found 31; allowed: at most truncation, .* 30"),
        ("baselines.critics.test_every", 3000, r"baselines\.critics\.test_every: found 3000; .* max_steps, .* 2000"),
        ("baselines.critics.batch_size", 5000, r"batch_size 5000 for task .* method mine"),
    ],
)
def test_numbers_of_competitors_matter_where_they_are_the_study_s(keys, value, message):
    config = changed(keys, value)
    resolve(config, ROOT)
    with pytest.raises(ConfigError, match=message):
        resolve(config | {"methods": ["mine", "lnn"]}, ROOT)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("estimation.mine.batch_size", 9000, r"mine\.batch_size: found 9000; .* samples, which is 3000"),
        ("dependence.minde.batch_size", 9000, r"minde\.batch_size: found 9000; .* which is 2000"),
        ("dependence.ksg.neighbors", 9000, r"experiments\.dependence\.ksg\.neighbors: found 9000; .* below samples"),
        ("gans.points", 9000, r"gans\.points: found 9000; allowed: at most samples, which is 2500 \(rows\)"),
        ("estimation.mine.smoothing", 9000, r"estimation\.mine\.smoothing: found 9000; .* above 0 to 1"),
        ("estimation.rho", 9000, r"experiments\.estimation: unknown key 'rho'; allowed: correlations, dims"),
        ("bottleneck.evaluation", 1079, r"bottleneck\.evaluation: found 1079; allowed: at most 1078, the images"),
        ("bottleneck.test_share", 0.9999, r"bottleneck\.test_share: found 0.9999, which makes 1797 of 1797 rows"),
        ("stacked.classifier.test_share", 1e-4, r"classifier\.test_share: found 0.0001, which makes 0 of 1797 rows"),
        ("binary.train_share", 1e-4, r"experiments\.binary\.train_share: found 0.0001, which makes 0 of 4096 rows"),
    ],
)
def test_numbers_of_experiments_must_fit_each_other(path, value, message):
    config = with_experiments()
    resolve(config, ROOT)
    *keys, last = path.split(".")
    inner = config["experiments"]
    for key in keys:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(ConfigError, match=message):
        resolve(config, ROOT)


def test_the_experiment_with_minde_needs_its_recipe():
    config = load("config.yaml")
    update_config(config, load("mine.yaml"))
    config["minde"]["recipe"] = "paper"
    del config["recipes"]["fast"], config["minde"]["quoted"]["fast"]
    with pytest.raises(ConfigError, match=r"recipes: found paper; allowed: also fast, which experiments\.dependence"):
        resolve(config, ROOT)


def test_the_consistency_tests_have_growing_rows_and_names_of_their_own():
    config = load("config.yaml")
    update_config(config, load("consistency.yaml"))
    assert resolve(resolve(config, ROOT), ROOT) == resolve(config, ROOT)
    config["consistency"]["rows"] = [8, 4, 2]
    with pytest.raises(ConfigError, match=r"consistency\.rows: found \[8, 4, 2\]; allowed: increasing numbers"):
        resolve(config, ROOT)
    config["consistency"]["rows"] = [2, 8]
    config |= {"tasks": ["baseline-2"], "data": {"baseline-2": FILE}}
    with pytest.raises(ConfigError, match=r"data\.baseline-2: found the name of a task"):
        resolve(config, ROOT)


def test_the_consistency_tests_fit_their_images():
    """Known when planning, rather than from a job that follows the autoencoders."""
    config = load("config.yaml")
    update_config(config, load("consistency.yaml"))
    config["samples"] = {"train": 1400, "test": 398}
    with pytest.raises(ConfigError, match="samples: found train 1400 and test 398; allowed: together at most 1797"):
        resolve(config, ROOT)
    update_config(config, load("mnist.yaml"))
    resolve(config, ROOT)
    for rows in ([2, 4], [2, 30]):
        config["consistency"]["rows"] = rows
        with pytest.raises(ConfigError, match=r"rows: found .*; allowed: numbers that end in 28, .* have 28 rows"):
            resolve(config, ROOT)


def test_a_width_may_be_written_with_more_digits_than_its_name_has():
    config = changed("minde.estimators.sigmas", [1.4142136])
    config["tables"]["sigmas"] = [1.4142136]
    resolve(config, ROOT)
    estimates = pd.DataFrame({"estimator": ["sigma=1.41421", "sigma=1", "gap"]})
    assert list(selection.of_widths(estimates, [1.4142136])["estimator"]) == ["sigma=1.41421", "gap"]


def test_whole_numbers_are_integers_however_they_are_written():
    assert resolve(changed("train_sizes", [2000.0]), ROOT)["train_sizes"] == [2000]
    assert isinstance(resolve(changed("train_sizes", [2000.0]), ROOT)["train_sizes"][0], int)


def test_all_problems_are_reported_at_once():
    config = changed("replicates", 0) | {"seed": -1}
    with pytest.raises(ConfigError, match=r"2 problem\(s\)(.|\n)*replicates(.|\n)*seed") as error:
        resolve(config, ROOT)
    assert "config/schema.yaml" in str(error.value)


def test_a_missing_key_is_named():
    config = load("config.yaml")
    del config["seed"]
    with pytest.raises(ConfigError, match="top level: the key seed is missing"):
        resolve(config, ROOT)


def test_a_recipe_has_a_name_of_text():
    config = load("config.yaml")
    config["recipes"][2024] = config["recipes"]["fast"]
    with pytest.raises(ConfigError, match=r"recipes: found the name 2024, .* such as '2024' in quotes"):
        resolve(config, ROOT)


def test_there_is_something_to_show_and_one_row_to_quote():
    config = load("config.yaml") | {"methods": ["minde-c"]}
    config["minde"]["estimators"] |= {"formulas": ["sigma"], "sigmas": [1.0, 2.0]}
    config["tables"]["sigmas"] = []
    with pytest.raises(ConfigError, match=r"tables\.sigmas: found none, and no other estimate"):
        resolve(config, ROOT)
    config["tables"]["sigmas"] = [1.0, 2.0]
    config["minde"]["quoted"]["fast"]["minde-c"] = "sigma"
    with pytest.raises(ConfigError, match=r"minde\.quoted: found sigma, and widths \[1(\.0)?, 2(\.0)?\]"):
        resolve(config, ROOT)


def test_a_missing_source_file_stops_the_study(monkeypatch) -> None:
    """Snakemake would leave out what depends on it, and call the study complete."""
    monkeypatch.setitem(sources.SOURCES, "ksg", ("baselines/nowhere.py",))
    with pytest.raises(ConfigError, match=r"source files of the step ksg are missing in .*: baselines/nowhere\.py"):
        check_files(resolve(load("config.yaml"), ROOT))
