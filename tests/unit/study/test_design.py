"""The design gives each step exactly the settings that it reads, and seeds that never change."""

import copy
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from minde.study import config as configs
from minde.study import design, hyperparameters, methods, origins, pages, seeds
from minde.study.tasks import HIGH_MI, TASKS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def config():
    return configs.resolve(yaml.safe_load((ROOT / "config/config.yaml").read_text()), ROOT)


def cell(method="minde-c", task="1v1-normal-0.75", train_size=2000):
    return design.Cell(method=method, task=task, train_size=train_size)


# Known answers: if one of these changed, so would every published number of every study.
@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ((0, "1v1-normal-0.75", None, 0, "samples/train"), 709289290985921760),
        ((0, "1v1-normal-0.75", None, 0, "samples/test"), 8796467887655116334),
        ((7, "student-identity-1-1-1", 100000, 9, "train"), 2458546096867258438),
    ],
)
def test_seeds_have_fixed_values(key, seed):
    assert seeds.seed_of(*key) == seed


def test_seeds_are_the_same_in_another_process():
    code = "from minde.study.seeds import seed_of; print(seed_of(0, 'a', 5, 1, 'train'))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert int(found) == seeds.seed_of(0, "a", 5, 1, "train")


def test_seeds_differ_in_every_part_of_their_key_and_fit_63_bits():
    key = (0, "1v1-normal-0.75", 2000, 0, "train")
    others = [
        (1, *key[1:]),
        (0, "other", *key[2:]),
        (*key[:2], None, *key[3:]),
        (*key[:3], 1, "train"),
        (*key[:4], "x"),
    ]
    found = {seeds.seed_of(*key) for key in [key, *others]}
    assert len(found) == 6
    assert all(0 <= seed < 2**63 for seed in found)


def test_canonical_json_has_one_spelling_per_value():
    assert seeds.canonical({"b": 20.0, "a": (1, 1e-3)}) == seeds.canonical({"a": [1.0, 0.001], "b": 20})
    assert seeds.canonical({"a": [True, None, "20.0"]}) == '{"a":[true,null,"20.0"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        seeds.canonical(float("nan"))


def test_the_competitors_are_those_of_the_baselines():
    from minde.baselines import MODULES

    assert tuple(MODULES) == methods.COMPETITORS


def test_each_competitor_that_trains_has_its_own_options(config):
    options = {
        method: json.loads(design.baseline_settings(config, cell(method)))["options"]
        for method in (*methods.CRITICS, *methods.TORCH)
    }
    critics, doe = config["baselines"]["critics"], config["baselines"]["doe"]
    assert options["mine"] == critics | {"mean_decay": 0.9}
    assert options["infonce"] == options["dv"] == options["nwj"] == critics
    assert options["doe-gaussian"] == options["doe-logistic"] == doe
    assert options["mine-torch"] == config["baselines"]["mine_torch"]


def test_an_experiment_reads_its_section_and_the_seed_alone(config):
    config["experiments"] = {"estimation": {"dims": [1, 20.0]}, "dependence": {"samples": 10}}
    assert design.experiment_settings(config, "estimation") == '{"dims":[1,20],"seed":0}'


def test_methods_that_do_not_train_have_one_cell_per_task(config):
    cells = design.cells(config)
    assert len(cells) == len(set(cells)) == 4 * (3 * 2 + 2)
    assert [c.train_size for c in cells if c.method == "ksg"] == [0] * 4
    assert cell().path == "minde-c/1v1-normal-0.75/2000"


