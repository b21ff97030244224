"""Figures: their files, their content, and that they are the same everywhere."""

import re
import subprocess
import sys
import zlib

import matplotlib
import numpy as np
import pandas as pd
import pytest

from minde.files import provenance
from minde.study.curves import table as curve_table
from minde.study.figures import curves, write_figure
from minde.study.figures.ablations import comparison, sigma, training_curve
from minde.study.figures.consistency import consistency
from minde.study.figures.estimates import high_mi, omissions, spread, training_size
from minde.study.figures.experiments.bottleneck import draw as bottleneck
from minde.study.figures.experiments.gans import draw as gans
from minde.study.figures.panels import COLORS, MARKERS, reach_of
from minde.study.methods import METHODS
from minde.study.results import write_parquet
from minde.study.tasks import HIGH_MI, TASKS

FOUR = ["1v1-normal-0.75", "half_cube-1v1-normal-0.75", "student-identity-2-2-2", "multinormal-sparse-5-5-2-2.0"]
ROWS = [("minde-j", "sigma=1"), ("minde-j", "inside"), ("minde-c", "gap"), ("ksg", "ksg")]
OF_ESTIMATES = ["spread", "training_size", "sigma"]


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


@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_same_estimates_same_bytes(name, tmp_path):
    frame = estimates()
    for folder in ("a", "b"):
        write_figure(name, frame, [tmp_path / folder / "figure.pdf", tmp_path / folder / "figure.png"], tasks=[*TASKS])
    for kind in ("pdf", "png"):
        first, second = ((tmp_path / folder / f"figure.{kind}").read_bytes() for folder in ("a", "b"))
        assert first == second
        assert b"CreationDate" not in first


@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_the_order_and_the_settings_of_the_caller_play_no_part(name, tmp_path):
    frame = estimates()
    write_figure(name, frame, [tmp_path / "a.png"], tasks=[*TASKS])
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        write_figure(name, frame.sample(frac=1, random_state=1), [tmp_path / "b.png"], tasks=[*TASKS])
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_fonts_are_embedded_as_truetype(name, tmp_path):
    write_figure(name, estimates(), [tmp_path / "figure.pdf"], tasks=[*TASKS])
    content = (tmp_path / "figure.pdf").read_bytes()
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            content += zlib.decompress(stream)
        except zlib.error:  # not a compressed stream
            continue
    assert b"/FontFile2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_paper_width(name, tmp_path):
    write_figure(name, estimates(), [tmp_path / "figure.pdf"], tasks=[*TASKS])
    box = re.search(rb"/MediaBox \[([^]]*)\]", (tmp_path / "figure.pdf").read_bytes())
    assert float(box[1].split()[2]) == pytest.approx(5.5 * 72)


@pytest.mark.filterwarnings("error")  # matplotlib warns where panels do not fit
@pytest.mark.parametrize("name", OF_ESTIMATES)
@pytest.mark.parametrize("tasks", [FOUR[:1], FOUR, [*TASKS][:5]], ids=len)
def test_any_number_on_tasks_and_one_replicate(name, tasks, tmp_path):
    write_figure(name, estimates(tasks, replicates=1), [tmp_path / "figure.png"], tasks=[*TASKS])


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


def test_spread_shows_the_replicates_that_converged():
    frame = not_converged(estimates(FOUR[:1]), "ksg", 1)
    points = [line for line in spread(frame).axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in points] == [3, 3, 3, 2]


def not_converged(frame: pd.DataFrame, method: str, *replicates: int) -> pd.DataFrame:
    lost = (frame["method"] == method) & frame["replicate"].isin(replicates)
    return frame.assign(
        estimate=frame["estimate"].mask(lost), not_converged=frame["not_converged"].astype(object).mask(lost, "why")
    )


