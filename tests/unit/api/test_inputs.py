"""One clear error per kind of bad input."""

import numpy as np
import pandas as pd
import pytest
import torch
from pairs import SMALL, normals
from sklearn.exceptions import NotFittedError

from minde import MINDE, kl_divergence
from minde.api.inputs import rows_of

X, Y = normals(200)


def with_value(value, row=3):
    changed = X.copy()
    changed[row] = value
    return changed


BAD = {
    "lengths": ((X, Y[:-1]), ValueError, "x has 200 rows and y has 199"),
    "shape": ((X[None], Y), ValueError, r"x has shape \(1, 200, 1\); expected \(rows, dim\)"),
    "no dimension": ((3.0, Y), ValueError, r"x has shape \(\); expected"),
    "no columns": ((X[:, :0], Y), ValueError, r"x has shape \(200, 0\)"),
    "NaN": (
        (with_value(np.nan), Y),
        ValueError,
        "x: 1 of 200 values are NaN.* first in row 3, column 0",
    ),
    "infinity": ((X, with_value(np.inf)), ValueError, "y: 1 of 200 values are NaN or infinite"),
    "missing": ((pd.DataFrame({"a": pd.array([1.5, None] * 100)}), Y), ValueError, "100 of 200.*row 1, column 'a'"),
    "constant": ((np.hstack([X, np.ones_like(X)]), Y), ValueError, "x: column 1 is constant"),
    "constant in pandas": ((pd.DataFrame({"a": np.ones(200)}), Y), ValueError, "x: column 'a' is constant"),
    "text": ((np.full((200, 1), "a"), Y), TypeError, "x holds values of type <U1; expected real numbers"),
    "objects": ((pd.DataFrame({"a": ["b"] * 200}).astype(object), Y), TypeError, "x holds 'b' of type str"),
    "complex": ((X + 1j, Y), TypeError, "complex128; expected real numbers"),
    "times": ((pd.date_range("2026-01-01", periods=200), Y), TypeError, "datetime64.*expected real numbers"),
    "too few": ((X[:60], Y[:60]), ValueError, r"60 rows, of which 12 are held out; expected 64 to train on"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_samples_are_refused(kind) -> None:
    arrays, error, message = BAD[kind]
    with pytest.raises(error, match=message):
        MINDE(**SMALL).fit(*arrays)


SETTINGS = {
    "variant": "d",
    "preprocess": "whiten",
    "steps": 0,
    "batch_size": 2.5,
    "hidden": 12,
    "learning_rate": 0,
    "weight_decay": -1.0,
    "ema_decay": 1,
    "formula": "outside",
    "replicates": 0,
    "test_size": 1.0,
    "device": "tpu",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_out_of_range_is_named(name) -> None:
    with pytest.raises(ValueError, match=f"{name} is {SETTINGS[name]!r}; expected"):
        MINDE(**{name: SETTINGS[name]}).fit(X, Y)


def test_a_fit_that_fails_leaves_an_estimator_that_is_not_fitted() -> None:
    estimator = MINDE(preprocess="none", precondition="none", **SMALL)
    with pytest.raises(FloatingPointError, match="nan"):
        estimator.fit(X * 1e200, Y)
    with pytest.raises(NotFittedError):
        estimator.mutual_information()


def test_a_reference_that_has_no_width_is_refused() -> None:
    fitted = MINDE(replicates=1, **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match=r"sigma is -1\.0"):
        fitted.mutual_information(sigma=-1.0)
    with pytest.raises(ValueError, match="sigma is 0"):
        fitted.entropy("x", sigma=0)
    with pytest.raises(ValueError, match="'gap' has no sigma"):
        fitted.mutual_information(sigma=1.0, formula="gap")
    with pytest.raises(ValueError, match="'outside'"):
        fitted.mutual_information(formula="outside")
    with pytest.raises(ValueError, match="level is 95"):
        fitted.mutual_information().interval(95)


@pytest.mark.parametrize(
    "integers",
    [np.arange(9), torch.arange(9), pd.Series(range(9)), [True, False, True]],
    ids=["numpy", "torch", "pandas", "bool"],
)
def test_integers_are_taken_with_a_warning(integers) -> None:
    with pytest.warns(UserWarning, match="x holds integers .* mutual information is not defined"):
        assert rows_of("x", integers).dtype == np.float64


def test_floats_are_taken_without_a_warning(recwarn) -> None:
    for values in (X, torch.tensor(X), torch.tensor(X).bfloat16(), pd.DataFrame({"a": X[:, 0]}), X.tolist()):
        assert rows_of("x", values).shape == (200, 1)
    assert not recwarn.list


def test_divergences_check_their_samples_too() -> None:
    with pytest.raises(ValueError, match="p has 1 columns and q has 2"):
        kl_divergence(X, np.hstack([X, Y]), **SMALL)
    with pytest.raises(ValueError, match="q: 1 of 200 values are NaN"):
        kl_divergence(X, with_value(np.nan), **SMALL)
    with pytest.raises(ValueError, match="q has 60 rows"):
        kl_divergence(X, X[:60], **SMALL)
    with pytest.raises(ValueError, match="'sigma' does not give a divergence"):
        kl_divergence(X, Y, formula="sigma")
