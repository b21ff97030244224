"""The content of bundles, that the same results give the same bytes, and studies from bundles."""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from snakemake.utils import update_config

from minde import tensors
from minde.study import bundle, curves, design, experiment_rows, results, step_settings
from minde.study.bundle import archive, pack
from minde.study.bundle.archive import ArchiveError
from minde.study.config import ConfigError, resolve

ROOT = Path(__file__).parents[3]
DEFAULTS = yaml.safe_load((ROOT / "config/config.yaml").read_text())
TASK = "1v1-normal-0.75"
CONFIG = resolve(DEFAULTS | {"tasks": [TASK], "methods": ["minde-c", "cca"], "replicates": 1}, ROOT)
SAMPLES = {
    "settings": json.loads(step_settings.sample(CONFIG, TASK)),
    "code": "c",
    "versions": {"jax": "0.4.30"},
    "python": "3.11.7",
}
TRAINING = {
    "code": "b",
    "versions": {"torch": "2.13.0"},
    "python": "3.11.7",
    "hardware": "a GPU",
    "seeds": {"train": [7]},
    "samples": SAMPLES,
}
ESTIMATE = {
    "code": "a",
    "versions": {"torch": "2.13.0"},
    "python": "3.12.1",
    "hardware": "a processor, 2 cores",
}
BASELINE = {"code": "a", "versions": {"numpy": "1.26.4"}, "python": "3.11.7", "samples": SAMPLES}


def made_by_of(cell):
    """Provenance of the cell's weights and of its estimates."""
    if cell.method != "minde-c":
        return None, BASELINE | {"settings": json.loads(step_settings.baseline(CONFIG, cell))}
    training = TRAINING | {"settings": json.loads(step_settings.train(CONFIG, cell)) | {"dim_x": 1, "dim_y": 1}}
    return training, ESTIMATE | {"settings": json.loads(step_settings.estimate(CONFIG, cell)), "training": training}


@pytest.fixture
def folder(tmp_path):
    """Results of a study, as the workflow writes them, as far as a bundle reads them."""
    folder = tmp_path / "results"
    for cell in design.cells(CONFIG):
        training, made_by = made_by_of(cell)
        results.write_parquet(folder / f"estimates/{cell.path}.parquet", results.estimates_table([]), made_by)
        if cell.method == "minde-c":
            path = folder / f"networks/{cell.path}.safetensors"
            path.parent.mkdir(parents=True, exist_ok=True)
            tensors.write(path, {"a": np.ones(3, dtype=np.float32)}, training)
            results.write_parquet(path.with_suffix(".curve.parquet"), curves.table([]), training)
    results.write_parquet(folder / "estimates.parquet", results.estimates_table([]), {})
    (folder / "tables").mkdir()
    (folder / "tables/table1.csv").write_text("a,b\n")
    return folder


def make(folder, holds="estimates", out=None, config=CONFIG):
    out = out or folder / f"{holds}.zip"
    files = [folder / "tables/table1.csv"] if holds == "estimates" else []
    pack.pack(holds, config, folder, files, ROOT / "requirements.lock", out)
    return out


def opened(path, verify=True, **others):
    return bundle.named_in(DEFAULTS | others | {"from_bundle": str(path)}, ROOT, verify=verify)


def contents(path):
    with archive.opened(path) as found:
        archive.verify(found)
        return found.manifest, {name: archive.read(found, name) for name in found.manifest["files"]}


def test_a_bundle_holds_results_config_lock_and_what_made_them(folder):
    manifest, held = contents(make(folder))
    expected = {"estimates.parquet", "tables/table1.csv", archive.CONFIG, pack.LOCK, pack.PROVENANCE}
    assert held.keys() == expected | {"ro-crate-metadata.json"}
    assert json.loads(held[archive.CONFIG]) == CONFIG
    assert held[pack.LOCK] == (ROOT / "requirements.lock").read_bytes()
    assert (manifest["holds"], manifest["study"], manifest["seed"]) == ("estimates", "small", 0)
    assert manifest["hardware"] == ["a GPU", "a processor, 2 cores"]
    assert manifest["python"] == ["3.11.7", "3.12.1"]
    assert manifest["versions"] == {"jax": ["0.4.30"], "numpy": ["1.26.4"], "torch": ["2.13.0"]}
    assert manifest["code_sha256"] == ["a", "b", "c"]
    assert len(manifest["code"]["sha256"]) == 64


