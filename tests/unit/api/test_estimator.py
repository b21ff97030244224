"""The estimator on pairs of normals, whose entropies and mutual information are known."""

import copy
import warnings
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pairs import MUTUAL_INFORMATION, RHO, SMALL, normals
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from minde import MINDE, tensors
from minde.api import measures, settings

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
ENTROPIES = {  # in nats: x has standard deviation 3, y 1
    "x": 0.5 * np.log(2 * np.pi * np.e * 9),
    "y": 0.5 * np.log(2 * np.pi * np.e),
    "xy": np.log(2 * np.pi * np.e * 3) + 0.5 * np.log(1 - RHO**2),
}


def test_the_defaults_are_the_recipe_fast_of_the_study() -> None:
    recipe, study = CONFIG["recipes"]["fast"], CONFIG["minde"]
    estimators = study["estimators"]
    expected = {
        **recipe,
        **recipe["duration"],
        **study["network"],
        "preprocess": CONFIG["preprocess"],
        "mc_draws": estimators["mc_draws"],
    }
    del expected["duration"]
    params = MINDE().get_params()
    assert {name: params[name] for name in expected} == expected
    assert {f"minde-{name}": formula for name, formula in settings.QUOTED.items()} == study["quoted"]["fast"]
    # Settings that users cannot choose.
    assert study["sde"] == {"beta_min": 0.1, "beta_max": 20.0, "t_eps": 0.001}
    assert (estimators["importance_sampling"], estimators["times"]) == (True, "stratified")


@pytest.mark.parametrize("formula", ["inside", "sigma", "gap"])
def test_every_formula_gives_the_mutual_information(fitted, formula) -> None:
    found = fitted.mutual_information(formula=formula)
    assert abs(found - MUTUAL_INFORMATION) < 4 * found.std_error
    assert found.std_error < (0.1 if formula == "gap" else 0.05)
    low, high = found.interval()
    assert low < MUTUAL_INFORMATION < high
    assert len(found.replicates) == 3
    assert float(found) == pytest.approx(np.mean(found.replicates))


def test_formulas_that_are_apart_are_warned_of() -> None:
    """Few rows of many columns, memorized: inside is too high, gap too low."""
    x, noise = np.random.default_rng(0).normal(size=(2, 400, 10))
    settings = SMALL | {"steps": 1000, "hidden": 64, "weight_decay": 0, "test_size": 0.5, "replicates": 2}
    with pytest.warns(ConvergenceWarning, match=r"inside says \d+\.\d\d nats and gap .* fewer steps"):
        MINDE(**settings).fit(x, 0.3 * x + noise)


def test_an_error_that_is_due_to_a_narrow_reference_is_said_to_be() -> None:
    fitted = MINDE(replicates=1, **SMALL).fit(*normals(400))
    with pytest.warns(UserWarning, match=r"decide the estimate, because of the narrow reference, sigma=0\.001"):
        fitted.mutual_information(sigma=0.001)


def test_more_columns_than_rows_can_tell_of_are_warned_of() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 100, 40))
    with pytest.warns(UserWarning, match="x and y have 80 columns together, and there are 80 rows to train on"):
        MINDE(replicates=1, **SMALL | {"steps": 2}).fit(x, y)


def test_more_than_can_be_resolved_is_warned_of() -> None:
    x, _ = normals(1000)
    with pytest.warns(UserWarning, match=r"would grow by 0\.69 nats if the finest noise"):
        MINDE(replicates=1, **SMALL).fit(x, x)


def test_a_column_that_both_share_is_warned_of() -> None:
    """Of several columns, so that the estimate alone looks possible."""
    x, y = np.random.default_rng(0).normal(size=(2, 1000, 4))
    y[:, 1] = x[:, 2] - x[:, 0]
    with pytest.warns(UserWarning, match=r"would grow by 0\.6\d nats if the finest noise"):
        MINDE(replicates=1, **SMALL).fit(x, y)


