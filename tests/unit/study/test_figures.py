"""Figures: their files, what they show, and that they are the same everywhere."""

import re
import subprocess
import sys
import zlib

import matplotlib
import numpy as np
import pandas as pd
import pytest

from minde.study.figures import COLORS, FIGURES, MARKERS, spread, training_size, write_figure
from minde.study.rows import METHOD_LABELS
from minde.study.tasks import TASKS

FOUR = ["1v1-normal-0.75", "half_cube-1v1-normal-0.75", "student-identity-2-2-2", "multinormal-sparse-5-5-2-2.0"]
ROWS = [("minde-j", "sigma=1"), ("minde-j", "inside"), ("minde-c", "gap"), ("ksg", "ksg")]


def estimates(tasks=FOUR, rows=ROWS, sizes=(100, 1000), replicates=3) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "task": task,
            "method": method,
            "estimator": estimator,
            "train_size": size,
            "replicate": replicate,
            "estimate": TASKS[task].mi_true + 0.02 * rng.standard_normal(),
            "mi_true": TASKS[task].mi_true,
            "not_converged": None,
        }
        for task in tasks
        for method, estimator in rows
        for size in ([0] if method == "ksg" else sizes)
        for replicate in range(replicates)
    )


@pytest.mark.parametrize("name", FIGURES)
def test_same_estimates_same_bytes(name, tmp_path):
    frame = estimates()
    for folder in ("a", "b"):
        write_figure(name, frame, [tmp_path / folder / "figure.pdf", tmp_path / folder / "figure.png"])
    for kind in ("pdf", "png"):
        first, second = ((tmp_path / folder / f"figure.{kind}").read_bytes() for folder in ("a", "b"))
        assert first == second
        assert b"CreationDate" not in first


@pytest.mark.parametrize("name", FIGURES)
def test_the_order_and_the_settings_of_the_caller_play_no_part(name, tmp_path):
    frame = estimates()
    write_figure(name, frame, [tmp_path / "a.png"])
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        write_figure(name, frame.sample(frac=1, random_state=1), [tmp_path / "b.png"])
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_fonts_are_embedded_as_truetype(name, tmp_path):
    write_figure(name, estimates(), [tmp_path / "figure.pdf"])
    content = (tmp_path / "figure.pdf").read_bytes()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            content += zlib.decompress(stream)
        except zlib.error:  # not a compressed stream
            continue
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("name", FIGURES)
def test_paper_width(name, tmp_path):
    write_figure(name, estimates(), [tmp_path / "figure.pdf"])
    box = re.search(rb"/MediaBox \[([^]]*)\]", (tmp_path / "figure.pdf").read_bytes())
    assert float(box[1].split()[2]) == pytest.approx(5.5 * 72)


@pytest.mark.filterwarnings("error")  # matplotlib warns where panels do not fit
@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("tasks", [FOUR[:1], FOUR, [*TASKS][:5]], ids=len)
def test_any_number_of_tasks_and_one_replicate(name, tasks, tmp_path):
    write_figure(name, estimates(tasks, replicates=1), [tmp_path / "figure.png"])


def test_spread_shows_every_replicate_and_the_truth():
    figure = spread(estimates())
    assert [ax.get_title() for ax in figure.axes] == [
        "Bivariate Nm 1×1",
        "Hc @ Bivariate Nm 1×1",
        "Mn 5×5 (2-pair)",
        "St 2×2 (dof=2)",
    ]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["MINDE-j (σ=1)", "MINDE-j", "MINDE-c (gap)", "KSG"]
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in points] == [3, 3, 3, 3]
    assert figure.axes[0].lines[-1].get_xdata()[0] == pytest.approx(TASKS[FOUR[0]].mi_true)


def test_spread_points_to_estimates_beyond_the_axis():
    frame = estimates(FOUR[:1])
    frame.loc[frame["method"] == "ksg", "estimate"] = [5.0, -5.0, 0.4]
    heads = {line.get_marker(): len(line.get_xdata()) for line in spread(frame).axes[0].lines[-4:-1]}
    assert heads == {"o": 1, "<": 1, ">": 1}


def test_training_size_shows_means_by_size_and_untrained_methods_as_lines():
    frame = estimates()
    figure = training_size(frame)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["GT (true value)", "MINDE-j (σ=1)", "MINDE-j", "MINDE-c (gap)", "KSG"]
    ax = figure.axes[0]
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1"]
    chosen = frame[(frame["task"] == FOUR[0]) & (frame["estimator"] == "inside")]
    assert list(ax.containers[1][0].get_ydata()) == pytest.approx(list(chosen.groupby("train_size")["estimate"].mean()))
    (ksg,) = (line for line in ax.lines if line.get_linestyle() == ":")
    assert ksg.get_ydata()[0] == pytest.approx(
        frame[(frame["task"] == FOUR[0]) & (frame["method"] == "ksg")]["estimate"].mean()
    )


def test_training_size_of_untrained_methods_alone_has_no_sizes():
    figure = training_size(estimates(rows=[("ksg", "ksg")]))
    assert [len(ax.get_xticks()) for ax in figure.axes] == [0, 0, 0, 0]


def test_every_method_has_a_colour_of_its_own():
    assert list(COLORS) == list(METHOD_LABELS)
    assert len(set(COLORS.values())) == len(COLORS)
    assert len(set(MARKERS.values())) == len(MARKERS)


@pytest.mark.parametrize("name", FIGURES)
def test_an_estimate_that_is_no_number_is_named(name, tmp_path):
    frame = estimates()
    frame.loc[0, "estimate"] = float("nan")
    with pytest.raises(ValueError, match=f"not finite, first nan of task={FOUR[0]}, method=minde-j"):
        write_figure(name, frame, [tmp_path / "figure.pdf"])
    assert not (tmp_path / "figure.pdf").exists()


def test_spread_names_a_missing_row():
    frame = estimates()
    with pytest.raises(ValueError, match=f"no estimate of KSG for task {FOUR[1]}"):
        spread(frame[~((frame["method"] == "ksg") & (frame["task"] == FOUR[1]))])


def test_unknown_figures_and_kinds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="unknown figure 'pie'; known: spread, training-size"):
        write_figure("pie", estimates(), [tmp_path / "pie.pdf"])
    with pytest.raises(ValueError, match=r"no figure can be written as '.svg'; expected .pdf or .png"):
        write_figure("spread", estimates(), [tmp_path / "a.pdf", tmp_path / "a.svg"])
    assert not list(tmp_path.iterdir())


def test_drawing_loads_no_pyplot_and_no_window_system():
    code = "import sys, minde.study.figures; print(*{'matplotlib.pyplot', 'torch', 'jax'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
