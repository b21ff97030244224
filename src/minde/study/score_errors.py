"""The error of learned scores by time, minus a Gaussian's: a table in Parquet."""

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("score", pa.string(), nullable=False),
        pa.field("replicate", pa.int64(), nullable=False),
        pa.field("time", pa.float64(), nullable=False, metadata={"unit": "time, of 1"}),
        # Squared error of the predicted noise per coordinate, minus that of a Gaussian with the samples' moments.
        pa.field("excess", pa.float64(), nullable=False, metadata={"unit": "1"}),
    ]
)


def table(rows: list[dict]) -> pa.Table:
    """Return rows as a table of the declared schema."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)