# The settings of each step, key by key: an extra key reruns too much, a missing key too little.
@pytest.mark.parametrize(
    ("settings", "keys"),
    [
        (lambda c: design.sample_settings(c, "1v1-normal-0.75"), "n_test n_train replicates seed task"),
        (
            lambda c: design.train_settings(c, cell()),
            "curve network preprocess replicates sde seed task train_size training variant",
        ),
        (
            lambda c: design.estimate_settings(c, cell()),
            "formulas importance_sampling mc_draws seed sigmas task times train_size",
        ),
        (lambda c: design.baseline_settings(c, cell("ksg", train_size=0)), "method options replicates task"),
        (lambda c: design.baseline_settings(c, cell("mine")), "method options replicates seed task train_size"),
        (design.merge_settings, "methods mi_true replicates tasks train_sizes"),
        (design.table1_settings, "decimals reference sigmas"),
        (lambda c: design.table1_settings(c, 2000), "decimals reference sigmas train_size"),
        (design.summary_settings, "quoted resamples seed sigmas"),
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
    before = design.baseline_settings(config, cell("ksg", train_size=0))
    config["preprocess"] = "none"
    assert design.baseline_settings(config, cell("ksg", train_size=0)) == before
    config["overrides"] = [
        {"match": {"tasks": ["1v1-*"]}, "set": {"preprocess": "gaussianize", "training": {"batch_size": 8}}},
        {"match": {"methods": ["mine"]}, "set": {"preprocess": "standardize"}},
    ]
    ranked = json.loads(design.baseline_settings(config, cell("ksg", train_size=0)))
    assert ranked == json.loads(before) | {"preprocess": "gaussianize"}
    assert "preprocess" not in json.loads(design.baseline_settings(config, cell("mine")))


def test_sigmas_that_no_formula_reads_are_not_in_the_settings(config):
    config["minde"]["estimators"]["formulas"] = ["inside"]
    assert json.loads(design.estimate_settings(config, cell()))["sigmas"] == []


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"tasks": ["student-*"]}, {"student-identity-1-1-1", "student-identity-5-5-2"}),
        ({"dim_x": {"min": 5}}, {"multinormal-dense-25-25-0.5", "student-identity-5-5-2"}),
        ({"dim_x": {"max": 1}}, {"1v1-normal-0.75", "student-identity-1-1-1"}),
        ({"dim_y": {"min": 5}}, {"multinormal-dense-25-25-0.5", "student-identity-5-5-2"}),
        ({"tasks": ["student-*"], "dim_x": {"min": 5, "max": 5}}, {"student-identity-5-5-2"}),
        ({"methods": ["minde-j"]}, set()),
        ({"recipe": "fast", "dim_x": {"max": 1}}, {"1v1-normal-0.75", "student-identity-1-1-1"}),
        ({"recipe": "paper"}, set()),
    ],
)
def test_overrides_reach_the_cells_that_match_and_no_others(config, match, hit):
    tasks = ["1v1-normal-0.75", "student-identity-1-1-1", "student-identity-5-5-2", "multinormal-dense-25-25-0.5"]
    plain = {task: design.train_settings(config, cell(task=task)) for task in tasks}
    config["overrides"] = [{"match": match, "set": {"preprocess": "gaussianize", "training": {"batch_size": 64}}}]
    changed = {task for task in tasks if design.train_settings(config, cell(task=task)) != plain[task]}
    assert changed == hit


def test_later_overrides_win_and_a_duration_is_replaced_as_a_whole(config):
    config["overrides"] = [
        {"match": {"tasks": ["*"]}, "set": {"network": {"hidden": 32}, "training": {"duration": {"epochs": 3}}}},
        {"match": {"tasks": ["1v1-*"]}, "set": {"training": {"duration": {"epochs": 5}}}},
    ]
    found = json.loads(design.train_settings(config, cell()))
    assert found["training"]["duration"] == {"epochs": 5}
    assert found["network"] == {"hidden": 32, "middle_blocks": 2}


def test_building_settings_leaves_the_config_as_it_is(config):
    config["overrides"] = [{"match": {"tasks": ["*"]}, "set": {"network": {"hidden": 32}}}]
    before = copy.deepcopy(config)
    design.train_settings(config, cell())
    design.estimate_settings(config, cell())
    assert config == before


