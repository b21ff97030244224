"""The design of a study: its cells and their settings."""

import itertools
import json
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config
from some_cells import cell

from minde.study import config as configs
from minde.study import design, methods, pages, step_settings
from minde.study.tasks import HIGH_MI

ROOT = Path(__file__).parents[3]


def test_the_competitors_are_those_of_the_baselines():
    from minde.baselines import MODULES

    assert tuple(MODULES) == methods.COMPETITORS


def test_methods_that_do_not_train_have_one_cell_per_task(config):
    cells = design.cells(config)
    assert len(cells) == len(set(cells)) == 4 * (3 * 2 + 2)
    assert [c.train_size for c in cells if c.method == "ksg"] == [0] * 4
    assert cell().path == "minde-c/1v1-normal-0.75/2000"


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"tasks": ["student-*"]}, {"student-identity-1-1-1", "student-identity-5-5-2"}),
        ({"dim_x": {"min": 5}}, {"multinormal-dense-25-25-0.5", "student-identity-5-5-2"}),
        ({"dim_x": {"max": 1}}, {"1v1-normal-0.75", "student-identity-1-1-1"}),
        ({"dim_y": {"min": 5}}, {"multinormal-dense-25-25-0.5", "student-identity-5-5-2"}),
        ({"tasks": ["student-*"], "dim_x": {"min": 5, "max": 5}}, {"student-identity-5-5-2"}),
        ({"methods": ["minde-j"]}, set()),
        ({"tasks": ["1v1-*"], "train_size": {"min": 2000, "max": 2000}}, {"1v1-normal-0.75"}),
        ({"train_size": {"min": 2001}}, set()),
        ({"recipe": "fast", "dim_x": {"max": 1}}, {"1v1-normal-0.75", "student-identity-1-1-1"}),
        ({"recipe": "paper"}, set()),
    ],
)
def test_overrides_reach_the_cells_that_match_and_no_others(config, match, hit):
    tasks = ["1v1-normal-0.75", "student-identity-1-1-1", "student-identity-5-5-2", "multinormal-dense-25-25-0.5"]
    plain = {task: step_settings.train(config, cell(task=task)) for task in tasks}
    config["overrides"] = [{"match": match, "set": {"preprocess": "gaussianize", "training": {"batch_size": 64}}}]
    changed = {task for task in tasks if step_settings.train(config, cell(task=task)) != plain[task]}
    assert changed == hit


def test_a_method_that_does_not_train_is_in_no_range_of_train_sizes(config):
    config["overrides"] = [{"match": {"train_size": {"max": 10000}}, "set": {"preprocess": "gaussianize"}}]
    assert design.preprocess_of(config, cell("mine")) == "gaussianize"
    assert design.preprocess_of(config, cell("ksg", train_size=0)) == "standardize"


def test_later_overrides_win_and_a_duration_is_replaced_as_a_whole(config):
    config["overrides"] = [
        {"match": {"tasks": ["*"]}, "set": {"network": {"hidden": 32}, "training": {"duration": {"epochs": 3}}}},
        {"match": {"tasks": ["1v1-*"]}, "set": {"training": {"duration": {"epochs": 5}}}},
    ]
    found = json.loads(step_settings.train(config, cell()))
    assert found["training"]["duration"] == {"epochs": 5}
    assert found["network"] == {"hidden": 32, "middle_blocks": 2}


def test_the_expected_keys_follow_from_the_short_design(config):
    settings = json.loads(step_settings.merge(config))
    keys = design.expected_keys(settings)
    assert design.cells_of(settings) == design.cells(config)
    assert len(keys) == len(set(keys)) == 3 * (16 * 3 + 8 + 8)
    assert keys[0] == ("1v1-normal-0.75", "minde-j", "inside", 2000, 0)
    assert keys[-1] == ("multinormal-dense-5-5-0.5", "doe-gaussian", "doe-gaussian", 10000, 2)


def test_a_width_names_its_estimator(config):
    config["minde"]["estimators"]["sigmas"] = [0.5, 1.0, 10]
    assert design.estimators(config, "minde-j") == ["inside", "sigma=0.5", "sigma=1", "sigma=10", "gap"]
    assert design.estimators(config, "ksg") == ["ksg"]


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


def test_the_lengths_of_the_papers_trainings_do_not_reach_another_recipe(config):
    update_config(config, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    config = configs.resolve(config, ROOT)
    wide, durations = cell(task="multinormal-dense-25-25-0.5"), {}
    for recipe in ("paper", "fast"):
        config["minde"]["recipe"] = recipe
        durations[recipe] = design.training_of(config, wide)["training"]["duration"]
    assert durations == {"paper": {"epochs": 500}, "fast": {"steps": 1500}}


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
    settings = json.loads(step_settings.latents(config))
    assert (settings["images"], settings["autoencoder"]["hidden"], settings["autoencoder"]["latent"]) == (
        "mnist",
        400,
        16,
    )
    trained = json.loads(step_settings.train(config, cell(task="baseline-28", train_size=60000)))["training"]
    assert (trained["base"], trained["duration"]) == ("gaussian", {"steps": 2000})
