"""Which columns, estimates and entropies are doubted, and which are not."""

import numpy as np
import pytest

from minde import doubts


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


ROWS = 10_000
Z = normal(0, ROWS)
WIDE = {
    "normal": Z,
    "student, three degrees of freedom": Z / np.sqrt((normal(1, ROWS, 3) ** 2).mean(axis=1)),
    "student, two degrees of freedom": Z / np.sqrt((normal(1, ROWS, 2) ** 2).mean(axis=1)),
    "lognormal": np.exp(Z),
    "lognormal of sigma 1.4": np.exp(1.4 * Z),
    "cube": Z**3,
    "a far cluster": np.where(np.arange(ROWS) % 50, Z, Z + 100),
    "mostly zero": np.where(Z > 1, Z, 0),
    "a rare class": np.arange(ROWS) % 100 == 0,
    "two classes, one far away": np.where(np.arange(ROWS) % 50, 0, -9999),
    "integers": np.random.default_rng(0).poisson(1000, ROWS),
    "few integers": np.random.default_rng(0).poisson(5, ROWS),
    "two groups": np.where(np.arange(ROWS) % 2, Z, Z + 20),
}
NARROW = {
    "Cauchy": Z / normal(1, ROWS),
    "lognormal of sigma 1.9": np.exp(1.9 * Z),
    "lognormal of sigma 3": np.exp(3 * Z),
    "a code for missing values": np.where(np.arange(ROWS) % 20, Z, -9999),
    "mostly missing": np.where(np.arange(ROWS) % 3, -9999, Z),
    "an outlier": np.where(np.arange(ROWS) == 7, 1e6, Z),
}


GROUPS = {
    "two": np.where(np.arange(ROWS) % 2, Z, Z + 1000),
    "ten": Z + 1000 * (np.arange(ROWS) % 10),
    "one of them a code": np.where(np.arange(ROWS) % 3, Z + 1000 * (np.arange(ROWS) % 2), -9999),
}
CODED = {
    "codes": np.where(np.arange(ROWS) % 20, np.arange(ROWS) % 7, -9999),
    "counts": np.where(np.arange(ROWS) % 100, np.random.default_rng(0).poisson(5, ROWS), -9999),
    "two values beside it": np.where(np.arange(ROWS) % 3, np.arange(ROWS) % 2, 500),
}


@pytest.mark.parametrize("kind", WIDE)
def test_a_column_that_the_diffusion_resolves_is_not_doubted(kind) -> None:
    assert doubts.of_narrow_bulk("x", 0, WIDE[kind]) is None


@pytest.mark.parametrize("kind", NARROW)
def test_a_column_whose_spread_comes_from_few_values_is_doubted(kind) -> None:
    for scale in (1, 1e-6, 1e6):
        found = doubts.of_narrow_bulk("y", "'dose'", scale * NARROW[kind])
        assert found.startswith("y: column 'dose' has an interquartile range of ")


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize("rows", [300, ROWS])
def test_a_column_of_narrow_groups_is_doubted(kind, rows) -> None:
    assert doubts.of_narrow_bulk("x", 0, GROUPS[kind][:rows]).startswith("x: column 0 has its values in groups, ")


@pytest.mark.parametrize("kind", CODED)
def test_a_column_of_few_values_with_one_far_away_is_doubted(kind) -> None:
    found = doubts.of_narrow_bulk("y", 1, CODED[kind])
    assert "without its value" in found
    assert "remove those rows" in found


def test_few_rows_are_doubted_by_the_standard_error_or_by_their_share() -> None:
    assert doubts.of_few_rows(1.0, 0.4, 0.4) is None
    assert doubts.of_few_rows(0.0, 0.01, 0.9) is None  # of independent variables, where hardly anything varies
    assert doubts.of_few_rows(40.0, 2.5, 0.1) is None
    assert "is 2.5 nats: a few rows" in doubts.of_few_rows(5.0, 2.5, 0.1)
    assert "one test row makes up 60% of the variance" in doubts.of_few_rows(1.0, 0.5, 0.6)


def shared(r: float, dim: int = 5, rows: int = 1000) -> list[str]:
    """Warnings for x and y that share one direction with correlation r, and a plausible estimate."""
    x, y = normal(0, rows, dim), normal(1, rows, dim)
    y[:, 0] = r * (x[:, 0] + x[:, 1]) / np.sqrt(2) + np.sqrt(1 - r**2) * y[:, 0]
    return list(doubts.of_bounds([3.0], [0.1], 0.0, x @ normal(2, dim, dim), y))


def test_columns_that_share_more_than_is_resolved_are_doubted() -> None:
    assert "a linear combination of x's columns, or of their ranks, and one of y's share 8.0 nats" in shared(1)[0]
    assert "share 4." in shared(0.9999)[0]
    assert not shared(0.99)


def test_a_monotone_function_of_a_column_is_doubted_too() -> None:
    x, y = normal(0, 1000, 2), normal(1, 1000, 2)
    y[:, 0] = x[:, 0] ** 3
    assert "a linear combination of x's columns, or of their ranks" in next(doubts.of_bounds([3.0], [0.1], 0.0, x, y))


def test_few_rows_and_classes_say_nothing_of_what_is_shared() -> None:
    """In few rows, correlations are large by chance; distant classes share no more than their entropy."""
    assert not shared(0.5, dim=60, rows=120)
    codes = np.eye(4)[np.arange(1000) % 4]
    assert not list(doubts.of_bounds([1.3], [0.1], 0.0, codes + 1e-3 * normal(0, 1000, 4), codes))