def test_the_experiment_with_minde_reads_the_recipe_fast_and_the_network(config):
    update_config(config, yaml.safe_load((ROOT / "config/mine.yaml").read_text()))
    own, fast = config["experiments"]["dependence"]["minde"], config["recipes"]["fast"]
    fast["precondition"], config["minde"]["network"]["middle_blocks"] = "gaussian", 3
    found = json.loads(design.experiment_settings(config, "dependence"))["minde"]
    assert found.keys() == {*fast, *own, "middle_blocks"} - {"duration"}
    assert (found["precondition"], found["middle_blocks"], found["weight_decay"]) == ("gaussian", 3, 600)
    assert {key: found[key] for key in own} == own
    others = json.loads(design.experiment_settings(config, "gans"))
    assert others == {"seed": 0, **config["experiments"]["gans"]}


def test_the_expected_keys_follow_from_the_short_design(config):
    settings = json.loads(design.merge_settings(config))
    keys = design.expected_keys(settings)
    assert design.cells_of(settings) == design.cells(config)
    assert len(keys) == len(set(keys)) == 3 * (16 * 3 + 8 + 8)
    assert keys[0] == ("1v1-normal-0.75", "minde-j", "inside", 2000, 0)
    assert keys[-1] == ("multinormal-dense-5-5-0.5", "doe-gaussian", "doe-gaussian", 10000, 2)


def test_a_width_names_its_estimator(config):
    config["minde"]["estimators"]["sigmas"] = [0.5, 1.0, 10]
    assert design.estimators(config, "minde-j") == ["inside", "sigma=0.5", "sigma=1", "sigma=10", "gap"]
    assert design.estimators(config, "ksg") == ["ksg"]


def test_the_merge_settings_of_the_paper_fit_a_shell_command(config):
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    assert len(design.merge_settings(config) + design.origin_settings(config)) < 10_000


def test_the_paper_s_figures_have_pages_of_tasks_as_there(config):
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    found = {figure: list(pages.pages_of(config, figure)) for figure in pages.TASKS_PER_PAGE}
    assert found == {
        "spread": [1, 2],
        "training_size": [1, 2, 3, 4],
        "training_curve": [1, 2, 3, 4],
        "sigma": [1, 2, 3, 4],
        "comparison": [],
        "high_mi": [],
    }
    shown = [task for page in found["training_size"] for task in pages.tasks_of_page(config, "training_size", page)]
    assert shown == config["tasks"]


def test_a_study_has_only_figures_with_content(config):
    assert {figure: len(pages.pages_of(config, figure)) for figure in pages.TASKS_PER_PAGE} == {
        "spread": 1,
        "training_size": 1,
        "training_curve": 1,
        "sigma": 0,
        "comparison": 0,
        "high_mi": 0,
    }
    config["train_sizes"] = [10000]
    assert not pages.pages_of(config, "training_size")
    config["compared_with"] = "another"
    assert len(pages.pages_of(config, "comparison")) == 1
    config["methods"] = ["ksg"]
    assert not pages.pages_of(config, "training_curve")


def test_the_ablation_of_importance_sampling_switches_it_off_in_training_and_estimation(config):
    for name in ("paper.yaml", "uniform_times.yaml"):
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    config = configs.resolve(config, ROOT)
    assert not json.loads(design.train_settings(config, cell()))["training"]["importance_sampling"]
    assert not json.loads(design.estimate_settings(config, cell()))["importance_sampling"]


def test_the_study_of_figure_1_has_its_figure(config):
    for name in ("paper.yaml", "high_mi.yaml"):
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    config = configs.resolve(config, ROOT)
    assert config["tasks"] == [*HIGH_MI]
    assert list(pages.pages_of(config, "high_mi")) == [1]
    assert pages.tasks_of_page(config, "high_mi", 1) == [*HIGH_MI]


