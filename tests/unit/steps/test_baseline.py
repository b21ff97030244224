"""`python -m minde.steps baseline`: from a samples file to an estimates file."""

import json

import numpy as np
import pytest
import torch

from minde.baselines import Outcome
from minde.diffusion.preprocess import fit_preprocess
from minde.steps.__main__ import main
from minde.steps.baseline import gaussianized
from minde.study import results, samples

TASK = {"task": "1v1-normal-0.75", "seed": 0, "replicates": 2, "n_train": 60, "n_test": 500}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    path = tmp_path_factory.mktemp("samples") / "task.parquet"
    samples.draw(TASK, path)
    return path


def run(drawn, out, *arguments, **settings):
    settings = {"task": TASK["task"], "replicates": 2, **settings}
    main(["baseline", "--settings", json.dumps(settings), "--samples", str(drawn), "--out", str(out), *arguments])
    return results.read_estimates(out, results.CELL_SCHEMA).to_pylist()


def test_one_row_per_replicate_from_the_test_split(drawn, tmp_path):
    rows = run(drawn, tmp_path / "cca.parquet", method="cca", options={})
    assert [(r["task"], r["method"], r["estimator"], r["train_size"], r["replicate"]) for r in rows] == [
        (TASK["task"], "cca", "cca", 0, 0),
        (TASK["task"], "cca", "cca", 0, 1),
    ]
    for row in rows:
        x, y = samples.read(drawn, row["replicate"], "test")
        assert row["estimate"] == pytest.approx(-0.5 * np.log(1 - np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2), abs=1e-6)
        assert row["std_error"] is None
        assert row["seconds"] > 0


def test_the_method_s_options_reach_it_and_the_file_says_what_made_it(drawn, tmp_path):
    few = run(drawn, tmp_path / "few.parquet", method="ksg", options={"neighbors": 1})
    many = run(drawn, tmp_path / "many.parquet", method="ksg", options={"neighbors": 100})
    assert few[0]["estimate"] != many[0]["estimate"]
    made_by = results.read_provenance(tmp_path / "many.parquet")
    assert made_by["settings"]["options"] == {"neighbors": 100}
    assert made_by["versions"]["benchmark-mi"] == "0.1.3"


def test_a_method_that_trains_gets_the_first_training_rows_and_a_seed_of_its_own(drawn, tmp_path, monkeypatch):
    seen = []

    def estimator(replicates):
        for replicate in replicates:
            seen.append(replicate)
            yield Outcome(nats=0.4, seconds=1.0, std_error=0.01)

    monkeypatch.setattr("minde.baselines.critics.infonce", estimator)
    rows = run(drawn, tmp_path / "trained.parquet", method="infonce", options={}, train_size=40, seed=0)
    assert [(row["train_size"], row["std_error"]) for row in rows] == [(40, 0.01)] * 2
    for number, replicate in enumerate(seen):
        np.testing.assert_array_equal(replicate.x_train, samples.read(drawn, number, "train")[0][:40])
        assert replicate.x_test.shape == (500, 1)
    assert seen[0].seed != seen[1].seed


@pytest.mark.parametrize("method", ["infonce", "ksg"])
def test_ranks_are_those_of_the_training_rows_or_else_of_the_test_rows(drawn, tmp_path, monkeypatch, method):
    """As the score networks see them."""
    seen = []

    def estimator(replicates):
        for replicate in replicates:
            seen.append(replicate)
            yield Outcome(nats=0.4, seconds=1.0)

    module = {"infonce": "critics"}.get(method, method)
    monkeypatch.setattr(f"minde.baselines.{module}.{method}", estimator)
    trained = {"train_size": 40, "seed": 0} if method == "infonce" else {}
    run(drawn, tmp_path / "ranks.parquet", method=method, options={}, preprocess="gaussianize", **trained)
    for number, replicate in enumerate(seen):
        test = np.hstack(samples.read(drawn, number, "test"))
        train = np.hstack(samples.read(drawn, number, "train", 40)) if trained else test
        rank = fit_preprocess("gaussianize", torch.from_numpy(train).unsqueeze(0))
        found = [("test", test), *([("train", train)] if trained else [])]
        for split, rows in found:
            given = np.hstack([getattr(replicate, f"{name}_{split}") for name in "xy"])
            assert given.dtype == np.float32
            np.testing.assert_allclose(given, rank(torch.from_numpy(rows).unsqueeze(0))[0], rtol=0, atol=1e-5)


def test_ranks_among_repeated_values_are_those_that_score_networks_see():
    rng = np.random.default_rng(0)
    ranked, rows = (rng.normal(size=(300, 2)).astype(np.float32) for _ in range(2))
    ranked = ranked.round(1)
    expected = fit_preprocess("gaussianize", torch.from_numpy(ranked).unsqueeze(0))(torch.from_numpy(rows).unsqueeze(0))
    np.testing.assert_allclose(gaussianized(rows, ranked), expected[0], rtol=0, atol=1e-5)


def test_a_failure_names_the_cell_and_writes_nothing(drawn, tmp_path, capsys):
    with pytest.raises(ValueError, match="500"):
        run(drawn, tmp_path / "ksg.parquet", method="ksg", options={"neighbors": 500})
    assert '"task": "1v1-normal-0.75"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_method_in_torch_runs_on_the_device_asked_for(drawn, tmp_path):
    options = {"hidden": 8, "layers": 1, "batch_size": 20, "learning_rate": 0.01, "clip": 1.0, "steps": 5}
    settings = {"method": "doe-gaussian", "options": options, "train_size": 40, "seed": 0}
    out = tmp_path / "doe.parquet"
    rows = run(drawn, out, "--device", "cpu", **settings)
    assert [(row["train_size"], row["train_seconds"]) for row in rows] == [(40, 0.0)] * 2
    assert set(results.read_provenance(out)["versions"]) == {"numpy", "scipy", "torch"}


def test_what_did_not_converge_is_a_row_with_its_reason(drawn, tmp_path, monkeypatch, capsys):
    def lost(replicates):
        for _ in replicates:
            yield Outcome(nats=None, seconds=1.0, not_converged="it diverged at step 7")

    monkeypatch.setattr("minde.baselines.cca.cca", lost)
    rows = run(drawn, tmp_path / "lost.parquet", method="cca", options={})
    assert [(row["estimate"], row["not_converged"]) for row in rows] == [(None, "it diverged at step 7")] * 2
    assert "cca, 1v1-normal-0.75, replicate 1: it diverged at step 7" in capsys.readouterr().err
