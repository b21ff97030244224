"""Table 1: its numbers, and the exact text of each file format."""

import csv
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from minde.diffusion import estimators
from minde.study import methods
from minde.study.figures.panels import COLORS, MARKERS
from minde.study.methods import METHODS
from minde.study.rows import row_label, row_order
from minde.study.selection import at_train_size
from minde.study.tables import COLUMNS, html, latex, published, summarize, with_reference, write_summary, write_table
from minde.study.tables.rendering import CLASS_COLORS, class_meanings, error_class, number, to_csv, to_markdown
from minde.study.tables.summary import note, score, texts
from minde.study.tasks import TASKS

ROOT = Path(__file__).parents[3]

NORMAL, STUDENT = "1v1-normal-0.75", "student-identity-2-2-2"  # true mutual information 0.4133 and 0.1931 nats


def estimates(values: dict[tuple, list[float]]) -> pd.DataFrame:
    """A frame as an estimates file gives it, from replicates' values by (task, method, estimator, train_size)."""
    return pd.DataFrame(
        {
            "task": task,
            "method": method,
            "estimator": estimator,
            "train_size": train_size,
            "replicate": replicate,
            "estimate": value,
            "std_error": None,
            "mi_true": TASKS[task].mi_true,
            "seconds": 1.0,
            "train_seconds": 2.0,
            "not_converged": None,
        }
        for (task, method, estimator, train_size), replicates in values.items()
        for replicate, value in enumerate(replicates)
    )


# In neither the paper's nor the benchmark's order, with a smaller train size that the table must not show.
SMALL = estimates(
    {
        (STUDENT, "cca", "cca", 0): [0.9, 1.1],
        (NORMAL, "cca", "cca", 0): [0.41, 0.43],
        (STUDENT, "minde-c", "inside", 500): [0.11, 0.13],
        (NORMAL, "minde-c", "inside", 500): [0.40, 0.42],
        (STUDENT, "minde-c", "inside", 100): [9.0, 9.0],
        (NORMAL, "minde-c", "inside", 100): [9.0, 9.0],
        (STUDENT, "minde-c", "sigma=1", 500): [-0.01, -0.03],
        (NORMAL, "minde-c", "sigma=1", 500): [0.25, 0.25],
    }
)


def test_rows_as_in_the_paper_and_tasks_as_in_the_benchmark():
    summary = summarize(SMALL)
    assert list(summary.columns) == COLUMNS
    rows = ["MINDE-c (σ=1)", "MINDE-c", "CCA"]
    assert list(summary["row"]) == [row for row in rows for _ in range(2)]
    assert list(summary["task"]) == [NORMAL, STUDENT] * 3


def test_the_order_of_all_rows():
    pairs = [(method, method) for method in METHODS if not method.startswith("minde")]
    pairs += [(m, e) for m in ("minde-c", "minde-j") for e in ("gap", "sigma=2", "inside", "sigma=0.5", "sigma=1")]
    assert [row_label(*pair) for pair in sorted(pairs, key=lambda pair: row_order(*pair))] == [
        "MINDE-j (σ=0.5)",
        "MINDE-j (σ=1)",
        "MINDE-j (σ=2)",
        "MINDE-j",
        "MINDE-j (gap)",
        "MINDE-c (σ=0.5)",
        "MINDE-c (σ=1)",
        "MINDE-c (σ=2)",
        "MINDE-c",
        "MINDE-c (gap)",
        "MINE",
        "MINE (ours)",
        "InfoNCE",
        "D-V",
        "NWJ",
        "KSG",
        "LNN",
        "KDE",
        "CCA",
        "DoE (Gaussian)",
        "DoE (Logistic)",
    ]


def test_numbers_are_means_and_deviations_at_the_largest_train_size():
    line = summarize(SMALL).set_index(["row", "task"]).loc[("MINDE-c", STUDENT)]
    assert (line["train_size"], line["replicates"], line["mi_true"]) == (500, 2, TASKS[STUDENT].mi_true)
    assert line["mean"] == pytest.approx(0.12)
    assert line["std"] == pytest.approx(0.02 / 2**0.5)
    half = 12.706205 * 0.01  # Student's t with one degree of freedom, times std / √2
    assert (line["low"], line["high"]) == pytest.approx((0.12 - half, 0.12 + half))
    assert line["error"] == pytest.approx(0.12 - TASKS[STUDENT].mi_true)


