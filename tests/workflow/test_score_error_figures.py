"""Score errors by time are measured on request, per cell, and are then part of the report."""

import pyarrow.parquet as pq
from running import TINY, copy, snakemake

NAME = f"diagnostics/minde-c/{TINY['tasks'][0]}/100"


def test_score_errors_are_not_measured_by_default(study):
    assert "diagnostics" not in snakemake(study, "--configfile", "tiny.yaml", "--summary")


def test_a_requested_cell_is_measured_drawn_and_reported(study, tmp_path):
    folder = copy(study, tmp_path / "minde")
    target = f"results/tiny/{NAME}.png"
    snakemake(folder, "all", target, "--configfile", "tiny.yaml")
    errors = pq.read_table(folder / f"results/tiny/{NAME}.parquet")
    assert set(errors["score"].to_pylist()) == {"marginal", "conditional"}
    assert len(errors) == 2 * TINY["replicates"] * 20
    snakemake(folder, "all", target, "--configfile", "tiny.yaml", "--report", "report.html")
    report = (folder / "report.html").read_text()
    assert "Score errors" in report
    assert "spread_1.png" in report
