"""Changing a setting or a source file reruns exactly what depends on it, checked by dry runs."""

import os

import pytest
import yaml
from running import TINY, checkout, copy, pending, snakemake

KINDS = ("csv", "md", "tex", "html")
TABLE, SUMMARY, HYPERPARAMETERS = (
    {f"tables/{name}.{suffix}" for suffix in KINDS} for name in ("table1", "summary", "hyperparameters")
)
FIGURES, CURVES, SIZES, SIGMA = (
    {f"figures/{figure}_1.{suffix}" for suffix in ("pdf", "png")}
    for figure in ("spread", "training_curve", "training_size", "sigma")
)
RESULTS = {"estimates.parquet"} | TABLE | SUMMARY | FIGURES

NORMAL, BIMODAL = TINY["tasks"]
UNIFORM = "1v1-additive-0.75"


def samples(*tasks):
    return {f"samples/{task}.parquet" for task in tasks}


def networks(*tasks, size=100):
    suffixes = ("safetensors", "curve.parquet")
    return {f"networks/minde-c/{task}/{size}.{suffix}" for task in tasks for suffix in suffixes}


def estimates(*tasks, size=100):
    return {f"estimates/minde-c/{task}/{size}.parquet" for task in tasks}


def competitors(*tasks):
    return {f"estimates/cca/{task}/0.parquet" for task in tasks}


NOTHING = set()
ESTIMATES = estimates(NORMAL, BIMODAL) | RESULTS
TRAININGS = networks(NORMAL, BIMODAL) | ESTIMATES | CURVES
EVERYTHING = samples(NORMAL, BIMODAL) | TRAININGS | competitors(NORMAL, BIMODAL)


def override(task, **training):
    return {"overrides": [{"match": {"tasks": [task]}, "set": {"training": training}}]}


def recipe(**training):
    return {"recipes": {"tiny": training}}


def estimators(**settings):
    return {"minde": {"estimators": settings}}


@pytest.mark.parametrize(
    ("config", "reruns"),
    [
        pytest.param({}, NOTHING, id="the same config"),
        pytest.param({"minde": {"sde": {"beta_max": 20}}, "seed": 0}, NOTHING, id="the same values, written otherwise"),
        pytest.param({"seed": 1}, EVERYTHING, id="the seed"),
        pytest.param({"replicates": 3}, EVERYTHING, id="one replicate more"),
        pytest.param(
            {"tasks": [NORMAL, BIMODAL, UNIFORM]},
            samples(UNIFORM)
            | networks(UNIFORM)
            | estimates(UNIFORM)
            | competitors(UNIFORM)
            | RESULTS
            | CURVES
            | HYPERPARAMETERS,
            id="one task more",
        ),
        pytest.param({"tasks": [NORMAL]}, RESULTS | CURVES | HYPERPARAMETERS, id="one task less"),
        pytest.param(
            {"train_sizes": [100, 200]},
            networks(NORMAL, BIMODAL, size=200)
            | estimates(NORMAL, BIMODAL, size=200)
            | RESULTS
            | CURVES
            | SIZES
            | {f"tables/table1_at_100.{kind}" for kind in KINDS},
            id="one train size more",
        ),
        pytest.param({"methods": ["minde-c"]}, RESULTS | HYPERPARAMETERS, id="one method less"),
        pytest.param(
            override(NORMAL, learning_rate=0.01),
            networks(NORMAL) | estimates(NORMAL) | RESULTS | CURVES | HYPERPARAMETERS,
            id="one task's learning rate",
        ),
        pytest.param(recipe(learning_rate=0.01), TRAININGS | HYPERPARAMETERS, id="the learning rate"),
        pytest.param({"recipes": {"fast": {"batch_size": 64}}}, NOTHING, id="a recipe that is not used"),
        pytest.param({"preprocess": "none"}, TRAININGS | HYPERPARAMETERS, id="the networks' preprocessing"),
        pytest.param(
            {"preprocess": "gaussianize"},
            TRAININGS | competitors(NORMAL, BIMODAL) | HYPERPARAMETERS,
            id="every method's preprocessing",
        ),
        pytest.param({"minde": {"network": {"middle_blocks": 1}}}, TRAININGS | HYPERPARAMETERS, id="the network"),
        pytest.param({"curve": {"points": 3}}, TRAININGS, id="the training curve"),
        pytest.param(estimators(mc_draws=3), ESTIMATES | HYPERPARAMETERS, id="mc_draws"),
        pytest.param(estimators(sigmas=[1.0, 2.0]), ESTIMATES | SIGMA, id="one sigma more"),
        pytest.param({"baselines": {"ksg": {"neighbors": 5}}}, NOTHING, id="a competitor that is not used"),
        pytest.param({"tables": {"decimals": 3}}, TABLE, id="the table's decimals"),
        pytest.param({"tables": {"resamples": 10}}, SUMMARY, id="the summary's resamples"),
        pytest.param(
            {"run": {"threads": 2, "device": "auto", "stack": 1, "together": 2, "checkpoint_seconds": 0}},
            NOTHING,
            id="choices of the machine",
        ),
    ],
)
def test_a_changed_setting_reruns_what_reads_it(study, config, reruns):
    assert pending(study, config) == reruns