def test_a_single_replicate_has_no_deviation():
    single = SMALL[SMALL["replicate"] == 0]
    assert summarize(single)[["std", "low", "high"]].isna().all(axis=None)
    assert "±" not in html.to_html(summarize(single), 1)
    unknown = to_markdown(summarize(single.assign(mi_true=float("nan"))), 1)
    assert "| St 2×2 (dof=2) | – | 0.0 | 0.1 | 0.9 |" in unknown


def test_markdown():
    assert to_markdown(summarize(SMALL), 1) == (
        "| Task | GT | MINDE-c (σ=1) | MINDE-c | CCA |\n"
        "| :-- | --: | --: | --: | --: |\n"
        "| Bivariate Nm 1×1 | 0.4 | 0.2 | 0.4 | 0.4 |\n"
        "| St 2×2 (dof=2) | 0.2 | 0.0 | 0.1 | 1.0 |\n"
    )


def test_decimals_are_those_asked_for():
    assert "| St 2×2 (dof=2) | 0.193 | -0.020 | 0.120 | 1.000 |" in to_markdown(summarize(SMALL), 3)


def test_csv_reads_back_in_full_precision():
    summary = summarize(SMALL)
    lines = list(csv.DictReader(io.StringIO(to_csv(summary))))
    assert [line["row"] for line in lines] == list(summary["row"])
    assert list(lines[0]) == COLUMNS
    for name in ("mi_true", "mean", "std", "error"):
        assert [float(line[name]) for line in lines] == list(summary[name])


def test_latex():
    body = latex.to_latex(summarize(SMALL), 1).split("\\toprule\n")[1].split("\\bottomrule")[0]
    assert body == (
        r" & \rotatebox{90}{Bivariate Nm 1$\times$1} & \rotatebox{90}{St 2$\times$2 (dof=2)} \\" + "\n"
        r"\midrule" + "\n"
        r"GT & 0.4 & 0.2 \\" + "\n"
        r"\midrule" + "\n"
        r"MINDE-c ($\sigma$=1) & \cellcolor{low2}0.2 & \cellcolor{low3}0.0 \\" + "\n"
        r"MINDE-c & 0.4 & \cellcolor{low1}0.1 \\" + "\n"
        r"CCA & 0.4 & \cellcolor{high4}1.0 \\" + "\n"
    )


def test_latex_escapes_what_it_would_interpret():
    assert latex.escape(r"a_b & 50% of #1 {x} $y$ \z ~ ^") == (
        r"a\_b \& 50\% of \#1 \{x\} \$y\$ \textbackslash{}z \textasciitilde{} \textasciicircum{}"
    )
    assert latex.escape("σ=1, 2×2, −0.1") == r"$\sigma$=1, 2$\times$2, $-$0.1"


def test_negative_numbers_have_a_minus_sign_in_latex():
    assert r"\cellcolor{low3}$-$0.02" in latex.to_latex(summarize(SMALL), 2)


NEEDS_LATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")


def pdflatex(folder, name: str) -> None:
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert ran.returncode == 0, ran.stdout[-2000:]
    assert "Overfull" not in ran.stdout


@NEEDS_LATEX
@pytest.mark.parametrize("tasks", [[NORMAL, STUDENT], list(TASKS)], ids=["two tasks", "all tasks"])
def test_latex_compiles_alone(tasks, tmp_path):
    values = {(task, "minde-j", f"sigma={s:g}", 10): [0.4] for task in tasks for s in (0.5, 1)}
    write_table(estimates(values), [tmp_path / "table1.tex"], decimals=1, sigmas=[1.0], reference=False)
    pdflatex(tmp_path, "table1.tex")


@NEEDS_LATEX
def test_latex_compiles_inside_another_document(tmp_path):
    write_table(SMALL, [tmp_path / "table1.tex"], decimals=1, sigmas=[1.0], reference=False)
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[table]{xcolor}\usepackage{standalone,booktabs,graphicx}"
        r"\begin{document}\begin{table}\input{table1}\caption{Ours.}\end{table}\end{document}"
    )
    pdflatex(tmp_path, "paper.tex")


