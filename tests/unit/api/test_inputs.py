"""One clear error per kind of bad input."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from pairs import SMALL, normals
from scipy.sparse import csr_matrix
from sklearn.exceptions import NotFittedError

from minde import MINDE, kl_divergence
from minde.api.inputs import joined, rows_of

X, Y = normals(200)


def with_value(value, row=3):
    changed = X.copy()
    changed[row] = value
    return changed


BAD = {
    "lengths": ((X, Y[:-1]), ValueError, "x has 200 rows and y has 199"),
    "shape": ((X[None], Y), ValueError, r"x has shape \(1, 200, 1\); expected \(rows, dim\)"),
    "no dimension": ((3.0, Y), ValueError, r"x is a float of shape \(\); expected an array"),
    "no columns": ((X[:, :0], Y), ValueError, r"x has shape \(200, 0\)"),
    "sparse": ((csr_matrix(X), Y), ValueError, "x is a csr_matrix of shape"),
    "ragged": (([[1.0], [1.0, 2.0]], Y), ValueError, "x cannot be read as an array: .*inhomogeneous"),
    "transposed": ((X.T, Y.T), ValueError, "x has a single row of 200 values; .* transpose it"),
    "masked": ((np.ma.masked_array(X, mask=X > 0), Y), ValueError, "x: .* of 200 values are NaN"),
    "None": ((X, None), ValueError, "y is a NoneType of shape"),
    "NaN": (
        (with_value(np.nan), Y),
        ValueError,
        "x: 1 of 200 values are NaN.* first in row 3, column 0",
    ),
    "infinity": ((X, with_value(np.inf)), ValueError, "y: 1 of 200 values are NaN or infinite"),
    "missing": ((pd.DataFrame({"a": pd.array([1.5, None] * 100)}), Y), ValueError, "100 of 200.*row 1, column 'a'"),
    "constant": ((np.hstack([X, np.ones_like(X)]), Y), ValueError, "x: column 1 is constant"),
    "constant in pandas": ((pd.DataFrame({"a": np.ones(200)}), Y), ValueError, "x: column 'a' is constant"),
    "codes": (
        (np.array(["1.5", "?"] * 100)[:, None], Y),
        TypeError,
        r"x holds '\?' of type str in row 1, column 0; .*replace codes of missing values",
    ),
    "text": ((np.full((200, 1), "a"), Y), TypeError, "x holds 'a' of type str in row 0, column 0; .*get_dummies"),
    "text beside numbers": (
        ([[1.0, "a"]] * 200, Y),
        TypeError,
        "x holds 'a' of type str in row 0, column 1; ",
    ),
    "objects": ((pd.DataFrame({"a": ["b"] * 200}).astype(object), Y), TypeError, "x holds 'b' of type str"),
    "a text column": (
        (X, pd.DataFrame({"a": X[:, 0], "group": ["u"] * 200})),
        TypeError,
        r"y holds 'u' of type str in row \d+, column 'group'; expected real numbers; encode .*pandas\.get_dummies",
    ),
    "complex": ((X + 1j, Y), TypeError, "complex128; expected real numbers"),
    "times": ((pd.date_range("2026-01-01", periods=200), Y), TypeError, "datetime64.*expected real numbers; convert"),
    "nanoseconds": ((2**62 + np.arange(200), Y), ValueError, r"x holds integers beyond 2\^53, .*; subtract a constant"),
    "huge integers": (([[10**400]] * 200, Y), ValueError, "x holds an integer that is too large"),
    "sparse tensor": ((torch.tensor(X).to_sparse(), Y[:-1]), ValueError, "x has 200 rows and y has 199"),
    "gradients": (([torch.ones(2, requires_grad=True)] * 200, Y), TypeError, "x cannot be read .*requires_grad|detach"),
    "too large": ((X, Y * 1e200), ValueError, "y: column 0 .* torch.float64 cannot hold its variance; use other units"),
    "too small": ((X * 1e-200, Y), ValueError, "x: column 0 goes from .*e-199 to .*; use other units"),
    "both transposed": (
        (np.hstack([X, Y]).T, np.hstack([Y, X]).T),
        ValueError,
        r"x has 2 rows, .* more columns \(200\) than rows: transpose it",
    ),
    "other order": (
        (pd.Series(X[:, 0]), pd.Series(Y[:, 0]).iloc[::-1]),
        ValueError,
        r"x and y have the same index in another order, .*; expected y\.loc\[x\.index\]",
    ),
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
    "threads": 0,
    "importance_sampling": "no",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_out_of_range_is_named(name) -> None:
    with pytest.raises(ValueError, match=f"{name} is {SETTINGS[name]!r}; expected"):
        MINDE(**{name: SETTINGS[name]}).fit(X, Y)


@pytest.mark.parametrize(("name", "value"), [("learning_rate", "0.1"), ("learning_rate", None), ("steps", True)])
def test_a_setting_of_another_type_is_named(name, value) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value!r}; expected"):
        MINDE(**{name: value}).fit(X, Y)


def test_a_random_state_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match="random_state is 'today'; expected an integer"):
        MINDE(**SMALL | {"random_state": "today"}).fit(X, Y)


def test_verbosity_has_levels(monkeypatch) -> None:
    """As in scikit-learn; without a standard error, as in programs without a console, nothing is written."""
    monkeypatch.setattr("sys.stderr", None)
    for verbose in (0, 2, False, True):
        MINDE(replicates=1, verbose=verbose, **SMALL).fit(X, Y)


def table_of(rows: int, index) -> pd.Series:
    return pd.Series(X[:rows, 0], index=index)


PAIRED = {
    "equal": (np.arange(100), np.arange(100)),
    "equal, not unique": (np.arange(100) % 7, np.arange(100) % 7),
    "no label in common": (np.arange(100), np.arange(100) + 1000),
    "levels": (pd.MultiIndex.from_product([range(10), range(10)]), np.arange(100)),
    "dates": (pd.date_range("2026-01-01", periods=100), np.arange(100)),
    "dates and levels": (
        pd.date_range("2026-01-01", periods=100),
        pd.MultiIndex.from_product([range(10), range(10)]),
    ),
    "text": (pd.Index([f"2026-01-{i}" for i in range(100)]), pd.date_range("2026-01-01", periods=100)),
}


@pytest.mark.parametrize("kind", PAIRED)
def test_rows_that_may_be_paired_are_taken_without_a_warning(kind, recwarn) -> None:
    joined(*(table_of(100, index) for index in PAIRED[kind]))
    assert not recwarn.list


SHIFTED = {
    "cleaned apart": (np.delete(np.arange(101), 40), np.delete(np.arange(101), 60), 19),
    "lagged": (np.arange(1, 101), np.arange(100), 99),
    "not unique": (np.arange(100) // 2, np.arange(100)[::-1] // 2, 100),
    "levels": (
        pd.MultiIndex.from_product([range(10), range(10)]),
        pd.MultiIndex.from_product([range(10), range(10)]).insert(3, (7, 77))[:100],
        96,
    ),
}


@pytest.mark.parametrize("kind", SHIFTED)
def test_labels_at_other_rows_are_warned_of(kind) -> None:
    x, y, count = SHIFTED[kind]
    with pytest.warns(UserWarning, match=f"^{count} index labels are at different rows in x and y; rows are"):
        joined(table_of(100, x), table_of(100, y))


def test_a_table_of_arrow_has_the_names_of_its_columns() -> None:
    table = pa.table({"a": X[:, 0], "b": np.ones(200)})
    with pytest.raises(ValueError, match="x: column 'b' is constant"):
        rows_of("x", table)


def test_a_share_that_holds_out_too_few_rows_is_refused() -> None:
    for fit in (MINDE(**SMALL, test_size=1e-3).fit, lambda x, y: kl_divergence(x, y, **SMALL, test_size=1e-3)):
        with pytest.raises(ValueError, match=r"200 rows, of which 0 are held out; .* and 2 to estimate with"):
            fit(X, Y)
    with pytest.raises(ValueError, match="batch_size is 2; expected at least 3: variant c deals a batch to 2 scores"):
        MINDE(**SMALL | {"batch_size": 2}).fit(X, Y)


def test_a_fit_that_fails_leaves_an_estimator_that_is_not_fitted() -> None:
    estimator = MINDE(preprocess="none", base="none", **SMALL)
    with pytest.raises(FloatingPointError, match="nan"):
        estimator.fit(X * 1e150, Y)
    with pytest.raises(NotFittedError):
        estimator.mutual_information()


def test_a_reference_that_has_no_width_is_refused() -> None:
    fitted = MINDE(replicates=1, **SMALL).fit(X, Y)
    with pytest.raises(ValueError, match=r"sigma is -1\.0"):
        fitted.mutual_information(sigma=-1.0)
    with pytest.raises(ValueError, match="sigma is 0; expected a positive number"):
        fitted.entropy("x", sigma=0)
    with pytest.raises(ValueError, match=r"sigma is 1e-09; expected at least 0\.1"):
        fitted.entropy("x", sigma=1e-9)
    with pytest.raises(ValueError, match=r"sigma is 'gap'; expected a positive number.*did you mean formula='gap'"):
        fitted.mutual_information("gap")
    with pytest.raises(ValueError, match=r"sigma is \(1\.0, 2\.0\); expected a positive number"):
        fitted.by_formula((1.0, 2.0))
    with pytest.raises(ValueError, match="'gap' has no sigma"):
        fitted.mutual_information(sigma=1.0, formula="gap")
    with pytest.raises(ValueError, match="'outside'"):
        fitted.mutual_information(formula="outside")
    with pytest.raises(ValueError, match="level is 95"):
        fitted.mutual_information().interval(95)


LABELS = np.arange(200) % 3
DISCRETE = {
    "integers": (LABELS, 0),
    "floats": (LABELS * 1.0, 0),
    "bool": (LABELS == 1, 0),
    "torch": (torch.tensor(LABELS), 0),
    "one of two columns": (pd.DataFrame({"a": X[:, 0], "b": LABELS}), "'b'"),
}


@pytest.mark.parametrize("kind", DISCRETE)
def test_few_different_values_are_taken_with_a_warning(kind) -> None:
    values, column = DISCRETE[kind]
    with pytest.warns(UserWarning, match=f"x: column {column} has [23] different values in 200 rows"):
        assert rows_of("x", values).dtype == np.float64


def test_classes_as_y_need_no_density_with_variant_c(recwarn) -> None:
    """x = ±2 + noise: I(X; Y) = log 2 - E log(1 + exp(-4 (2 + z)))."""
    generator, labels = np.random.default_rng(0), np.arange(4000) % 2
    x = labels * 4 + generator.normal(size=4000)
    exact = np.log(2) - np.log1p(np.exp(-4 * (2 + generator.normal(size=100_000)))).mean()
    found = MINDE(replicates=1, **SMALL | {"mc_draws": 50}).fit(x, labels).mutual_information(formula="gap")
    assert not recwarn.list
    assert abs(found - exact) < 0.05
    with pytest.warns(UserWarning, match="y: column 0 has 2 different values"):
        MINDE("j", replicates=1, **SMALL).fit(x, labels)


NUMBERS = {
    "list": X.tolist(),
    "torch": torch.tensor(X),
    "bfloat16": torch.tensor(X).bfloat16().cumsum(0),
    "pandas": pd.DataFrame({"a": X[:, 0]}),
    "integers": np.arange(200),
    "decimals": np.array([[Decimal(str(value))] for value in X[:, 0]]),
    "no mask": np.ma.masked_array(X, mask=np.zeros_like(X)),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_are_taken_without_a_warning(kind, recwarn) -> None:
    assert rows_of("x", NUMBERS[kind]).shape == (200, 1)
    assert not recwarn.list


def test_a_column_that_is_constant_where_a_replicate_trains_is_named() -> None:
    nearly = np.ones((200, 2))
    nearly[:, 0], nearly[7, 1] = X[:, 0], 2.0
    with pytest.raises(ValueError, match=r"y: column 1 is constant in the 160 rows that replicate \d trains on"):
        MINDE(replicates=5, **SMALL).fit(X, nearly)
    table = pd.DataFrame(nearly, columns=["a", "rare"])
    with pytest.raises(ValueError, match=r"y: column 'rare' is constant .*join rare categories into one"):
        MINDE(replicates=5, **SMALL).fit(X, table)


def test_test_samples_go_together_and_have_the_columns_of_the_others() -> None:
    with pytest.raises(ValueError, match="one of x_test and y_test is None"):
        MINDE(**SMALL).fit(X, Y, x_test=X)
    x = pd.DataFrame({"a": X[:, 0], "b": Y[:, 0]})
    with pytest.raises(ValueError, match=r"x has columns \['a', 'b'\] and x_test has \['b', 'a'\]"):
        MINDE(**SMALL).fit(x, Y, x_test=x[["b", "a"]], y_test=Y)


def test_test_samples_may_be_of_one_class() -> None:
    fitted = MINDE(replicates=1, **SMALL).fit(X, Y > 0, x_test=X[Y > 0], y_test=np.ones((Y > 0).sum()))
    assert fitted.mutual_information() > 0


def test_a_scale_that_no_preprocessing_mends_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="x: column 0 has mean .* Use 'standardize'"):
        MINDE(replicates=1, **SMALL | {"preprocess": "none"}).fit(X + 50, Y)
    with pytest.warns(UserWarning, match="q: column 0 has mean .* Use 'standardize'"):
        kl_divergence(Y, X, replicates=1, **SMALL | {"preprocess": "none"})


def test_a_warning_is_of_the_line_that_fits() -> None:
    for use in (rows_of, lambda name, x: MINDE(**SMALL).fit(x, Y), lambda name, x: kl_divergence(x, Y, **SMALL)):
        with pytest.warns(UserWarning, match="3 different values") as caught:
            use("x", LABELS)
        assert {warning.filename for warning in caught} == {__file__}


def test_a_column_given_twice_is_no_trouble() -> None:
    for pair in ((X, np.hstack([Y, Y])), (np.hstack([X, X]), Y)):
        assert MINDE("j", replicates=1, **SMALL).fit(*pair).mutual_information() > 0


def test_divergences_check_their_samples_too() -> None:
    with pytest.raises(ValueError, match="p has 1 columns and q has 2"):
        kl_divergence(X, np.hstack([X, Y]), **SMALL)
    with pytest.raises(ValueError, match="q: 1 of 200 values are NaN"):
        kl_divergence(X, with_value(np.nan), **SMALL)
    with pytest.raises(ValueError, match="q has 60 rows"):
        kl_divergence(X, X[:60], **SMALL)
    a, b = pd.DataFrame({"a": X[:, 0], "b": Y[:, 0]}), pd.DataFrame({"b": X[:, 0], "a": Y[:, 0]})
    with pytest.raises(ValueError, match=r"p has columns \['a', 'b'\] and q has \['b', 'a'\]"):
        kl_divergence(a, b, **SMALL)
    with pytest.raises(ValueError, match=r"q: column 0 is constant .* has no density; leave it out$"):
        kl_divergence(X, np.ones_like(X), **SMALL)
    with pytest.raises(ValueError, match=r"p and q: column 0 .* cannot hold its variance"):
        kl_divergence(X * 1e200, X, **SMALL)
    with pytest.raises(ValueError, match="a divergence has no variant"):
        kl_divergence(X, Y, variant="j")
    with pytest.raises(ValueError, match="'sigma' does not give a divergence"):
        kl_divergence(X, Y, formula="sigma")