@pytest.fixture
def wide(folder):
    """The same study with an experiment and a comparison: its config, and the folder of its results."""
    experiments = yaml.safe_load((ROOT / "config/mine.yaml").read_text())["experiments"]
    config = resolve(CONFIG | {"experiments": {"binary": experiments["binary"]}, "compared_with": "other"}, ROOT)
    made_by = BASELINE | {"settings": json.loads(step_settings.experiment(config, "binary")), "hardware": "a TPU"}
    experiment_rows.write(folder / "experiments/binary.parquet", [], made_by)
    others = {"code": "d", "versions": {"pyarrow": "25"}, "python": "3.14.0", "settings": {}, "cells": {"hardware": []}}
    results.write_parquet(folder.parent / "other/estimates.parquet", results.estimates_table([]), others)
    return config, folder


def test_a_bundle_holds_the_rows_of_experiments_and_the_estimates_of_a_comparison(wide):
    config, folder = wide
    path = make(folder, config=config)
    manifest, held = contents(path)
    assert held["experiments/binary.parquet"] == (folder / "experiments/binary.parquet").read_bytes()
    assert held[archive.COMPARED] == (folder.parent / "other/estimates.parquet").read_bytes()
    *_, experiment, compared = map(json.loads, held[pack.PROVENANCE].splitlines())
    assert (experiment["experiment"], experiment["settings"]["epochs"]) == ("binary", 600)
    assert (compared["compared_with"], compared["python"]) == ("other", "3.14.0")
    assert "a TPU" in manifest["hardware"]
    assert "3.14.0" not in manifest["python"]  # of the other study
    assert opened(path).config == config


def test_experiments_and_a_comparison_that_a_bundle_lacks_are_not_asked_of_it(wide):
    config, folder = wide
    assert opened(make(folder, "weights", config=config)).config == CONFIG
    with archive.opened(make(folder, config=config)) as full:  # as earlier versions made it
        kept = {name: archive.read(full, name) for name in full.manifest["files"]}
        older = {name: held for name, held in kept.items() if "binary" not in name and name != archive.COMPARED}
        archive.write(folder / "older.zip", older, {"holds": "estimates"})
    assert opened(folder / "older.zip").config == CONFIG


def test_rows_of_an_experiment_with_other_settings_are_not_packed(wide):
    config, folder = wide
    config["experiments"]["binary"]["epochs"] = 7
    with pytest.raises(ValueError, match=r"binary\.parquet .*epochs of its experiment is 600, expected 7.*Delete"):
        make(folder, config=config)


def test_damaged_rows_of_an_experiment_are_named_with_their_rule(wide):
    config, folder = wide
    (folder / "experiments/binary.parquet").write_text("damaged")
    with pytest.raises(ValueError, match=r"experiments/binary\.parquet is not a Parquet file.*rule `experiment` makes"):
        make(folder, config=config)


def test_every_cell_has_the_settings_and_seeds_that_made_it(folder):
    lines = [json.loads(line) for line in contents(make(folder))[1][pack.PROVENANCE].splitlines()]
    assert [(line["method"], line["train_size"]) for line in lines] == [
        ("minde-c", 2000),
        ("minde-c", 10000),
        ("cca", 0),
    ]
    assert lines[0]["settings"]["mc_draws"] == 10
    assert lines[0]["training"]["settings"]["training"]["learning_rate"] == 0.002
    assert lines[0]["training"]["seeds"] == {"train": [7]}
    assert lines[2]["samples"]["settings"]["task"] == TASK


def test_weights_come_with_their_curves_and_what_made_them(folder):
    _, held = contents(make(folder, "weights"))
    networks = {
        f"networks/minde-c/{TASK}/{size}.{kind}" for size in (2000, 10000) for kind in ("safetensors", "curve.parquet")
    }
    assert networks <= held.keys()
    assert "estimates.parquet" not in held
    assert json.loads(held[pack.PROVENANCE].splitlines()[0])["settings"]["training"]["learning_rate"] == 0.002


@pytest.mark.parametrize("holds", bundle.HOLDS)
def test_the_same_results_elsewhere_are_the_same_bytes(folder, tmp_path, holds):
    copy = shutil.copytree(folder, tmp_path / "elsewhere")
    for path in copy.rglob("*"):
        path.touch()
    assert make(copy, holds).read_bytes() == make(folder, holds).read_bytes()