class Cells(HTMLParser):
    """The text, class and tooltip of every table cell of a page, line by line."""

    def __init__(self, page: str):
        super().__init__()
        self.lines, self.open = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.lines.append([])
        elif tag in ("td", "th"):
            self.open = True
            self.lines[-1].append({"text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        self.open = self.open and tag not in ("td", "th")

    def handle_data(self, data):
        if self.open:
            self.lines[-1][-1]["text"] += data


def test_html():
    page = html.to_html(summarize(SMALL), 1)
    lines = Cells(page).lines
    assert [[cell["text"] for cell in line] for line in lines] == [
        ["", "Bivariate Nm 1×1", "St 2×2 (dof=2)"],
        ["GT", "0.4", "0.2"],
        ["MINDE-c (σ=1)", "0.2", "0.0"],
        ["MINDE-c", "0.4", "0.1"],
        ["CCA", "0.4", "1.0"],
    ]
    assert [cell.get("class") for cell in lines[2][1:]] == ["low2", "low3"]
    assert [cell.get("class") for cell in lines[4][1:]] == [None, "high4"]
    assert lines[3][2]["title"] == (
        "MINDE-c, St 2×2 (dof=2): 0.1200 ± 0.0141 (standard deviation over replicates), 95 % interval "
        "-0.0071 to 0.2471; error -0.0731 nats"
    )
    assert "mean of 2 replicates; methods that train used 500 samples" in page
    assert all(f".{name} {{ background: #{color}; }}" in page for name, color in CLASS_COLORS.items())
    assert all(text in page for text in class_meanings().values())


def test_html_escapes_and_fetches_nothing():
    summary = summarize(SMALL)
    summary["task_label"] = '<b> & "x"'
    page = html.to_html(summary, 1)
    assert "<b> &" not in page
    assert "&lt;b&gt; &amp; &quot;x&quot;" in page
    assert "http" not in page


@pytest.mark.parametrize(
    ("error", "expected"),
    [(0.0, None), (0.04, None), (-0.06, "low1"), (0.15, "high2"), (-0.3, "low3"), (0.6, "high4"), (-9.0, "low4")],
)
def test_colour_classes(error, expected):
    assert error_class(error) == expected
    assert expected is None or expected in CLASS_COLORS


def test_colours_are_light_enough_for_black_digits():
    for color in CLASS_COLORS.values():
        channels = [int(color[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        assert (luminance + 0.05) / 0.05 > 4.5  # WCAG AA


def test_class_meanings():
    meanings = class_meanings()
    assert (meanings["low4"], meanings["low1"]) == ("beyond −0.5", "−0.05 to −0.1")
    assert (meanings["high2"], meanings["high4"]) == ("+0.1 to +0.2", "beyond +0.5")


def test_no_negative_zero():
    assert number(-0.01, 1) == "0.0"


def test_a_missing_task_of_a_row_is_named():
    lacking = SMALL[~((SMALL["method"] == "cca") & (SMALL["task"] == STUDENT))]
    with pytest.raises(ValueError, match=f"no estimate of CCA for task {STUDENT} at train size 500"):
        summarize(lacking)


def test_a_row_missing_at_the_largest_train_size_is_named():
    lacking = SMALL[~((SMALL["estimator"] == "sigma=1") & (SMALL["task"] == NORMAL))]
    with pytest.raises(ValueError, match=rf"no estimate of MINDE-c \(σ=1\) for task {NORMAL}"):
        summarize(lacking)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_estimate_that_is_no_number_is_named(value):
    broken = SMALL.copy()
    broken.loc[3, "estimate"] = value
    with pytest.raises(ValueError, match=f"1 estimates are not finite, first {value} of task={NORMAL}, method=cca"):
        summarize(broken)


def test_an_empty_file_is_refused():
    with pytest.raises(ValueError, match="the estimates file is empty"):
        summarize(SMALL[:0])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("method", "minde-z", "unknown method 'minde-z'; known: minde-j"),
        ("estimator", "outside", "unknown estimator 'outside' of"),
        ("task", "1v1-normal", r"no estimate of MINDE-c \(σ=1\) for task 1v1-normal"),
    ],
)
def test_what_has_no_row_or_column_is_named(column, value, message):
    broken = SMALL.copy()
    broken.loc[0, column] = value
    with pytest.raises(ValueError, match=message):
        summarize(broken)


def test_all_kinds_are_written_or_none(tmp_path):
    with pytest.raises(ValueError, match=r"no table can be written as '.docx'; expected .csv, .md, .tex or .html"):
        write_table(
            SMALL, [tmp_path / "table1.csv", tmp_path / "table1.docx"], decimals=1, sigmas=[1.0], reference=False
        )
    assert not list(tmp_path.iterdir())
    write_table(
        SMALL,
        [tmp_path / f"table1.{kind}" for kind in ("csv", "md", "tex", "html")],
        decimals=1,
        sigmas=[1.0],
        reference=False,
    )
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".md", ".tex", ".html"}


def lost(frame: pd.DataFrame, task: str, replicates: list[int], reason="the loss was not finite") -> pd.DataFrame:
    """The frame with CCA not converged in these replicates of a task."""
    frame = frame.copy()
    rows = (frame["method"] == "cca") & (frame["task"] == task) & frame["replicate"].isin(replicates)
    frame.loc[rows, "estimate"] = float("nan")
    frame["not_converged"] = frame["not_converged"].astype(object).mask(rows, reason)
    return frame


def test_a_method_that_never_converged_has_a_dash_and_no_colour():
    table = summarize(lost(SMALL, STUDENT, [0, 1]))
    line = table.set_index(["row", "task"]).loc[("CCA", STUDENT)]
    assert (line["replicates"], line["converged"], line["not_converged"]) == (2, 0, "the loss was not finite")
    assert to_markdown(table, 1).endswith("| St 2×2 (dof=2) | 0.2 | 0.0 | 0.1 | – |\n")
    assert r"CCA & 0.4 & -- \\" in latex.to_latex(table, 1)
    page = html.to_html(table, 1)
    cell = Cells(page).lines[4][2]
    assert (cell["text"], cell.get("class")) == ("–", None)
    assert cell["title"] == (
        "CCA, St 2×2 (dof=2): no estimate; 2 of 2 replicates did not converge: the loss was not finite"
    )
    assert "–: no replicate converged." in page
    assert "†" not in page


def test_a_mean_of_some_replicates_is_marked():
    table = summarize(lost(SMALL, STUDENT, [0]))
    assert "| 1.1† |" in to_markdown(table, 1)
    assert r"\cellcolor{high4}1.1\textdagger{}" in latex.to_latex(table, 1)
    page = html.to_html(table, 1)
    assert "1.1000; error +0.9069 nats; 1 of 2 replicates did not converge: the loss was not finite" in page
    assert "†: some did not and are omitted." in page


@NEEDS_LATEX
def test_latex_with_marks_compiles(tmp_path):
    frame = lost(lost(SMALL, STUDENT, [0]), NORMAL, [0, 1])
    write_table(frame, [tmp_path / "table1.tex"], decimals=1, sigmas=[1.0], reference=True)
    write_summary(frame, [tmp_path / "summary.tex"], sigmas=[1.0], resamples=10, seed=0, quoted={})
    for name in ("table1.tex", "summary.tex"):
        pdflatex(tmp_path, name)


def test_a_missing_estimate_without_a_reason_is_an_error():
    broken = lost(SMALL, STUDENT, [0]).assign(not_converged=None)
    with pytest.raises(ValueError, match="1 estimates are not finite, first nan of task=student"):
        summarize(broken)


def test_a_smaller_train_size_can_be_asked_for():
    smaller = SMALL[SMALL["estimator"] != "sigma=1"]
    table = summarize(smaller, train_size=100).set_index(["row", "task"])
    assert table.loc[("MINDE-c", STUDENT), "mean"] == 9.0
    assert table.loc[("CCA", STUDENT), "mean"] == pytest.approx(1.0)


def test_other_widths_than_those_asked_for_are_left_out(tmp_path):
    more = pd.concat([SMALL, SMALL[SMALL["estimator"] == "sigma=1"].assign(estimator="sigma=0.5")])
    for name, frame in {"plain": SMALL, "more": more}.items():
        write_table(frame, [tmp_path / f"{name}.md"], decimals=2, sigmas=[1.0])
    assert (tmp_path / "plain.md").read_text() == (tmp_path / "more.md").read_text()


def test_the_published_row_stands_below_ours_of_minde():
    table = with_reference(summarize(SMALL))
    assert list(table.columns) == COLUMNS
    assert list(table["row"].unique()) == ["MINDE-c (σ=1)", "MINDE-c", published.LABEL, "CCA"]
    assert to_markdown(table, 1) == (
        "| Task | GT | MINDE-c (σ=1) | MINDE-c | MINDE-c (published) | CCA |\n"
        "| :-- | --: | --: | --: | --: | --: |\n"
        "| Bivariate Nm 1×1 | 0.4 | 0.2 | 0.4 | 0.4 | 0.4 |\n"
        "| St 2×2 (dof=2) | 0.2 | 0.0 | 0.1 | 0.2 | 1.0 |\n"
    )
    assert "mean of 2 replicates" in html.to_html(table, 1)
    assert "| Bivariate Nm 1×1 | 0.41 | 0.25 | 0.41 | 0.4 | 0.42 |" in to_markdown(table, 2)


def test_the_published_row_has_39_tasks_of_which_31_are_right():
    errors = {task: value - round(TASKS[task].mi_true, 1) for task, value in published.MINDE_C.items()}
    assert len(errors) == 39
    assert sum(error == 0 for error in errors.values()) == 31
    assert all(error == pytest.approx(-0.1) for error in errors.values() if error)


def test_the_summary_counts_tasks_and_states_error_and_cost():
    scores = score(at_train_size(SMALL), summarize(SMALL), resamples=500, seed=0, quoted={}).set_index("row")
    cca = scores.loc["CCA"]
    assert (cca["tasks"], cca["converged"], cca["equal"], cca["within_0.05"], cca["within_0.1"]) == (2, 2, 1, 1, 1)
    errors = [0.42 - TASKS[NORMAL].mi_true, 1.0 - TASKS[STUDENT].mi_true]
    assert cca["mean_absolute_error"] == pytest.approx(sum(errors) / 2)
    assert cca["low"] < cca["mean_absolute_error"] < cca["high"]
    assert cca["seconds"] == 3.0
    minde = scores.loc["MINDE-c"]
    assert (minde["equal"], minde["within_0.05"], minde["within_0.1"]) == (1, 1, 2)


def test_the_interval_covers_the_error_of_replicates_that_scatter():
    """Of 40 draws of 20 replicates, the 95% interval of the mean's distance from a distant truth covers about 38."""
    rng, covered = np.random.default_rng(0), 0
    for _ in range(40):
        frame = estimates({(NORMAL, "cca", "cca", 0): list(1 + 0.1 * rng.standard_normal(20))})
        (line,) = score(frame, summarize(frame), resamples=300, seed=1, quoted={}).to_dict("records")
        covered += line["low"] <= 1 - TASKS[NORMAL].mi_true <= line["high"]
    assert 33 <= covered <= 40


def test_resampled_means_of_few_replicates_spread_as_means_do():
    """Two values, such as 0 and 1, give means of 0, 1/2 and 1, whose variance of 1/8 is scaled to s² / 2 = 1/4."""
    frame = estimates({(NORMAL, "cca", "cca", 0): [10.0, 11.0]})
    (line,) = score(frame, summarize(frame), resamples=10_000, seed=0, quoted={}).to_dict("records")
    middle = 10.5 - TASKS[NORMAL].mi_true
    assert (line["low"], line["high"]) == pytest.approx((middle - 0.5 * 2**0.5, middle + 0.5 * 2**0.5), abs=0.02)


def test_the_interval_of_an_error_below_the_spread_holds_it():
    """Means of resampled replicates are further from the truth than the mean that is on it."""
    around = [-0.2, -0.1, 0.0, 0.1, 0.2]
    values = {
        (task, "cca", "cca", 0): [TASKS[task].mi_true + offset for offset in around] for task in (NORMAL, STUDENT)
    }
    frame = estimates(values)
    (line,) = score(frame, summarize(frame), resamples=1000, seed=0, quoted={}).to_dict("records")
    assert line["mean_absolute_error"] == pytest.approx(0)
    assert line["low"] == 0 < line["high"] < 0.15


def test_an_interval_does_not_depend_on_the_other_rows():
    together = score(at_train_size(SMALL), summarize(SMALL), resamples=50, seed=0, quoted={}).set_index("row")
    frame = SMALL[SMALL["method"] == "cca"]
    (alone,) = score(frame, summarize(frame), resamples=50, seed=0, quoted={}).to_dict("records")
    assert (alone["low"], alone["high"]) == (together.loc["CCA", "low"], together.loc["CCA", "high"])


def test_tasks_without_an_estimate_count_as_not_right():
    frame = lost(SMALL, STUDENT, [0, 1])
    scores = score(at_train_size(frame), summarize(frame), resamples=10, seed=0, quoted={}).set_index("row")
    assert (scores.loc["CCA", "tasks"], scores.loc["CCA", "converged"], scores.loc["CCA", "equal"]) == (2, 1, 1)


def test_the_summary_as_text():
    frame = SMALL[SMALL["method"] == "cca"]
    single = frame[frame["replicate"] == 0]
    assert texts(score(single, summarize(single), resamples=10, seed=0, quoted={})) == [
        ["CCA", "2", "1", "1", "1", "0.355", "3"]
    ]
    (line,) = texts(score(frame, summarize(frame), resamples=10, seed=0, quoted={}))
    assert re.fullmatch(r"0\.407 \(0\.\d{3} to 0\.\d{3}\)", line[5])


def test_the_summary_is_written_in_all_kinds(tmp_path):
    write_summary(
        SMALL,
        [tmp_path / f"summary.{kind}" for kind in ("csv", "md", "tex", "html")],
        sigmas=[1.0],
        resamples=10,
        seed=0,
        quoted={},
    )
    assert (tmp_path / "summary.md").read_text().startswith("| Method | Tasks | Right at one decimal | Within 0.05 |")
    assert "methods that train used 500 samples" in (tmp_path / "summary.html").read_text()


def test_the_summary_marks_the_formulas_that_were_named_in_advance():
    for formula, label in (("inside", "MINDE-c *"), ("gap", "MINDE-c")):
        scores = score(at_train_size(SMALL), summarize(SMALL), resamples=10, seed=0, quoted={"minde-c": formula})
        assert [line[0] for line in texts(scores)] == ["MINDE-c (σ=1)", label, "CCA"]
        assert ("*: the formula" in note(scores, 10)) == (label == "MINDE-c *")


def test_neither_an_estimate_nor_a_truth_is_not_right():
    frame = lost(SMALL, STUDENT, [0, 1]).assign(mi_true=float("nan"))
    scores = score(at_train_size(frame), summarize(frame), resamples=10, seed=0, quoted={})
    assert set(scores["equal"]) == {0}


def test_tasks_of_unknown_truth_are_shown_and_not_scored():
    frame = SMALL.assign(mi_true=SMALL["mi_true"].mask(SMALL["task"] == STUDENT))
    table = summarize(frame)
    cells = "-0.02 (-0.15 to 0.11) | 0.12 (-0.01 to 0.25) | 1.00 (-0.27 to 2.27)"
    assert f"| St 2×2 (dof=2) | – | {cells} |" in to_markdown(table, 2)
    page = html.to_html(table, 2)
    assert "the 95 % interval of the mean over replicates (Student&#x27;s t) is in parentheses" in page
    assert "in parentheses" not in html.to_html(summarize(SMALL), 2)
    scores = score(at_train_size(frame), table, resamples=10, seed=0, quoted={}).set_index("row")
    assert set(scores["tasks"]) == {1}
    scores = score(at_train_size(frame), table[table["task"] == STUDENT], resamples=10, seed=0, quoted={})
    assert texts(scores)[-1] == ["CCA", "1", "–", "–", "–", "–", "3"]
    assert note(scores, 10).startswith("The true value of no task is known (methods")


@pytest.mark.parametrize("kind", ["csv", "md", "tex", "html"])
def test_a_user_file_is_named_by_its_id_and_has_no_error(tmp_path, kind):
    own = SMALL["task"] == NORMAL
    frame = SMALL.assign(task=SMALL["task"].mask(own, "Spiral_1"), mi_true=SMALL["mi_true"].mask(own))
    write_table(frame, [tmp_path / f"table.{kind}"], decimals=2, sigmas=[1.0], reference=False)
    text = (tmp_path / f"table.{kind}").read_text()
    assert "nan" not in text.lower()
    assert (r"Spiral\_1" if kind == "tex" else "Spiral_1") in text  # not abbreviated
    summary = summarize(frame)
    assert list(summary["task"].unique())[-1] == "Spiral_1"
    assert summary[summary["task"] == "Spiral_1"]["error"].isna().all()


def test_every_method_and_formula_has_a_row_and_a_look():
    assert METHODS.keys() == COLORS.keys()
    formulas = yaml.safe_load((ROOT / "config/schema.yaml").read_text())["$defs"]["formula"]["enum"]
    assert set(formulas) == set(estimators.FORMULAS)
    for formula in set(formulas) - {"sigma"}:
        row_label("minde-c", formula)
    assert MARKERS.keys() == set(formulas) - {"sigma"} | set(methods.COMPETITORS) - set(methods.UNTRAINED)
