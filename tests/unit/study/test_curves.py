"""Training curves have their declared schema."""

from minde.study import curves


def test_a_curve_has_its_declared_schema() -> None:
    row = {
        "replicate": 0,
        "step": 32,
        "loss": 1.0,
        "estimator": "gap",
        "estimate": 0.4,
        "std_error": 0.1,
        "seconds": 2.0,
    }
    assert curves.table([row]).schema.equals(curves.SCHEMA)