def test_a_fast_oscillation_is_learned(tmp_path) -> None:
    """Of five periods; without waves among the inputs of networks the estimate is 0.02."""
    generator = np.random.default_rng(0)
    y = generator.uniform(size=10_000)
    x = np.sin(10 * np.pi * y) + 0.3 * generator.normal(size=10_000)
    estimator = MINDE(steps=600, replicates=1, random_state=0).fit(x, y)
    found = estimator.mutual_information()
    assert found == pytest.approx(0.862, abs=0.08)  # by quadrature, as in benchmarks/accuracy.py
    estimator.save(tmp_path / "fitted.safetensors")
    assert MINDE.load(tmp_path / "fitted.safetensors").mutual_information() == found


def test_less_than_neighbours_find_is_warned_of() -> None:
    """In the rows that are estimated with: given test rows without dependence are not doubted."""
    generator = np.random.default_rng(0)
    y = generator.uniform(-1, 1, size=(2000, 1))
    x = np.sin(16 * np.pi * y) + 0.1 * generator.normal(size=(2000, 1))
    with pytest.warns(UserWarning, match=r"nearest neighbours .* find 0\.\d+ nats in these rows, and the estimate is"):
        MINDE(replicates=2, **SMALL).fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MINDE(replicates=2, **SMALL).fit(x, y, x_test=generator.permutation(x), y_test=y)


def test_an_entropy_that_falls_at_the_finest_noise_is_warned_of() -> None:
    """Of two groups, far narrower than their distance; a normal column has no such doubt."""
    x, y = normals(1000)
    groups = 1e-3 * x + np.arange(1000).reshape(-1, 1) % 2
    with pytest.warns(UserWarning, match="has its values in groups"):
        fitted = MINDE(replicates=1, **SMALL).fit(groups, y)
    with pytest.warns(UserWarning, match=r"the entropy of x would fall by 0\.\d+ nats"):
        fitted.entropy("x")
    fitted.fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.entropy("x")


def test_an_outlier_is_warned_of_and_is_no_lower_bound() -> None:
    x, y = normals(1000)
    x[3], y[3] = 700, 200
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fitted = MINDE(**SMALL | {"replicates": 5}).fit(x, y)
    with pytest.warns(
        UserWarning, match=r"standard error is [\d.]+ nats, and one test row makes up 99% of the variance"
    ):
        fitted.mutual_information()


def test_values_that_standardizing_would_hide_are_warned_of(recwarn) -> None:
    x, y = normals(1000)
    x[::20] = -9999
    MINDE(replicates=1, **SMALL | {"preprocess": "gaussianize"}).fit(x, y)
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"x: column 'dose' has an interquartile range of .* preprocess=.gaussianize"):
        MINDE(replicates=1, **SMALL).fit(pd.DataFrame(x, columns=["dose"]), y)
    with pytest.warns(UserWarning, match="y: column 0 has an interquartile range of"):
        MINDE(replicates=1, **SMALL).fit(y, x)


@pytest.mark.parametrize(("variant", "of"), [("c", "x"), ("j", "x"), ("j", "xy")])
def test_the_entropy_of_collinear_columns_is_warned_of(variant, of) -> None:
    x, noise = np.random.default_rng(0).normal(size=(2, 1000, 2))
    x = np.hstack([x, 1000 + x[:, :1] - 3 * x[:, 1:]])
    fitted = MINDE(variant, replicates=1, **SMALL).fit(x, x[:, :2] + noise)
    with pytest.warns(UserWarning, match=f"the entropy of {of} is minus infinity"):
        fitted.entropy(of)


def test_the_entropy_of_columns_that_the_other_variable_decides_is_warned_of(fitted, recwarn) -> None:
    fitted.conditional_entropy("x")
    assert not recwarn.list
    x, _ = normals(1000)
    with pytest.warns(UserWarning, match=r"the entropy of x\|y is minus infinity: .* is constant given the other"):
        MINDE(replicates=1, **SMALL).fit(x, 2 * x + 1).conditional_entropy("x")


def test_more_than_the_entropy_of_a_discrete_variable_is_warned_of() -> None:
    """A Gaussian with the moments of the clusters gives more information than their number has."""
    generator = np.random.default_rng(0)
    codes = np.eye(8)[generator.integers(8, size=1000)]
    x = codes + 0.2 * generator.normal(size=codes.shape)
    with pytest.warns(UserWarning, match=r"y has 8 different rows with an entropy of 2\.0\d nats"):
        MINDE(base="gaussian", replicates=1, **SMALL).fit(x, codes)