def test_the_crate_describes_itself_and_every_file(folder):
    manifest, held = contents(make(folder))
    entities = {entity["@id"]: entity for entity in json.loads(held["ro-crate-metadata.json"])["@graph"]}
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = entities[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset"
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    parts = {part["@id"] for part in root["hasPart"]}
    assert parts == manifest["files"].keys() - {"ro-crate-metadata.json"} | {archive.MANIFEST, archive.SEAL}
    references = {
        inner["@id"]
        for entity in entities.values()
        for value in entity.values()
        for inner in (value if isinstance(value, list) else [value])
        if isinstance(inner, dict)
    }
    assert references - {"https://w3id.org/ro/crate/1.2"} <= entities.keys()
    assert all(entities[part]["@type"] == "File" for part in parts)


def test_a_study_is_taken_from_a_bundle(folder):
    path = make(folder)
    found = opened(path)
    assert (found.path, found.holds, found.config) == (path, "estimates", CONFIG)
    assert found.folder.startswith("small@")
    assert opened(make(folder, "weights")).folder != found.folder
    assert bundle.named_in(DEFAULTS, ROOT, verify=True) is None


def test_a_changed_bundle_is_refused_by_name_and_only_verifying_reads_all_of_it(folder):
    path = make(folder)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"a,b\n", b"a,c\n"))
    with pytest.raises(ArchiveError, match=r"'tables/table1\.csv' is damaged"):
        opened(path)
    assert opened(path, verify=False).holds == "estimates"


def test_other_settings_beside_a_bundle_are_refused(folder):
    with pytest.raises(ConfigError, match="found other settings of replicates, seed: leave them out"):
        opened(make(folder), seed=1, replicates=7)


def test_choices_of_the_machine_are_this_machine_s(folder):
    """They are not part of a bundle, and may be set together with one."""
    run = DEFAULTS["run"] | {"device": "cpu", "stack": 2}
    assert opened(make(folder), run=run).config["run"] == run
    config = json.loads(step_settings.bundle(DEFAULTS, "estimates"))["config"]
    assert config.keys() == DEFAULTS.keys() - {"run"}


def test_a_bundle_of_something_else_is_refused(tmp_path):
    archive.write(tmp_path / "other.zip", {"a": b"b"}, {"holds": "photographs"})
    with pytest.raises(ArchiveError, match=r"other\.zip holds 'photographs'; a bundle of estimates or weights"):
        opened(tmp_path / "other.zip")


@pytest.mark.parametrize("change", [{"name": "../../above"}, {"replicates": "many"}, {"new_key": 1}])
def test_a_config_of_another_version_is_refused(tmp_path, change):
    config = json.dumps(CONFIG | change).encode()
    archive.write(tmp_path / "other.zip", {archive.CONFIG: config}, {"holds": "estimates", "code": {"commit": "abc"}})
    with pytest.raises(
        ConfigError, match=r"other\.zip is of another version of this software .*abc.*: the config has 1"
    ):
        opened(tmp_path / "other.zip")


def test_damaged_estimates_are_named_with_their_rule(folder):
    path = folder / f"estimates/cca/{TASK}/0.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"cca/1v1-normal-0\.75/0\.parquet is not a Parquet file.*rule .*`baseline`"):
        make(folder)
    assert not (folder / "estimates.zip").exists()


@pytest.mark.parametrize(
    ("holds", "change", "message"),
    [
        ("estimates", {"minde": {"estimators": {"mc_draws": 7}}}, r"mc_draws of its estimates is 10, exp.* 7"),
        ("estimates", {"seed": 3}, r"estimates/minde-c/.* seed of its samples is 0, expected 3"),
        ("weights", {"preprocess": "none"}, r"networks/minde-c/.*preprocess of its training is standardize, .* none"),
    ],
)
def test_results_of_other_settings_are_not_packed(folder, holds, change, message):
    config = copy.deepcopy(CONFIG)
    update_config(config, change)
    with pytest.raises(ValueError, match=message):
        make(folder, holds, config=config)


def test_the_commit_of_a_checkout_and_of_a_folder_that_is_none(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:  # such as those of a hook
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # which may ask for signed commits

    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    nothing = {"commit": None, "date": None, "as_committed": None}
    assert pack.commit_of(tmp_path) == nothing
    git("init")
    assert pack.commit_of(tmp_path) == nothing
    (tmp_path / "file").write_text("a")
    git("add", "file")
    git("-c", "user.name=a", "-c", "user.email=b", "commit", "-m", "c", "--date", "2026-01-02T03:04:05Z")
    found = pack.commit_of(tmp_path)
    assert len(found["commit"]) == 40
    assert found["as_committed"]
    (tmp_path / "file").write_text("b")
    assert not pack.commit_of(tmp_path)["as_committed"]
    (tmp_path / "below").mkdir()
    assert pack.commit_of(tmp_path / "below") == nothing


def test_a_bundle_may_be_older_than_a_competitor(folder):
    older = CONFIG | {"baselines": {name: value for name, value in CONFIG["baselines"].items() if name != "kde"}}
    assert opened(make(folder, config=older)).config["baselines"] == DEFAULTS["baselines"]