def test_a_page_shows_its_tasks_and_the_widths_asked_for(tmp_path):
    rows = [("minde-j", "sigma=1"), ("minde-j", "sigma=2"), ("minde-j", "inside")]
    write_figure("spread", estimates(rows=rows), [tmp_path / "a.png"], tasks=FOUR[:2], sigmas=[1.0])
    frame = estimates(rows=rows)
    frame = frame[frame["task"].isin(FOUR[:2]) & (frame["estimator"] != "sigma=2")]
    write_figure("spread", frame, [tmp_path / "b.png"], tasks=FOUR)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


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
    (ksg,) = (line for line in ax.lines if line.get_color() == COLORS["ksg"])
    assert ksg.get_ydata()[0] == pytest.approx(
        frame[(frame["task"] == FOUR[0]) & (frame["method"] == "ksg")]["estimate"].mean()
    )


def test_training_size_of_untrained_methods_alone_has_no_sizes():
    figure = training_size(estimates(rows=[("ksg", "ksg")]))
    assert [len(ax.get_xticks()) for ax in figure.axes] == [0, 0, 0, 0]


def test_every_method_has_a_colour_of_its_own():
    assert list(COLORS) == list(METHODS)
    assert len(set(COLORS.values())) == len(COLORS)
    assert len(set(MARKERS.values())) == len(MARKERS)


@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_an_estimate_that_is_no_number_is_named(name, tmp_path):
    frame = estimates()
    frame.loc[0, "estimate"] = float("nan")
    with pytest.raises(ValueError, match=f"not finite, first nan of task={FOUR[0]}, method=minde-j"):
        write_figure(name, frame, [tmp_path / "figure.pdf"], tasks=[*TASKS])
    assert not (tmp_path / "figure.pdf").exists()


def test_spread_names_a_missing_row():
    frame = estimates()
    with pytest.raises(ValueError, match=f"no estimate of KSG for task {FOUR[1]}"):
        spread(frame[~((frame["method"] == "ksg") & (frame["task"] == FOUR[1]))])


def test_unknown_figures_and_kinds_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match="unknown figure 'pie'; known: spread, training_size, training_curve, sigma, high_mi"
    ):
        write_figure("pie", estimates(), [tmp_path / "pie.pdf"], tasks=FOUR)
    with pytest.raises(ValueError, match=r"no figure can be written as '.svg'; expected .pdf or .png"):
        write_figure("spread", estimates(), [tmp_path / "a.pdf", tmp_path / "a.svg"], tasks=FOUR)
    assert not list(tmp_path.iterdir())


def test_drawing_loads_no_pyplot_and_no_window_system():
    code = "import sys, minde.study.figures; print(*{'matplotlib.pyplot', 'torch', 'jax'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


def test_training_size_leaves_out_what_is_far_off_or_scattered_or_did_not_converge_and_says_so():
    frame = estimates(rows=[*ROWS, ("mine", "mine"), ("dv", "dv")])
    truth = TASKS[FOUR[0]].mi_true
    on_task = frame["task"] == FOUR[0]
    far = on_task & (frame["method"] == "mine") & (frame["train_size"] == 100)
    frame.loc[far, "estimate"] = 3.1 * truth
    scattered = on_task & (frame["estimator"] == "gap") & (frame["train_size"] == 1000)
    frame.loc[scattered, "estimate"] = np.array([-1.1, 0, 1.1]) * truth + truth
    frame = not_converged(frame, "dv", 0, 1, 2)
    found = omissions(frame)
    assert set(found[FOUR[0]]) == {("dv", "dv"), ("mine", "mine"), ("minde-c", "gap")}
    assert found[FOUR[1]] == [("dv", "dv")]
    figure = training_size(frame)
    text = " ".join(figure.get_supxlabel().split())
    assert "Omitted (error above 2 GT, deviation above GT, or not converged):" in text
    assert "MINE in Bivariate Nm 1×1" in text
    drawn = {line.get_color() for line in figure.axes[0].lines}
    assert COLORS["mine"] not in drawn
    assert COLORS["mine"] in {line.get_color() for line in figure.axes[1].lines}
    assert "D-V" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_panel_s_scale_is_that_of_its_lines():
    assert reach_of(pd.Series([0.9, 1.1]), 1.0) == pytest.approx(0.13)
    assert reach_of(pd.Series([1.0, 1.001]), 1.0) == 0.1
    assert reach_of(pd.Series([5.0, 9.0]), 1.0) == 1.0
    assert reach_of(pd.Series(dtype=float), 1.0) == 0.1


