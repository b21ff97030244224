"""Each step is given exactly the settings that it reads."""

import copy
import json
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from some_cells import cell

from minde.study import config as configs
from minde.study import hyperparameters, methods, pages, step_settings
from minde.study.tasks import TASKS

ROOT = Path(__file__).parents[3]


def test_each_competitor_that_trains_has_its_own_options(config):
    options = {
        method: json.loads(step_settings.baseline(config, cell(method)))["options"]
        for method in (*methods.CRITICS, *methods.TORCH)
    }
    critics, doe = config["baselines"]["critics"], config["baselines"]["doe"]
    assert options["mine"] == critics | {"mean_decay": 0.9}
    assert options["infonce"] == options["dv"] == options["nwj"] == critics
    assert options["doe-gaussian"] == options["doe-logistic"] == doe
    assert options["mine-torch"] == config["baselines"]["mine_torch"]


def test_an_experiment_reads_its_section_and_the_seed_alone(config):
    config["experiments"] = {"estimation": {"dims": [1, 20.0]}, "dependence": {"samples": 10}}
    assert step_settings.experiment(config, "estimation") == '{"dims":[1,20],"seed":0}'


# The settings of each step, key by key: an extra key reruns too much, a missing key too little.
@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        (lambda c: step_settings.sample(c, "1v1-normal-0.75"), "n_test n_train replicates seed task"),
        (
            lambda c: step_settings.train(c, cell()),
            "curve network preprocess replicates sde seed task train_size training variant",
        ),
        (
            lambda c: step_settings.estimate(c, cell()),
            "formulas importance_sampling mc_draws seed sigmas task times train_size",
        ),
        (lambda c: step_settings.baseline(c, cell("ksg", train_size=0)), "method options replicates task"),
        (lambda c: step_settings.baseline(c, cell("mine")), "method options replicates seed task train_size"),
        (step_settings.merge, "methods mi_true replicates tasks train_sizes"),
        (step_settings.table1, "decimals reference sigmas"),
        (lambda c: step_settings.table1(c, 2000), "decimals reference sigmas train_size"),
        (step_settings.summary, "quoted resamples seed sigmas"),
        (hyperparameters.table_settings, "methods tasks"),
        (lambda c: pages.figure_settings(c, "spread", 1), "sigmas tasks"),
        (lambda c: pages.figure_settings(c, "training_curve", 1), "mi_true tasks"),
    ],
    ids=[
        *("sample", "train", "estimate", "baseline", "trained baseline", "merge"),
        *("table", "table at a size", "summary", "hyper-parameters", "spread", "training curve"),
    ],
)
def test_a_step_is_given_what_it_reads(config, settings, keys):
    assert list(json.loads(settings(config))) == keys.split()


def test_competitors_get_the_ranks_of_matching_overrides_and_nothing_else(config):
    before = step_settings.baseline(config, cell("ksg", train_size=0))
    config["preprocess"] = "none"
    assert step_settings.baseline(config, cell("ksg", train_size=0)) == before
    config["overrides"] = [
        {"match": {"tasks": ["1v1-*"]}, "set": {"preprocess": "gaussianize", "training": {"batch_size": 8}}},
        {"match": {"methods": ["mine"]}, "set": {"preprocess": "standardize"}},
    ]
    ranked = json.loads(step_settings.baseline(config, cell("ksg", train_size=0)))
    assert ranked == json.loads(before) | {"preprocess": "gaussianize"}
    assert "preprocess" not in json.loads(step_settings.baseline(config, cell("mine")))


def test_sigmas_that_no_formula_reads_are_not_in_the_settings(config):
    config["minde"]["estimators"]["formulas"] = ["inside"]
    assert json.loads(step_settings.estimate(config, cell()))["sigmas"] == []


def test_building_settings_leaves_the_config_as_it_is(config):
    config["overrides"] = [{"match": {"tasks": ["*"]}, "set": {"network": {"hidden": 32}}}]
    before = copy.deepcopy(config)
    step_settings.train(config, cell())
    step_settings.estimate(config, cell())
    assert config == before


def test_the_experiment_with_minde_reads_the_recipe_fast_and_the_network(config):
    update_config(config, yaml.safe_load((ROOT / "config/mine.yaml").read_text()))
    own, fast = config["experiments"]["dependence"]["minde"], config["recipes"]["fast"]
    fast["base"], config["minde"]["network"]["middle_blocks"] = "gaussian", 3
    found = json.loads(step_settings.experiment(config, "dependence"))["minde"]
    assert found.keys() == {*fast, *own, "middle_blocks"} - {"duration"}
    assert (found["base"], found["middle_blocks"], found["weight_decay"]) == ("gaussian", 3, 600)
    assert {key: found[key] for key in own} == own
    others = json.loads(step_settings.experiment(config, "gans"))
    assert others == {"seed": 0, **config["experiments"]["gans"]}


def test_the_merge_settings_of_the_paper_fit_a_shell_command(config):
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    assert len(step_settings.merge(config) + step_settings.origins(config)) < 10_000


@pytest.mark.parametrize("study", ["paper", "accuracy"])
def test_the_ablation_of_importance_sampling_switches_it_off_in_training_and_estimation(config, study):
    for name in (study, "uniform_times"):
        update_config(config, yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    assert not json.loads(step_settings.train(config, cell()))["training"]["importance_sampling"]
    assert not json.loads(step_settings.estimate(config, cell()))["importance_sampling"]


def test_splitting_a_file_reads_its_name_and_columns_and_not_its_folder_and_what_does_not_change_the_samples(config):
    config["data"] = {"mine": {"file": "folder/a.csv", "x": ["a"], "y": ["b"], "mi_true": 0.5, "duplicates": 0.2}}
    settings = json.loads(step_settings.split(config, "mine"))
    assert settings == {
        "task": "mine",
        "seed": 0,
        "replicates": 3,
        "n_train": 10000,
        "n_test": 10000,
        "file": "a.csv",
        "x": ["a"],
        "y": ["b"],
    }


def test_only_what_shows_the_true_values_reads_those_that_are_known(config):
    config["tasks"] = ["1v1-normal-0.75", "mine", "other"]
    entry = {"file": "a.csv", "x": ["a"], "y": ["b"]}
    config["data"] = {"mine": entry | {"mi_true": 0.5}, "other": entry}
    known = {"1v1-normal-0.75": TASKS["1v1-normal-0.75"].mi_true, "mine": 0.5}
    assert json.loads(step_settings.merge(config))["mi_true"] == known
    assert json.loads(pages.figure_settings(config, "training_curve", 1))["mi_true"] == known