def test_rows_that_hardly_repeat_bound_nothing(recwarn) -> None:
    """Twelve independent bits have 8.3 nats, but 200 test rows show only 5.3; continuous columns have no bound."""
    generator = np.random.default_rng(0)
    bits = generator.integers(2, size=(1000, 12))
    x = generator.normal(size=(250, 3))
    MINDE(replicates=2, **SMALL).fit(bits + 0.2 * generator.normal(size=bits.shape), bits)
    MINDE(replicates=2, **SMALL).fit(x, x + 0.1 * generator.normal(size=x.shape))
    assert not [warning for warning in recwarn if "never exceeds" in str(warning.message)]


@pytest.mark.parametrize("variant", ["c", "j"])
def test_a_mixture_knows_clusters_from_the_start(variant, tmp_path) -> None:
    """Four distant clusters, in two pairs by y: log(2) nats; a single Gaussian gives several nats."""
    generator = np.random.default_rng(0)
    centres = np.array([[4.0, 4.0], [4.0, -4.0], [-4.0, 4.0], [-4.0, -4.0]])
    codes = generator.integers(4, size=2000)
    x, noise = centres[codes] + generator.normal(size=(2000, 2)), generator.normal(size=(2000, 1))
    settings = SMALL | {"mc_draws": 10, "learning_rate": 1e-4}
    fitted = MINDE(variant, replicates=2, **settings).fit(x, centres[codes, :1] + noise)
    assert fitted.mutual_information(formula="gap") == pytest.approx(np.log(2), abs=0.1)
    fitted.save(tmp_path / "fitted")
    assert MINDE.load(tmp_path / "fitted").by_formula() == fitted.by_formula()


# Practically untrained: only the Gaussian of the samples, which is the right model.
UNTRAINED = SMALL | {"steps": 1, "learning_rate": 1e-12}


def holds_the_truth(formula: str, rows: int, seed: int, fit) -> bool:
    """Return whether the interval for five pairs of normals contains the truth."""
    x, noise = np.random.default_rng(seed).normal(size=(2, rows, 5))
    fitted = fit(x, RHO * x + np.sqrt(1 - RHO**2) * noise)
    low, high = fitted.mutual_information(formula=formula).interval()
    return low < 5 * MUTUAL_INFORMATION < high


@pytest.mark.parametrize("formula", ["inside", "gap"])
def test_the_interval_holds_the_truth_as_often_as_it_says(formula) -> None:
    fit = MINDE(replicates=5, **UNTRAINED).fit
    held = sum(holds_the_truth(formula, 1000, seed, fit) for seed in range(40))
    assert held >= 36  # 38 are expected; fewer than 36, once in 20


@pytest.mark.parametrize("formula", ["inside", "sigma"])
def test_the_interval_knows_that_few_rows_were_trained_on(formula) -> None:
    """Many separate test rows do not show how much the networks could learn from few training rows."""

    def fit(x, y) -> MINDE:
        return MINDE(replicates=2, **UNTRAINED).fit(x[:400], y[:400], x_test=x[400:], y_test=y[400:])

    held = sum(holds_the_truth(formula, 6000, seed, fit) for seed in range(20))
    assert held >= 17  # 19 are expected; fewer than 17, once in 60


def test_the_interval_of_an_entropy_knows_that_few_rows_were_trained_on() -> None:
    """Of two correlated columns whose map from independent ones keeps volumes, and so the entropy."""
    truth, held = np.log(2 * np.pi * np.e), 0
    for seed in range(20):
        x, y = np.random.default_rng(seed).normal(size=(2, 6000, 2))
        x[:, 1] += 2 * x[:, 0]
        fitted = MINDE(replicates=2, **UNTRAINED).fit(x[:400], y[:400], x_test=x[400:], y_test=y[400:])
        low, high = fitted.entropy("x").interval()
        held += low < truth < high
    assert held >= 17


def test_formulas_that_agree_are_not(recwarn) -> None:
    MINDE(replicates=2, **SMALL).fit(*normals(1000))
    assert not recwarn.list


def test_all_formulas_at_once_are_the_formulas_one_by_one(fitted) -> None:
    found = fitted.by_formula(sigma=2.0)
    assert set(found) == {"inside", "sigma", "gap"}
    assert found["sigma"] == fitted.mutual_information(sigma=2.0)
    assert found["gap"] == fitted.mutual_information(formula="gap")
    assert found["inside"] == fitted.mutual_information(formula="inside")
    assert found[{"c": "inside", "j": "gap"}[fitted.variant]] == fitted.mutual_information()