def test_panels_without_one_below_them_have_labels_of_the_shared_axis():
    figure = training_size(estimates([*TASKS][:6]))
    assert [bool(ax.xaxis.get_tick_params()["labelbottom"]) for ax in figure.axes] == [False] * 2 + [True] * 4


def test_sigma_shows_one_line_per_variant_against_the_width():
    rows = [(m, f"sigma={s:g}") for m in ("minde-j", "minde-c") for s in (0.5, 1, 10)] + [("ksg", "ksg")]
    frame = estimates(rows=rows)
    figure = sigma(frame)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["GT (true value)", "MINDE-j", "MINDE-c"]
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.5", "1", "10"]
    chosen = frame[(frame["task"] == FOUR[0]) & (frame["method"] == "minde-c") & (frame["train_size"] == 1000)]
    means = chosen.groupby("estimator")["estimate"].mean()
    assert list(ax.containers[0][0].get_ydata()) == pytest.approx(list(means[["sigma=0.5", "sigma=1", "sigma=10"]]))


def test_comparison_shows_what_both_studies_have():
    mine = estimates(rows=ROWS[:3]).assign(study="mine")
    theirs = estimates(tasks=FOUR[:2], rows=ROWS[1:], sizes=(500,)).assign(study="theirs")
    theirs["estimate"] += 0.05
    figure = comparison(pd.concat([mine, theirs]))
    assert len(figure.axes) == 2
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["MINDE-j", "MINDE-c (gap)"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["mine", "theirs"]
    drawn = [(container[0].get_xdata()[0], round(float(container[0].get_ydata()[0]), 2)) for container in ax.containers]
    expected = []
    for place, (method, estimator) in enumerate(ROWS[1:3]):
        for frame, size, shift in ((mine, 1000, -0.18), (theirs, 500, 0.18)):
            key = {"task": FOUR[0], "method": method, "estimator": estimator, "train_size": size}
            cell = frame[(frame[list(key)] == pd.Series(key)).all(axis=1)]
            expected.append((pytest.approx(cell["estimate"].mean()), round(place + shift, 2)))
    assert drawn == expected


def test_comparison_of_studies_with_nothing_in_common():
    frames = [estimates(tasks=[task], rows=ROWS[:1]).assign(study=task) for task in FOUR[:2]]
    for shown in (pd.concat(frames), frames[0]):  # the latter: a page of tasks that the other study lacks
        (text,) = comparison(shown).texts
        assert text.get_text() == "the two studies have no method and task of this page in common"


def test_sigma_without_widths_says_what_to_do():
    with pytest.raises(ValueError, match="add `sigma` to minde"):
        sigma(estimates(rows=[("ksg", "ksg")]))


def test_high_mutual_information_is_drawn_against_the_truth_by_version(tmp_path):
    frame = estimates([*HIGH_MI], rows=ROWS[1:], sizes=(1000,))
    figure = high_mi(frame)
    assert [ax.get_title() for ax in figure.axes] == [
        "Multinormal 3×3",
        "Half-cube @ Multinormal 3×3",
        "Spiral @ Multinormal 3×3",
    ]
    for ax, version in zip(figure.axes, ("", "half_cube-", "spiral-"), strict=True):
        line = ax.containers[0][0]
        assert list(line.get_xdata()) == [half / 2 for half in range(11)]
        version_estimates = frame[(frame["estimator"] == "inside") & frame["task"].str.startswith(f"{version}high")]
        assert list(line.get_ydata()) == pytest.approx(list(version_estimates.groupby("mi_true")["estimate"].mean()))
    write_figure("high_mi", frame, [tmp_path / "high_mi.pdf"], tasks=[*HIGH_MI])


def heads(ax):
    """The arrowheads on the edges of a panel, as (direction, x, y)."""
    found = [line for line in ax.lines if line.get_marker() in ("v", "^") and line.get_linestyle() == "None"]
    return [
        (line.get_marker(), x, y) for line in found for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
    ]


def test_a_mean_far_from_a_high_truth_has_an_arrowhead_on_the_edge():
    frame = estimates([*HIGH_MI], rows=ROWS[1:], sizes=(1000,))
    far = (frame["method"] == "minde-c") & (frame["task"] == "spiral-high-mi-4.5")
    figure = high_mi(frame.assign(estimate=frame["estimate"].mask(far, 20.0)))
    assert [heads(ax) for ax in figure.axes] == [[], [], [("^", 4.5, figure.axes[0].get_ylim()[1])]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["spread", "training_size"])
def test_a_true_value_of_zero_has_an_axis_too(name, tmp_path):
    write_figure(name, estimates(["high-mi-0.0"]), [tmp_path / "a.png"], tasks=["high-mi-0.0"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OF_ESTIMATES)
def test_a_task_of_unknown_truth_has_no_line_for_it(name, tmp_path):
    frame = estimates(FOUR[:1]).assign(mi_true=float("nan"))
    write_figure(name, frame, [tmp_path / "a.png"], tasks=FOUR)
    figure = training_size(frame)
    assert "GT (true value)" not in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("name", ["spread", "training_size"])
def test_a_task_of_unknown_truth_on_which_nothing_converges_has_an_empty_panel(name, tmp_path):
    lost = not_converged(estimates(FOUR[:1], rows=ROWS[-1:]), "ksg", 0, 1, 2).assign(mi_true=float("nan"))
    write_figure(name, pd.concat([lost, estimates(FOUR[1:2], rows=ROWS[-1:])]), [tmp_path / "a.png"], tasks=FOUR)
    assert (tmp_path / "a.png").stat().st_size > 0


def write_curve(path, task, variant):
    """A curve of two replicates that increases from 0 to the truth."""
    rows = [
        {"replicate": r, "step": step, "loss": 1.0, "estimator": "inside", "std_error": 0.1, "seconds": 1.0}
        | {"estimate": TASKS[task].mi_true * step / 2000 + 0.01 * r}
        for step in (1000, 2000)
        for r in (0, 1)
    ]
    settings = {"task": task, "variant": variant, "train_size": 100}
    write_parquet(path, curve_table(rows), provenance(settings))
    return path


def test_training_curves_of_several_cells_in_one_figure(tmp_path):
    paths = [write_curve(tmp_path / f"{i}.parquet", task, "c") for i, task in enumerate(FOUR[:2])]
    truths = {task: TASKS[task].mi_true for task in FOUR[:2]}
    frame = curves.read([*paths, write_curve(tmp_path / "j.parquet", FOUR[0], "j")], truths)
    figure = training_curve(frame)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["GT (true value)", "MINDE-j", "MINDE-c"]
    lines = {line.get_color(): line for line in figure.axes[0].lines}
    bands = figure.axes[0].collections
    assert len(bands) == 2
    truth = TASKS[FOUR[0]].mi_true
    means = [truth / 2 + 0.005, truth + 0.005]
    for method, band in zip(("minde-j", "minde-c"), bands, strict=True):
        assert list(lines[COLORS[method]].get_xdata()) == [1, 2]
        assert list(lines[COLORS[method]].get_ydata()) == pytest.approx(means)
        edges = {round(float(y), 6) for _, y in band.get_paths()[0].vertices}
        assert edges == {round(mean + sign * 0.01 / 2**0.5, 6) for mean in means for sign in (-1, 1)}
    write_figure("training_curve", frame, [tmp_path / "curve.pdf"], tasks=FOUR)


def test_a_training_curve_panel_holds_the_bands_of_most_rows():
    frame = estimates(FOUR[:1], rows=[("minde-j", "inside"), ("minde-c", "inside")], sizes=(1000,), replicates=2)
    truth = TASKS[FOUR[0]].mi_true
    noise = np.where(frame["replicate"] == 0, -0.1, 0.1)
    figure = training_curve(frame.assign(step=1000, estimate=truth + noise))
    low, high = figure.axes[0].get_ylim()
    assert low < truth - 0.1 * 2**0.5 < truth + 0.1 * 2**0.5 < high


def test_a_row_of_one_replicate_has_a_training_curve_without_a_band(tmp_path):
    frame = estimates(FOUR[:1], rows=[("minde-c", "inside")], replicates=1).assign(step=1000)
    write_figure("training_curve", frame, [tmp_path / "a.png"], tasks=FOUR)


def ratios_of_images():
    """Estimates of which every ratio is ideal, of three methods; those of the baseline grow with the rows."""
    nats = {"baseline-2": 1.0, "baseline-4": 2.0, "processing-2-4": 2.0, "additivity-2": 2.0, "additivity-4": 4.0}
    frame = pd.DataFrame(
        {"task": task, "method": method, "estimator": "inside", "train_size": 100, "replicate": replicate}
        | {"estimate": value, "not_converged": None}
        for task, value in nats.items()
        for method in ("minde-j", "minde-c", "ksg")
        for replicate in range(2)
    )
    frame.loc[frame["method"] == "ksg", ["estimator", "train_size"]] = ["ksg", 0]
    return frame


def test_a_mean_ratio_far_from_the_ideal_has_an_arrowhead_on_the_edge():
    frame = ratios_of_images()
    for task, nats in (("additivity-4", 12.0), ("processing-2-4", -1.0)):
        far = (frame["method"] == "ksg") & (frame["task"] == task)
        frame["estimate"] = frame["estimate"].mask(far, nats)
    figure = consistency(frame)
    assert [heads(ax) for ax in figure.axes] == [[], [("v", 4.4, 0.0)], [("^", 4.4, 3.0)]]


def test_consistency_dodges_the_rows_at_each_number_of_rows_of_the_image():
    figure = consistency(ratios_of_images())
    assert [ax.get_title().splitlines()[1] for ax in figure.axes] == [
        "I(A; B$_r$) / I(A; B)",
        "I(A; [B$_s$, B$_r$]) / I(A; B$_s$)",
        "I([A, A']; [B$_r$, B'$_r$]) / I(A; B$_r$)",
    ]
    assert figure.get_supylabel() == "ratio"
    drawn = [list(container[0].get_xdata()) for container in figure.axes[0].containers]
    assert drawn == [pytest.approx([2 + shift, 4 + shift]) for shift in (-0.4, 0, 0.4)]
    assert [list(ax.xaxis.get_majorticklocs()) for ax in figure.axes] == [[2, 4]] * 3


def test_the_spiral_of_gans_has_arcs():
    rows = [
        {"panel": panel, "series": series, "replicate": 0, "quantity": quantity, "value": 1.0, "x": 0.0, "y": 0.0}
        for panel in ("gaussians", "spiral")
        for series in ("data", "gan", "mine")
        for quantity in ("point", "modes", "high_quality")
    ]
    figure = gans(pd.DataFrame(rows))
    assert [figure.axes[place].get_title() for place in (3, 8)] == ["modes covered, of 25", "arcs covered, of 25"]


def test_the_axis_of_the_bottleneck_s_information_ends_with_its_data():
    rows = [
        {"panel": "plane", "series": series, "replicate": replicate, "quantity": "information", "value": 6.0, "x": beta}
        for series in ("error", "mine", "mixture", "label")
        for replicate in range(2)
        for beta in (0.0, 0.1)
    ]
    figure = bottleneck(pd.DataFrame(rows))
    low, high = figure.axes[1].get_ylim()
    assert low == 0
    assert 6 < high < 7
    assert figure.legends[0].get_texts()[0].get_text() == "I(X; Z), MINE"
