"""The figures of GANs, bottleneck, stacked digits and binary network, from few rows: panels and labels."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from minde.study import experiment_rows
from minde.study.figures.experiments.bigan import draw as bigan
from minde.study.figures.experiments.binary import draw as binary
from minde.study.figures.experiments.bottleneck import draw as bottleneck
from minde.study.figures.experiments.gans import draw as gans
from minde.study.figures.experiments.stacked import draw as stacked


def rows_of(*rows) -> pd.DataFrame:
    """Rows of (panel, series, quantity, value, x, y), each in two replicates."""
    names = ("panel", "series", "quantity", "value", "x", "y")
    found = [dict(zip(names, row, strict=True)) | {"replicate": replicate} for row in rows for replicate in (0, 1)]
    return experiment_rows.table(found).to_pandas()


def adversarial(panel, plain) -> list[tuple]:
    measures = ("modes", "touched", "high_quality", "information", "reconstruction")
    numbers = [(panel, series, quantity, 1.0, None, None) for series in (plain, "mine") for quantity in measures]
    places = ("samples", "reconstructions") if plain == "bigan" else (panel,)
    points = [(place, series, "point", None, 1.0, -2.0) for place in places for series in ("data", plain, "mine")]
    return numbers + points


def titles(figure: Figure) -> list[str]:
    return [ax.get_title() for ax in figure.axes]


def test_gans_have_a_line_of_panels_for_each_data_set():
    figure = gans(rows_of(*adversarial("gaussians", "gan"), *adversarial("spiral", "gan")))
    shown = []
    for data, modes in (("25 Gaussians", "modes"), ("spiral", "arcs")):
        shown += [data, "GAN", "GAN + MINE", f"{modes} covered, of 25", "share within 3σ"]
    assert titles(figure) == shown
    assert [label.get_text() for label in figure.axes[3].get_xticklabels()] == ["GAN\n1", "+ MINE\n1"]


def test_bigans_have_samples_reconstructions_and_numbers():
    shown = titles(bigan(rows_of(*adversarial("samples", "bigan"))))
    assert shown.count("reconstructions") == 2
    assert "reconstruction error" in shown


def test_stacked_digits_are_shown_in_colour():
    pixels = [
        (str(number), series, channel, 0.5, float(x), float(y))
        for number in range(4)
        for series in ("data", "gan", "mine")
        for channel in ("red", "green", "blue")
        for x in range(3)
        for y in range(3)
    ]
    counts = [
        ("counts", series, quantity, 2.0, None, None)
        for series in ("data", "gan", "mine")
        for quantity in ("modes", "divergence")
    ]
    figure = stacked(rows_of(*counts, *pixels).query("replicate == 0 or panel == 'counts'"))
    sheet = figure.axes[0].images[0].get_array()
    assert sheet.shape == (7, 7, 3)  # 2 × 2 images of 3 × 3, with a white line between them
    assert sheet[3].min() == 1
    assert sheet[0, 0].tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("n", [2, 11])
def test_the_binary_network_s_plane_has_a_path_for_each_layer(n):
    names = [f"layer {i}" for i in range(1, n + 1)]
    layers = [
        (panel, layer, "bits", value + epoch, float(epoch), None)
        for panel, value in (("input", 2.0), ("label", 0.5))
        for layer in names
        for epoch in (0, 1, 10)
    ]
    errors = [("error", "output", "error", 0.5, float(epoch), None) for epoch in (0, 1, 10)]
    figure = binary(rows_of(("plane", "truth", "bits", 0.99, None, None), *layers, *errors))
    plane = figure.axes[0]
    assert [text.get_text() for text in plane.get_legend().get_texts()] == [*names[:-1], f"{names[-1]}, output"]
    assert plane.collections[0].get_offsets()[:, 0].tolist() == pytest.approx([2, 3, 12])


def test_the_bottleneck_s_plane_names_the_betas():
    series = {"error": "error", "mine": "information", "mixture": "information", "label": "information"}
    found = [("plane", name, unit, 1.0, beta, None) for name, unit in series.items() for beta in (0.0, 0.1)]
    figure = bottleneck(rows_of(*found))
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()] == ["β = 0", "β = 0.1"]


def test_axes_hold_estimates_below_zero():
    series = {"error": "error", "mine": "information", "mixture": "information", "label": "information"}
    found = [("plane", name, unit, -0.1, beta, None) for name, unit in series.items() for beta in (0.0, 0.1)]
    _, information, plane = bottleneck(rows_of(*found)).axes
    numbers = [(*row[:3], -0.1 if row[2] == "information" else row[3], *row[4:]) for row in adversarial("s", "bigan")]
    dots = next(ax for ax in bigan(rows_of(*numbers)).axes if ax.get_title().startswith("I(x; code)"))
    for low, high in (information.get_ylim(), plane.get_xlim(), plane.get_ylim(), dots.get_ylim()):
        assert low < -0.1 < high