def test_entropies_are_in_the_units_of_the_samples(fitted) -> None:
    known = {"c": ["x"], "j": ["x", "y", "xy"]}[fitted.variant]
    for name in known:
        found = fitted.entropy(name)
        assert abs(found - ENTROPIES[name]) < 4 * found.std_error
        assert found.std_error < 0.05
    for name in {"c": ["x"], "j": ["x", "y"]}[fitted.variant]:
        found = fitted.conditional_entropy(name)
        assert abs(found - (ENTROPIES[name] - MUTUAL_INFORMATION)) < 4 * found.std_error


def test_the_width_of_the_reference_decides_no_entropy() -> None:
    """The wider it is, the more of it remains at the end of the diffusion."""
    fitted = MINDE(replicates=1, **SMALL | {"mc_draws": 40}).fit(*normals())
    near, far = (fitted.entropy("x", sigma=sigma) for sigma in (1.0, 300.0))
    assert abs(far - near) < 0.2


def test_an_entropy_that_a_variant_does_not_learn_is_refused() -> None:
    fitted = MINDE(replicates=1, **SMALL).fit(*normals())
    with pytest.raises(ValueError, match=r"'xy' is not among those that variant c learns: x, x\|y"):
        fitted.entropy("xy")
    with pytest.raises(ValueError, match="of is 'xy'; expected x or y"):
        fitted.conditional_entropy("xy")
    gaussianized = MINDE(replicates=1, **SMALL | {"preprocess": "gaussianize"}).fit(*normals())
    assert gaussianized.mutual_information() == pytest.approx(MUTUAL_INFORMATION, abs=0.2)
    with pytest.raises(ValueError, match="gaussianize"):
        gaussianized.entropy("x")


def test_the_curve_has_a_row_per_point_and_a_column_per_replicate(fitted) -> None:
    curve = fitted.curve_
    assert set(curve) == {"step", "seconds", "loss", "inside", "sigma", "gap"}
    assert curve["step"].tolist() == [32, 64]
    assert curve["inside"].shape == curve["loss"].shape == (2, 3)


@pytest.mark.parametrize("kind", ["list", "torch", "pandas", "one dimension", "float32"])
def test_every_kind_of_array_gives_the_same_estimate(kind) -> None:
    x, y = (values.astype(np.float32).astype(np.float64) for values in normals(400))
    convert = {
        "list": np.ndarray.tolist,
        "torch": torch.tensor,
        "pandas": lambda values: pd.DataFrame(values, columns=["a"]),
        "one dimension": np.ravel,
        "float32": np.float32,
    }[kind]
    expected, found = (
        MINDE(replicates=1, **SMALL).fit(*pair).mutual_information() for pair in ((x, y), (convert(x), convert(y)))
    )
    assert found == expected


def test_a_replicate_does_not_depend_on_how_many_there_are() -> None:
    two, three = (MINDE(replicates=count, **SMALL).fit(*normals(400)).mutual_information() for count in (2, 3))
    assert two.replicates == three.replicates[:2]


def test_the_samples_seed_decides_and_other_seeds_differ() -> None:
    def found(seed):
        return MINDE(replicates=1, **SMALL | {"random_state": seed}).fit(*normals(400)).mutual_information()

    assert found(1) == found(1)
    assert found(1) == found(np.random.RandomState(1))
    assert found(1) != found(2)
    assert found(np.random.default_rng(1)) == found(np.random.default_rng(1))
    assert found(np.random.default_rng(1)) != found(np.random.default_rng(2))


def test_given_test_samples_are_what_is_estimated_with() -> None:
    """Independent test samples have no mutual information, even if the networks have learned some."""
    x, y = normals(1000)
    shuffled = np.random.default_rng(1).permutation(y)
    fitted = MINDE(replicates=2, **SMALL).fit(x, y, x_test=x, y_test=shuffled)
    assert fitted.mutual_information(formula="gap") < 0
    with pytest.raises(ValueError, match=r"x_test and y_test have \(2, 1\) columns; expected \(1, 1\)"):
        MINDE(**SMALL).fit(x, y, x_test=np.hstack([x, y]), y_test=y)