@pytest.mark.parametrize(("classes", "rows"), [(8, 200), (200, 1000)])
def test_all_the_information_of_a_discrete_variable_is_possible_and_more_is_not(classes, rows) -> None:
    """Test rows show less entropy than there is: 5.2 of 5.3 nats for 1,000 rows of 200 classes."""
    codes = np.eye(classes)[np.random.default_rng(0).integers(classes, size=rows)]
    x = normal(1, rows, 10)
    assert not list(doubts.of_bounds([np.log(classes)], [0.02], 0.0, x, codes))
    (doubt,) = doubts.of_bounds([np.log(classes) + 0.2], [0.02], 0.0, x, codes)
    assert f"y has {len(np.unique(codes, axis=0))} different rows with an entropy of" in doubt


def test_information_that_grows_at_the_finest_noise_is_doubted() -> None:
    """Unless a few rows decide the estimate, which is then no lower bound."""
    x, y = Z[:500, None], Z[500:1000, None]
    assert "would grow by 0.2 nats" in next(doubts.of_bounds([1.0], [0.1], 0.2, x, y))
    assert not list(doubts.of_bounds([1.0], [0.1], 0.05, x, y))
    assert not list(doubts.of_bounds([29.0], [129.0], 0.2, x, y))
    many = normal(0, 500, 40), normal(1, 500, 40)
    assert not list(doubts.of_bounds([1.0], [0.1], 0.2, *many))  # errors of networks add up


def test_less_than_neighbours_find_is_doubted() -> None:
    """A fast oscillation, 0.86 nats, which networks learn late; in any units."""
    y = np.random.default_rng(0).uniform(-1, 1, size=(4000, 1))
    x = np.sin(16 * np.pi * y) + 0.3 * normal(1, 4000, 1)
    assert "find 0.61 nats in these rows, and the estimate is 0.01" in doubts.of_neighbors([0.01], [0.01], x, 1e6 * y)
    assert doubts.of_neighbors([0.01], [0.2], x, y) is None
    assert doubts.of_neighbors([0.5], [0.01], x, y) is None


def test_rows_of_p_far_outside_the_range_of_q_are_doubted() -> None:
    inside = np.linspace(0, 1, 1000)
    assert doubts.of_outside("p: column 0", 1.2 * inside, inside) is None
    assert "p: column 0: 38% of p's rows are far outside the range of q's, 0 to 1" in doubts.of_outside(
        "p: column 0", 2 * inside, inside
    )


@pytest.mark.parametrize(("difference", "is_thin"), [(0.1, False), (0.01, True), (1e-3, True), (0.0, False)])
def test_nearly_collinear_columns_are_doubted(difference, is_thin) -> None:
    """Not those that are exactly collinear, whose mutual information is found."""
    x, noise = normal(0, 1000, 2), normal(1, 1000, 1)
    rows = np.hstack([x, 5 * (x[:, :1] - x[:, 1:] + difference * noise)]).astype(np.float32)
    doubt = doubts.of_thin_direction("y", rows)
    assert (doubt is not None) == is_thin
    if is_thin:
        assert "y: a linear combination of its columns has a standard deviation of 0.00" in doubt


def test_few_rows_and_classes_are_not_nearly_collinear() -> None:
    codes = np.eye(4)[np.arange(1000) % 4]
    assert doubts.of_thin_direction("x", codes + 0.0) is None
    assert doubts.of_thin_direction("x", normal(0, 150, 140)) is None


def test_collinear_columns_have_no_entropy() -> None:
    x, y = normal(0, 500, 3), normal(1, 500, 2)
    collinear = np.hstack([x, x[:, :1] - 2 * x[:, 1:2]]).astype(np.float32)
    assert doubts.of_singular("x", 0.01, x) is None
    assert "the entropy of x is minus infinity" in doubts.of_singular("x", 0.0, collinear)
    assert doubts.of_singular("x", 0.0, np.hstack([x, x[:, :1] + 0.1 * y[:, :1]])) is None
    assert "the entropy of x is too high" in doubts.of_singular("x", 0.0, np.hstack([x, x[:, :1] + 1e-3 * y[:, :1]]))
    assert doubts.of_singular("x|y", 0.0, x, y) is None
    assert "given the other variable" in doubts.of_singular(
        "x|y", 0.0, x[:, :1] + 5, np.hstack([y, y[:, :1] - x[:, :1]])
    )
    assert "would fall by 0.5 nats" in doubts.of_singular("x", 0.5, x)
    assert doubts.of_singular("x", 0.0, normal(0, 5, 10)) is None  # in so few rows, any columns are


def test_more_columns_than_rows_can_tell_of_are_doubted() -> None:
    assert doubts.of_many_columns(1000, 100) is None
    assert "300 columns together, and there are 256 rows" in doubts.of_many_columns(256, 300)


def test_repeated_rows_are_doubted_beyond_a_few() -> None:
    rows = np.random.default_rng(0).normal(size=(500, 2))
    assert doubts.of_repeated_rows("x and y", rows) is None
    assert doubts.of_repeated_rows("x and y", np.concatenate([rows, rows[:3]])) is None
    assert "500 of 1000 rows repeat another row" in doubts.of_repeated_rows("x and y", np.concatenate([rows, rows]))