@pytest.mark.parametrize(
    ("source", "reruns"),
    [
        ("study/samples.py", EVERYTHING),
        ("diffusion/training.py", TRAININGS),
        ("diffusion/gated.py", TRAININGS),
        ("steps/train.py", TRAININGS),
        ("steps/checkpointing.py", TRAININGS),
        ("study/checkpoints.py", NOTHING),
        ("diffusion/estimators.py", ESTIMATES),
        ("steps/estimate.py", ESTIMATES),
        ("baselines/cca.py", competitors(NORMAL, BIMODAL) | RESULTS),
        ("steps/baseline.py", competitors(NORMAL, BIMODAL) | RESULTS),
        ("study/results.py", RESULTS),
        ("baselines/doe.py", NOTHING),
        ("study/tables/__init__.py", TABLE | SUMMARY),
        ("study/tables/hyperparameters.py", HYPERPARAMETERS),
        ("study/figures/__init__.py", FIGURES | CURVES),
        ("study/figures/curves.py", CURVES),
        ("study/config.py", NOTHING),
        ("study/data.py", NOTHING),
        ("study/bundle/pack.py", NOTHING),
        ("steps/__main__.py", NOTHING),
    ],
)
def test_an_edited_source_file_reruns_what_depends_on_it(study, tmp_path, source, reruns):
    edited = copy(study, tmp_path / "minde")
    path = edited / "src/minde" / source
    path.write_text(path.read_text() + "\n# edited\n")
    assert pending(edited) == reruns


def test_source_files_that_are_only_newer_rerun_nothing(study, tmp_path):
    moved = copy(study, tmp_path / "elsewhere")
    for path in (moved / "src").rglob("*.py"):
        os.utime(path)
    assert pending(moved) == NOTHING


def test_another_wording_of_a_message_reruns_nothing(study, tmp_path):
    edited = copy(study, tmp_path / "minde")
    path = edited / "rules/figures.smk"
    assert '"spread over replicates"' in path.read_text()
    path.write_text(path.read_text().replace('"spread over replicates"', '"spread"'))
    assert pending(edited) == NOTHING


def entries(cache):
    """The entries of the cache, and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}


def test_a_second_folder_takes_samples_and_networks_from_the_cache(study, cache, tmp_path):
    before = entries(cache)
    second = checkout(tmp_path / "second")
    name = "a-study-of-another-name"
    snakemake(second, "--configfile", "tiny.yaml", "--config", f"name={name}", "--cache", cache=cache)
    # A job that ran would have rewritten its outputs in the cache and its log.
    assert entries(cache) == before
    assert not any(log.read_text() for log in (second / f"results/{name}/logs/train").rglob("*.log"))
    for output in networks(NORMAL, BIMODAL) | samples(NORMAL, BIMODAL):
        assert (second / "results" / name / output).resolve().parent == cache
    printed = snakemake(second, "--configfile", "tiny.yaml", "--config", f"name={name}", "--dry-run")
    assert "Nothing to be done" in printed


def test_a_link_to_the_checkout_is_the_checkout(study, tmp_path):
    (tmp_path / "link").symlink_to(study)
    arguments = ["-s", str(tmp_path / "link/Snakefile"), "--configfile", "tiny.yaml", "--dry-run"]
    assert "Nothing to be done" in snakemake(study, *arguments)


def test_another_training_is_not_taken_from_the_cache(study, cache, tmp_path):
    before = entries(cache)
    second = checkout(tmp_path / "second")
    (second / "changed.yaml").write_text(yaml.safe_dump(recipe(duration={"steps": 21}) | {"tasks": [NORMAL]}))
    snakemake(second, "--configfile", "tiny.yaml", "changed.yaml", "--cache", "--until", "train", cache=cache)
    added = entries(cache).keys() - before.keys()
    assert sorted(name.split(".", 1)[1] for name in added) == ["curve.parquet", "safetensors"]
