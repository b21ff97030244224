"""Confidence intervals of means over replicates.

Replicates that are splits of one file share its rows: an interval then covers splits and trainings, not the choice of
the rows, and is narrower than one of fresh samples.
"""

import pandas as pd


def half_interval(count: pd.Series, std: pd.Series) -> pd.Series:
    """Return the half-width of the 95 % interval (Student's t) of a mean; NaN below two values.

    The mean is that of `count` values with this `std`.
    """
    from scipy.stats import t

    return t.ppf(0.975, (count - 1).where(count > 1)) * std / count**0.5
