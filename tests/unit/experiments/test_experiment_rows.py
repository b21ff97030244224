"""Rows of experiments: their file, the step that writes it, and their figures."""

import math

import pandas as pd
import pytest
import torch

from minde.experiments.rows import Row
from minde.steps.experiment import experiment
from minde.study import experiment_rows, results
from minde.study.figures import experiments as experiment_figures
from minde.study.figures.experiments import dependence
from minde.study.figures.experiments.series import over_replicates

ROWS = [
    Row("1", "truth", 0, "information", 0.14, x=0.5),
    *(Row("1", "mine", replicate, "information", value, x=0.5) for replicate, value in enumerate((0.1, 0.2, 0.3))),
    Row("1", "ksg", 0, "information", None, x=0.5),
]


def as_dicts(rows):
    return [row._asdict() for row in rows]


def test_rows_come_back_with_their_units(tmp_path):
    path = tmp_path / "rows.parquet"
    experiment_rows.write(path, as_dicts([*ROWS, Row("1", "truth", 0, "information", math.inf)]), {"settings": {}})
    assert experiment_rows.read(path).to_pylist()[:-1] == as_dicts(ROWS)
    assert results.read_provenance(path)["units"] == {"information": "nats"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": math.nan}, "NaN in"),
        ({"quantity": "speed"}, "unknown quantity 'speed'; add it to UNITS"),
        ({"unit": "nats"}, r"missing or unknown: \['unit'\]"),
    ],
)
def test_rows_are_checked(change, message):
    with pytest.raises(ValueError, match=message):
        experiment_rows.table([ROWS[0]._asdict() | change])


def test_another_file_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"is not a readable file of an experiment's rows \(found columns a int64"):
        experiment_rows.read(tmp_path / "other.parquet")


def test_the_interval_is_students_and_leaves_out_what_is_missing():
    summary = over_replicates(pd.DataFrame(as_dicts(ROWS))).set_index("series")
    assert summary.loc["mine", "mean"] == pytest.approx(0.2)
    assert summary.loc["mine", "half"] == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-6)  # t of 2 degrees of freedom
    assert summary.loc["truth", "mean"] == 0.14
    assert math.isnan(summary.loc["truth", "half"])
    assert math.isnan(summary.loc["ksg", "mean"])


def test_the_step_writes_the_rows_of_an_experiment(tmp_path):
    mine = {"hidden": 8, "layers": 1, "batch_size": 50, "learning_rate": 1e-3, "smoothing": 0.01, "steps": 5}
    settings = {"seed": 0, "replicates": 2, "correlations": [0.0, 0.99], "dims": [1, 2], "samples": 100}
    settings |= {"losses": ["mine", "fdiv"], "mine": mine, "ksg": {"neighbors": 3}}
    experiment("estimation", settings, tmp_path / "a.parquet", torch.device("cpu"))
    experiment("estimation", settings, tmp_path / "b.parquet", torch.device("cpu"))
    found = experiment_rows.read(tmp_path / "a.parquet")
    assert found.equals(experiment_rows.read(tmp_path / "b.parquet"))
    assert found.num_rows == 2 * 2 * (3 * 2 + 1)
    made_by = results.read_provenance(tmp_path / "a.parquet")
    assert made_by["settings"] == settings
    assert {"hardware", "code", "versions"} <= made_by.keys()


def test_an_unknown_experiment_is_named(tmp_path):
    with pytest.raises(ValueError, match="unknown experiment 'estimate'; known: estimation, dependence"):
        experiment("estimate", {"seed": 0}, tmp_path / "rows.parquet", torch.device("cpu"))


def estimation_rows():
    return [
        Row(panel, series, replicate, "information", value + 0.01 * replicate, x=rho)
        for panel in ("1", "20")
        for rho, value in ((-0.9, 0.8), (0.0, 0.0), (0.9, 0.8))
        for series, replicates in (("truth", 1), ("mine", 3), ("ksg", 1))
        for replicate in range(replicates)
    ]


def dependence_rows():
    return [
        Row(function, series, replicate, "information", value + 0.01 * replicate, x=noise)
        for function in ("linear", "sine")
        for series, replicates, largest in (("truth", 1, math.inf), ("mine", 2, 3.0), ("ksg", 1, None))
        for noise, value in ((0.0, largest), (0.5, 0.4))
        for replicate in range(replicates if value is not None else 0)
    ]


@pytest.mark.parametrize(("name", "rows"), [("estimation", estimation_rows()), ("dependence", dependence_rows())])
def test_a_figure_is_drawn_the_same_twice(name, rows, tmp_path):
    shown = pd.DataFrame(as_dicts(rows))
    for folder in ("first", "second"):
        experiment_figures.write_figure(name, shown, [tmp_path / folder / f"{name}.{kind}" for kind in ("png", "pdf")])
    for kind in ("png", "pdf"):
        first, second = (tmp_path / folder / f"{name}.{kind}" for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_heat_maps_say_infinite_and_missing():
    figure = dependence.draw(pd.DataFrame(as_dicts(dependence_rows())))
    words = {ax.get_title(): [text.get_text() for text in ax.texts] for ax in figure.axes}
    assert words["true value"] == ["∞", "0.40", "∞", "0.40"]
    assert words["MINE"][1] == "0.41 ± 0.06"  # t of one degree of freedom
    assert words["KSG"] == ["–", "0.40", "–", "0.40"]