def test_test_samples_that_were_trained_on_are_warned_of() -> None:
    x, y = normals(400)
    with pytest.warns(UserWarning, match="100 of 100 rows of x_test and y_test are also rows of x and y"):
        MINDE(replicates=1, **SMALL).fit(x, y, x_test=x[:100], y_test=y[:100])


def test_rows_may_come_sorted() -> None:
    """Sorted by class, the first rows show a single cluster, and the first test rows are of one class."""
    generator = np.random.default_rng(0)
    codes = np.repeat(np.arange(4), 1500)
    x = 6 * np.eye(4)[codes] + generator.normal(size=(6000, 4))
    settings = SMALL | {"mc_draws": 10, "learning_rate": 1e-4}
    y = np.eye(4)[codes]
    fitted = MINDE(replicates=1, **settings).fit(x, y, x_test=x[::2] + 1e-6, y_test=y[::2])
    assert fitted.mutual_information(formula="gap") == pytest.approx(np.log(4), abs=0.1)
    assert fitted.curve_["gap"][-1] == pytest.approx(np.log(4), abs=0.2)


def test_the_curve_is_of_the_estimates_that_are_made_whatever_times_were_trained_on() -> None:
    by_importance, evenly = (
        MINDE(replicates=1, importance_sampling=choice, **UNTRAINED).fit(*normals()) for choice in (True, False)
    )
    np.testing.assert_allclose(by_importance.curve_["gap"], evenly.curve_["gap"], rtol=1e-5)


def test_settings_of_training_changed_after_a_fit_are_for_the_next_one(fitted) -> None:
    other = copy.copy(fitted).set_params(replicates=7, variant="c")
    assert other.by_formula() == fitted.by_formula()


def test_settings_of_estimation_can_be_changed_after_a_fit(fitted, tmp_path) -> None:
    other = copy.copy(fitted).set_params(formula="gap", mc_draws=20)
    found = other.mutual_information()
    assert found != fitted.mutual_information(formula="gap")
    assert found.std_error < fitted.mutual_information(formula="gap").std_error
    other.save(tmp_path / "fit")
    assert MINDE.load(tmp_path / "fit").mutual_information() == found
    with pytest.raises(ValueError, match="mc_draws is 0"):
        other.set_params(mc_draws=0).mutual_information()


def test_settings_are_got_set_and_cloned_as_scikit_learn_does(fitted) -> None:
    other = clone(fitted).set_params(steps=7)
    assert other.get_params() == fitted.get_params() | {"steps": 7}
    assert "steps=7" in repr(other)
    with pytest.raises(NotFittedError):
        other.mutual_information()
    with pytest.raises(ValueError, match="Invalid parameter"):
        other.set_params(step=7)


def test_a_fit_that_fails_after_training_leaves_an_earlier_one_as_is(monkeypatch) -> None:
    estimator = MINDE(replicates=1, **SMALL).fit(*normals(1000))
    before, seed, curve = estimator.mutual_information(), estimator.seed_, estimator.curve_

    def fail(*_) -> None:
        raise FloatingPointError

    monkeypatch.setattr(measures, "growth", fail)
    x, y = normals(1000, 2)
    with pytest.raises(FloatingPointError):
        estimator.set_params(random_state=1).fit(np.hstack([x, y]), y)
    assert estimator.mutual_information() == before
    assert (estimator.dim_x_, estimator.seed_) == (1, seed)
    assert estimator.curve_ is curve


@pytest.mark.parametrize("method", ["mutual_information", "by_formula", "entropy", "conditional_entropy"])
def test_an_estimate_before_fit_is_refused(method) -> None:
    with pytest.raises(NotFittedError, match="MINDE instance is not fitted yet"):
        getattr(MINDE(), method)()


def test_a_saved_estimator_comes_back_whole(fitted, tmp_path) -> None:
    path = tmp_path / "normals.safetensors"
    fitted.save(path)
    loaded = MINDE.load(path)
    assert loaded.get_params() == fitted.get_params()
    assert loaded.by_formula() == fitted.by_formula()
    assert loaded.mutual_information().std_error == fitted.mutual_information().std_error
    assert loaded.entropy("x") == fitted.entropy("x")
    for name, values in fitted.curve_.items():
        np.testing.assert_array_equal(loaded.curve_[name], values)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    with safe_open(path, framework="np") as file:
        assert file.get_slice("moments/covariance").get_shape()[1] == 1  # one cluster, one component


