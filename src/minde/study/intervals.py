"""Confidence intervals of means over replicates."""

import pandas as pd


def half_interval(count: pd.Series, std: pd.Series) -> pd.Series:
    """Half of the 95 % interval (Student's t) of means of so many values with this spread; NaN for one or none."""
    from scipy.stats import t

    return t.ppf(0.975, (count - 1).where(count > 1)) * std / count**0.5
