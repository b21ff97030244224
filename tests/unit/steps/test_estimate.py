"""The verbs from samples through weights to estimates, on a task of known mutual information."""

import json

import numpy as np
import pytest
import torch

from minde.diffusion.model import WEIGHTS_VERSION
from minde.files import provenance
from minde.steps import messages
from minde.steps.__main__ import main
from minde.study import results, samples, weights
from minde.study.tasks import TASKS

TASK = "1v1-normal-0.75"
SAMPLE = {"task": TASK, "seed": 0, "replicates": 2, "n_train": 3000, "n_test": 2000}
TRAINING = {
    "task": TASK,
    "train_size": 2000,
    "seed": 0,
    "replicates": 2,
    "variant": "c",
    "preprocess": "standardize",
    "network": {"hidden": 16, "middle_blocks": 1},
    "sde": {"beta_min": 0.1, "beta_max": 20, "t_eps": 0.001},
    "curve": {"points": 4, "test_rows": 500},
    "training": {
        "duration": {"epochs": 3},
        "batch_size": 100,
        "learning_rate": 0.001,
        "schedule": "cosine",
        "weight_decay": 0,
        "ema_decay": 0.99,
        "importance_sampling": True,
        "score_choice": "per_sample",
        "times": "stratified",
        "base": "gaussian",
        "architecture": "gated",
    },
}
ESTIMATE = {
    "task": TASK,
    "train_size": 2000,
    "seed": 0,
    "formulas": ["inside", "sigma", "gap"],
    "sigmas": [1, 0.5],
    "mc_draws": 4,
    "importance_sampling": True,
    "times": "stratified",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with samples, weights and a curve of the small training."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("cell")
    main(["sample", "--settings", json.dumps(SAMPLE), "--out", f"{folder}/samples.parquet"])
    train(folder, "weights", TRAINING)
    return folder


def train(folder, name, settings):
    paths = [
        "--samples",
        f"{folder}/samples.parquet",
        "--weights",
        f"{folder}/{name}",
        "--curve",
        f"{folder}/{name}.curve",
    ]
    main(["train", "--settings", json.dumps(settings), "--device", "cpu", *paths])


def estimate(folder, name="estimates", weights="weights", **changes):
    paths = ["--samples", f"{folder}/samples.parquet", "--weights", f"{folder}/{weights}", "--out", f"{folder}/{name}"]
    paths += ["--curve", f"{folder}/{weights}.curve"]
    main(["estimate", "--settings", json.dumps(ESTIMATE | changes), "--device", "cpu", *paths])
    return results.read_estimates(folder / name, results.CELL_SCHEMA)


def test_every_estimator_and_replicate_has_a_row_near_the_truth(folder):
    rows = estimate(folder).to_pylist()
    assert [(row["estimator"], row["replicate"]) for row in rows] == [
        (name, replicate) for name in ("inside", "sigma=1", "sigma=0.5", "gap") for replicate in (0, 1)
    ]
    for row in rows:
        assert row["method"] == "minde-c"
        assert abs(row["estimate"] - TASKS[TASK].mi_true) < 4 * row["std_error"] + 0.02


def test_training_time_is_the_replicate_s_share_of_its_stack_s(folder):
    curve = results.pq.read_table(folder / "weights.curve").to_pylist()
    (spent,) = {row["seconds"] for row in curve if row["step"] == 60}  # both trained in one stack
    assert {row["train_seconds"] for row in estimate(folder).to_pylist()} == {spent}
    assert spent > 0


def test_samples_that_the_weights_were_not_trained_on_are_refused(folder, tmp_path):
    """As when another version of a library, or of a user's file, gives other samples."""
    for name in ("weights", "weights.curve"):
        (tmp_path / name).symlink_to(folder / name)
    main(["sample", "--settings", json.dumps(SAMPLE | {"seed": 1}), "--out", f"{tmp_path}/samples.parquet"])
    with pytest.raises(ValueError, match=r"samples\.parquet holds other samples .* than .*weights was trained on"):
        estimate(tmp_path)


def test_a_damaged_curve_is_named_with_the_rule_that_makes_it(folder, tmp_path):
    for name in ("samples.parquet", "weights"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "weights.curve").write_bytes((folder / "weights.curve").read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"weights\.curve is not a readable training curve .* the rule `train`"):
        estimate(tmp_path)


def test_estimating_again_gives_the_same_numbers_whatever_the_rows_are_asked_for(folder):
    """An additional formula or sigma changes no other estimate: all use the same draws."""
    all_rows = estimate(folder).to_pylist()
    fewer = estimate(folder, "fewer", formulas=["gap", "sigma"], sigmas=[0.5]).to_pylist()
    expected = {(r["estimator"], r["replicate"]): r["estimate"] for r in all_rows}
    assert {(r["estimator"], r["replicate"]) for r in fewer} == {(e, r) for e in ("gap", "sigma=0.5") for r in (0, 1)}
    for row in fewer:
        assert row["estimate"] == expected[row["estimator"], row["replicate"]]


@pytest.mark.parametrize("base", ["none", "gaussian", "mixture"])
def test_what_was_trained_is_what_is_estimated(folder, base):
    """The last point of the curve and the estimate use the same weights, with other draws and more samples."""
    train(folder, base, TRAINING | {"training": TRAINING["training"] | {"base": base}})
    curve = results.pq.read_table(folder / f"{base}.curve").to_pylist()
    steps = sorted({row["step"] for row in curve})
    assert steps == [32, 60]  # the state is returned every 32 steps and at the end
    for row in estimate(folder, weights=base).to_pylist():
        if row["estimator"] != "sigma=0.5":
            key = row["estimator"], row["replicate"]
            (last,) = (r for r in curve if r["step"] == 60 and (r["estimator"], r["replicate"]) == key)
            spread = (row["std_error"] ** 2 + last["std_error"] ** 2) ** 0.5
            assert abs(row["estimate"] - last["estimate"]) < 5 * spread


def test_the_estimates_say_what_made_them_and_what_made_the_weights_and_samples(folder):
    estimate(folder)
    held = results.read_provenance(folder / "estimates")
    assert held["settings"] == ESTIMATE
    assert held["training"]["settings"].items() >= TRAINING.items()
    assert held["training"]["samples"]["settings"] == SAMPLE
    assert len(set(held["seeds"]["estimate"] + held["training"]["seeds"]["train"])) == 4
    assert held["hardware"] == held["training"]["hardware"]
    assert held["hardware"].endswith(" cores")


def test_another_replicate_changes_no_number(folder):
    """The samples, weights and estimates of the first two replicates stay the same, to the bit."""
    more = folder / "more"
    more.mkdir()
    main(["sample", "--settings", json.dumps(SAMPLE | {"replicates": 3}), "--out", f"{more}/samples.parquet"])
    for split in ("train", "test"):
        for before, after in zip(
            samples.read(folder / "samples.parquet", 1, split),
            samples.read(more / "samples.parquet", 1, split),
            strict=True,
        ):
            assert (before == after).all()
    train(more, "weights", TRAINING | {"replicates": 3})
    before, _ = weights.read(folder / "weights")
    after, _ = weights.read(more / "weights")
    for name, tensor in before.items():
        assert (tensor == after[name][:2]).all(), name
    value = {(r["estimator"], r["replicate"]): r["estimate"] for r in estimate(more).to_pylist()}
    for row in estimate(folder).to_pylist():
        assert row["estimate"] == value[row["estimator"], row["replicate"]]


def test_weights_of_another_version_are_refused(folder, monkeypatch):
    monkeypatch.setattr(messages, "WEIGHTS_VERSION", WEIGHTS_VERSION + 1)
    found = f"holds weights of version {WEIGHTS_VERSION}, but this software reads version {WEIGHTS_VERSION + 1}"
    with pytest.raises(ValueError, match=found):
        estimate(folder, "refused")
    assert not (folder / "refused").exists()


def test_weights_of_another_cell_are_refused(folder):
    with pytest.raises(ValueError, match="holds weights of train_size 2000; 1000 was asked for"):
        estimate(folder, "refused", train_size=1000)
    assert not (folder / "refused").exists()
    asked = json.dumps({"task": TASK, "train_size": 2000, "method": "minde-j"})
    paths = ["--samples", f"{folder}/samples.parquet", "--weights", f"{folder}/weights", "--out", f"{folder}/refused"]
    with pytest.raises(ValueError, match="holds weights of method minde-c; minde-j was asked for"):
        main(["score-errors", "--settings", asked, *paths, "--device", "cpu"])
    assert not (folder / "refused").exists()


def test_the_log_warns_of_estimates_that_heavy_tails_decide(tmp_path, capsys):
    task = "student-identity-1-1-1"
    main(["sample", "--settings", json.dumps(SAMPLE | {"task": task}), "--out", f"{tmp_path}/samples.parquet"])
    train(tmp_path, "weights", TRAINING | {"task": task})
    capsys.readouterr()
    estimate(tmp_path, task=task)
    log = capsys.readouterr().err
    assert "Warning: " in log
    assert "standardizing shrinks the others below what the diffusion resolves" in log


def test_the_log_warns_of_information_below_the_finest_noise(tmp_path, capsys):
    """y is x; the Gaussian base knows."""

    def draw(replicate: int, split: str):
        rows = SAMPLE[f"n_{split}"]
        x = np.random.default_rng([replicate, rows]).normal(size=(rows, 1)).astype(np.float32)
        return x, x

    samples.write(tmp_path / "samples.parquet", draw, provenance(SAMPLE), dim_x=1, dim_y=1)
    train(tmp_path, "weights", TRAINING)
    capsys.readouterr()
    estimate(tmp_path)
    assert "mutual information would grow by 0.6" in capsys.readouterr().err


def test_the_log_warns_of_dependence_that_was_not_learned(tmp_path, capsys):
    """Of a fast oscillation, which nearest neighbours see."""

    def draw(replicate: int, split: str):
        generator = np.random.default_rng([replicate, SAMPLE[f"n_{split}"]])
        y = generator.uniform(-1, 1, size=(SAMPLE[f"n_{split}"], 1))
        return (np.sin(30 * y) + 0.1 * generator.normal(size=y.shape)).astype(np.float32), y.astype(np.float32)

    samples.write(tmp_path / "samples.parquet", draw, provenance(SAMPLE), dim_x=1, dim_y=1)
    train(tmp_path, "weights", TRAINING)
    capsys.readouterr()
    estimate(tmp_path)
    assert "nearest neighbours (KSG, of the columns' ranks) find 0.9" in capsys.readouterr().err