def test_a_file_that_holds_no_estimator_is_refused(fitted, tmp_path) -> None:
    with pytest.raises(NotFittedError):
        MINDE().save(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match="is a folder; give the path of a file"):
        fitted.save(tmp_path)
    (tmp_path / "text").write_text("not tensors")
    with pytest.raises(ValueError, match="text is not a readable fitted estimator"):
        MINDE.load(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        MINDE.load(tmp_path / "nothing")
    with pytest.raises(ValueError, match=f"{tmp_path} is a folder; expected a file"):
        MINDE.load(tmp_path)


@pytest.mark.parametrize("metadata", [None, {"minde": "[1, 2]"}, {"minde": '{"format": 3}'}])
def test_a_file_of_other_software_is_refused(metadata, tmp_path) -> None:
    save_file({"weights": torch.ones(3)}, tmp_path / "other", metadata=metadata)
    with pytest.raises(ValueError, match=r"other is not a readable fitted estimator \(it has no header"):
        MINDE.load(tmp_path / "other")


def test_a_file_of_another_format_is_refused(tmp_path) -> None:
    tensors.write(tmp_path / "weights", {"a": np.ones(3)}, {"settings": {}})
    with pytest.raises(ValueError, match=r"weights does not hold a fitted estimator of format 4; MINDE\.save writes"):
        MINDE.load(tmp_path / "weights")


@pytest.mark.parametrize("where", ["header", "parameters"])
def test_a_damaged_file_is_refused(fitted, tmp_path, where) -> None:
    """One bit is flipped; the file can still be read."""
    path = tmp_path / "fit"
    fitted.save(path)
    content = bytearray(path.read_bytes())
    place = content.index(b'\\"n_train\\": 3') + 13 if where == "header" else len(content) - 20
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"fit is not a readable fitted estimator \(its content does not have"):
        MINDE.load(path)


def test_settings_of_other_types_are_saved_as_plain_ones(tmp_path) -> None:
    settings = {"device": torch.device("cpu"), "test_size": Fraction(1, 4), "steps": np.int64(32)}
    fitted = MINDE(replicates=1, **SMALL | settings).fit(*normals(400))
    fitted.save(tmp_path / "fit")
    loaded = MINDE.load(tmp_path / "fit", device=torch.device("cpu"))
    assert (loaded.test_size, loaded.steps) == (0.25, 32)
    assert loaded.by_formula() == fitted.by_formula()
    assert MINDE.load(tmp_path / "fit").device == "cpu"
    with pytest.raises(ValueError, match="device is 'gpu'; expected auto, cpu, cuda or"):
        MINDE.load(tmp_path / "fit", device="gpu")


def test_a_file_of_a_version_with_other_settings_is_refused(fitted, tmp_path, monkeypatch) -> None:
    other = replace(fitted._fitted, settings=fitted._fitted.settings | {"temperature": 1.0})
    monkeypatch.setattr(fitted, "_fitted", other)
    fitted.save(tmp_path / "fit")
    with pytest.raises(ValueError, match=r"fit was saved by another version .* it has the setting 'temperature'"):
        MINDE.load(tmp_path / "fit")


def test_choices_are_those_of_the_signature_and_of_a_study() -> None:
    hints = get_type_hints(MINDE.__init__)
    schema = yaml.safe_load((ROOT / "config/schema.yaml").read_text())["$defs"]
    of_studies = {name: entry["enum"] for name, entry in schema.items() if "enum" in entry}
    of_studies |= {name: entry["enum"] for name, entry in schema["training"]["properties"].items() if "enum" in entry}
    for name, choices in settings.CHOICES.items():
        assert get_args(hints[name]) == choices
        if name not in ("variant", "formula"):  # methods of a study; a study evaluates all formulas
            assert set(of_studies[name]) == set(choices)


def test_every_setting_is_checked() -> None:
    checked = {*settings.CHOICES, *settings.COUNTS, *settings.FLAGS, *settings.RANGES, "device", "hidden"}
    assert checked == MINDE().get_params().keys() - {"random_state"}