def test_the_consistency_tests_on_mnist_have_the_papers_rows_and_latents(config):
    for name in ("consistency.yaml", "mnist.yaml"):
        update_config(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    config = configs.resolve(config, ROOT)
    rows = [5, 10, 15, 20, 25, 28]
    pairs = [f"{r}-{s}" for r, s in itertools.pairwise(rows)]
    names = (("baseline", rows), ("processing", pairs), ("additivity", rows))
    assert config["tasks"] == [f"{test}-{which}" for test, numbers in names for which in numbers]
    settings = json.loads(design.latents_settings(config))
    assert (settings["images"], settings["autoencoder"]["hidden"], settings["autoencoder"]["latent"]) == (
        "mnist",
        400,
        16,
    )
    trained = json.loads(design.train_settings(config, cell(task="baseline-28", train_size=60000)))["training"]
    assert (trained["precondition"], trained["duration"]) == ("gaussian", {"steps": 2000})


def test_splitting_a_file_reads_its_name_and_columns_and_not_its_folder_and_what_does_not_change_the_samples(config):
    config["data"] = {"mine": {"file": "folder/a.csv", "x": ["a"], "y": ["b"], "mi_true": 0.5, "duplicates": 0.2}}
    settings = json.loads(design.split_settings(config, "mine"))
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
    assert json.loads(design.merge_settings(config))["mi_true"] == known
    assert json.loads(pages.figure_settings(config, "training_curve", 1))["mi_true"] == known


@pytest.mark.parametrize(
    ("stage", "change", "remove"),
    [
        ("samples", {"seed": 5}, "samples/1v1-normal-0.75.parquet"),
        ("training", {"preprocess": "none"}, "networks/minde-c/1v1-normal-0.75/2000.safetensors"),
        ("estimates", {"mc_draws": 3}, "estimates/minde-c/1v1-normal-0.75/2000.parquet"),
    ],
)
def test_estimates_of_other_settings_are_told_from_the_study_s(config, stage, change, remove):
    asked = cell()
    settings = {
        "samples": json.loads(design.sample_settings(config, asked.task)),
        "training": json.loads(design.train_settings(config, asked)) | {"dim_x": 1, "dim_y": 1},
        "estimates": json.loads(design.estimate_settings(config, asked)),
    }
    made_by = {
        "settings": settings["estimates"],
        "training": {"settings": settings["training"], "samples": {"settings": settings["samples"]}},
    }
    path = Path(f"results/small/estimates/{asked.path}.parquet")
    whole = json.loads(design.origin_settings(config))
    origins.check(path, made_by, whole, asked)
    [(key, value)] = change.items()
    message = rf"{key} of its {stage} is {value}, expected {settings[stage][key]}\..* Delete results/small/{remove} and"
    settings[stage] |= change
    with pytest.raises(ValueError, match=message):
        origins.check(path, made_by, whole, asked)


def test_estimates_of_another_file_of_the_same_columns_are_told(config):
    """Of which Snakemake knows nothing while the file that the config names does not exist."""
    config["tasks"] = ["mine"]
    config["data"] = {"mine": {"file": "new/mine.csv", "x": ["a"], "y": ["b"]}}
    asked = cell("ksg", task="mine", train_size=0)
    made_by = {
        "settings": json.loads(design.baseline_settings(config, asked)),
        "samples": {"settings": json.loads(design.split_settings(config, "mine"))},
    }
    path, whole = Path(f"results/small/estimates/{asked.path}.parquet"), json.loads(design.origin_settings(config))
    origins.check(path, made_by, whole, asked)
    made_by["samples"]["settings"]["file"] = "old.csv"
    message = (
        rf"file of its samples is old.csv, expected mine.csv\..* Delete results/small/samples/mine.parquet and {path}"
    )
    with pytest.raises(ValueError, match=message):
        origins.check(path, made_by, whole, asked)
