"""The command line, called as by a shell."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pairs import MUTUAL_INFORMATION, normals

from minde import MINDE, Estimate
from minde.__main__ import FAILED, SAMPLES, SETTINGS, STATUS, USAGE, main, parser
from minde.study.tasks import BENCHMARK

QUICK = ["--steps", "32", "--batch-size", "64", "--replicates", "2"]
SETTINGS_OF_QUICK = {"steps": 32, "batch_size": 64, "replicates": 2, "random_state": 0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The same pairs of normals in a file of every kind."""
    path = tmp_path_factory.mktemp("files")
    x, y = normals(600)
    frame = pd.DataFrame({"a": x[:, 0], "b": y[:, 0], "c": y[:, 0] ** 3, "text": "t", "count": range(600)})
    frame["group"] = frame["count"] % 3
    frame["huge"] = frame["b"] * 1e150
    frame["day"] = pd.Timestamp("2026-01-01")
    frame["gaps"] = frame["b"].where(frame["count"] > 2)
    frame["note"] = "two\nlines"
    frame.to_parquet(path / "pairs.parquet")
    frame.to_csv(path / "pairs.csv", index=False)
    frame.to_csv(path / "pairs.TSV", index=False, sep="\t")
    frame[["a", "b"]].to_csv(path / "semicolons.csv", index=False, sep=";")
    frame[["a", "b"]].to_csv(path / "headless.csv", index=False, header=False)
    np.savez(
        path / "pairs.npz",
        a=x,
        b=y[:, 0],
        both=np.hstack([x, y]),
        short=x[:5],
        town=np.full(600, "Rome"),
        images=x.reshape(600, 1, 1),
        objects=np.array([None, "a"]),
    )
    return path


@pytest.fixture(scope="module")
def expected() -> Estimate:
    """The estimate from the same pairs in arrays."""
    return MINDE(**SETTINGS_OF_QUICK).fit(*normals(600)).mutual_information()


def estimate(capsys, *arguments) -> dict:
    assert main(["estimate", *map(str, arguments), *QUICK, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("kind", ["parquet", "csv", "TSV", "npz"])
def test_every_kind_of_file_gives_the_estimate_of_the_api(folder, expected, kind, capsys) -> None:
    found = estimate(capsys, folder / f"pairs.{kind}", "--x", "a", "--y", "b")
    assert found["mutual_information"] == pytest.approx(float(expected), abs=1e-6)
    assert found["std_error"] == pytest.approx(expected.std_error, abs=1e-6)
    assert found["interval"] == pytest.approx(expected.interval(), abs=1e-6)
    assert found["interval"][0] < MUTUAL_INFORMATION < found["interval"][1]
    assert (found["rows"], found["x"], found["y"], found["unit"]) == (600, ["a"], ["b"], "nats")
    assert found["settings"].items() >= SETTINGS_OF_QUICK.items()


def test_columns_are_named_one_by_one_or_by_patterns(folder, capsys) -> None:
    found = estimate(capsys, folder / "pairs.parquet", "--x", "a", "--y", "b, c?*t")
    assert found["y"] == ["b", "count"]
    found = estimate(capsys, folder / "pairs.npz", "--x", "both", "--y", "b")
    assert found["x"] == ["both[0]", "both[1]"]
    spaced = folder / "spaced.csv"  # as in a header "a, b"
    spaced.write_text((folder / "pairs.csv").read_text().replace("a,b,c", "a, b, c", 1))
    assert estimate(capsys, spaced, "--x", "a", "--y", "b")["y"] == [" b"]


def test_variant_j_puts_the_gap_first(folder, capsys) -> None:
    found = estimate(capsys, folder / "pairs.csv", "--x", "a", "--y", "b", "--variant", "j")
    assert found["formula"] == "gap"
    assert found["mutual_information"] == found["estimates"]["gap"]["estimate"]


def test_the_printed_estimate_is_for_reading(folder, capsys) -> None:
    saved = folder / "saved.safetensors"
    options = ["--formula", "sigma", "--level", "0.975", "--save", str(saved)]
    assert main(["estimate", f"{folder}/pairs.csv", "--x", "a", "--y", "b", *QUICK, *options]) == 0
    out, err = capsys.readouterr()
    first = MINDE.load(saved).mutual_information()
    low, high = first.interval(0.975)
    assert out.splitlines()[0] == f"I(X; Y) = {first:.3f} nats, 97.5% interval {low:.3f} to {high:.3f}"
    assert "X: a; Y: b; 600 rows" in out
    assert f"  sigma    {first:.3f} ± {first.std_error:.3f}" in out
    assert err == ""  # no progress where there is no terminal


RAW = ["--preprocess", "none", "--base", "none"]
BAD = {
    "no file": (["none.csv", "--x", "a", "--y", "b"], USAGE, "none.csv does not exist"),
    "another kind": (["pairs.xls", "--x", "a", "--y", "b"], USAGE, "expected .parquet, .csv, .tsv, .npz"),
    "not its kind": (["text.parquet", "--x", "a", "--y", "b"], USAGE, "is not a readable .parquet file"),
    "no column": (["pairs.csv", "--x", "a", "--y", "texts"], USAGE, "'texts', which --y names; the nearest is 'text'"),
    "semicolons": (["semicolons.csv", "--x", "a", "--y", "b"], USAGE, "columns have to be separated by commas"),
    "headless": (["headless.csv", "--x", "a", "--y", "b"], USAGE, "the first line of the file has to name the columns"),
    "objects": (["pairs.npz", "--x", "objects", "--y", "b"], USAGE, "is not a readable .npz file: Object arrays"),
    "an empty name": (["pairs.csv", "--x", "a,", "--y", "b"], USAGE, "--x is 'a,', which has an empty name"),
    "both sides": (["pairs.csv", "--x", "a,b", "--y", "b"], USAGE, "'b' is in both --x and --y"),
    "lengths": (["pairs.npz", "--x", "a,short", "--y", "b"], USAGE, "number of rows; found a (600, 1), short (5, 1)"),
    "setting": (["pairs.csv", "--x", "a", "--y", "b", "--variant", "d"], USAGE, "variant is 'd'; expected c, j"),
    "level": (
        ["pairs.csv", "--x", "a", "--y", "b", "--level", "95"],
        USAGE,
        "level is 95.0; expected a number between",
    ),
    "threads": (["pairs.csv", "--x", "a", "--y", "b", "--threads", "0"], USAGE, "threads is 0; expected an integer"),
    "seed": (["pairs.csv", "--x", "a", "--y", "b", "--seed", "-1"], USAGE, "seed is -1; expected an integer from 0"),
    "save": (["pairs.csv", "--x", "a", "--y", "b", "--save", "no/fit"], USAGE, "save is no/fit; expected the path"),
    "save to a folder": (["pairs.csv", "--x", "a", "--y", "b", "--save", "."], USAGE, "expected the path of a file"),
    "smallest batch": (
        ["pairs.csv", "--x", "a", "--y", "b", "--batch-size", "2"],
        USAGE,
        "expected at least 3",
    ),
    "a dimension too many": (
        ["pairs.npz", "--x", "a,images", "--y", "b"],
        USAGE,
        "found a (600, 1), images (600, 1, 1)",
    ),
    "text beside numbers": (
        ["pairs.npz", "--x", "a,town", "--y", "b"],
        SAMPLES,
        "x holds 'Rome' of type str in row 1, column 'town'",
    ),
    "half an archive": (["half.npz", "--x", "a", "--y", "b"], USAGE, "half.npz is not a readable .npz file"),
    "twice": (["twice.csv", "--x", "a", "--y", "b"], USAGE, "more than one column 'b', which --y names"),
    "brackets": (["pairs.csv", "--x", "[ab]", "--y", "c"], USAGE, "has no column '[ab]', which --x names"),
    "dates": (["pairs.parquet", "--x", "a,day", "--y", "b"], SAMPLES, "day holds values of type datetime64"),
    "text": (["pairs.csv", "--x", "a,text", "--y", "b"], SAMPLES, "x holds 't' of type str in row 1, column 'text'"),
    "missing": (
        ["pairs.csv", "--x", "a", "--y", "gaps"],
        SAMPLES,
        "pairs.csv: y: 3 of 600 values are NaN or infinite, the first in row 1, column 'gaps'",
    ),
    "no rows": (["header.csv", "--x", "a", "--y", "b"], SAMPLES, "header.csv: x has no rows"),
    "too few": (["pairs.csv", "--x", "a", "--y", "b", "--batch-size", "600"], SAMPLES, "expected 600 to train on"),
    "diverges": (
        ["pairs.csv", "--x", "huge", "--y", "b", *RAW],
        FAILED,
        "the estimation failed: The loss of",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_failure_has_a_message_and_a_status(folder, kind, capsys, monkeypatch) -> None:
    monkeypatch.chdir(folder)
    Path("text.parquet").write_text("text")
    Path("half.npz").write_bytes(Path("pairs.npz").read_bytes()[:5000])
    Path("twice.csv").write_text("a,b,b\n1,2,3\n")
    Path("header.csv").write_text("a,b\n")
    arguments, status, message = BAD[kind]
    assert main(["estimate", *QUICK, *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("minde: ")
    assert message in err
    assert str(status) in STATUS


def test_few_different_values_are_warned_of(folder, capsys) -> None:
    assert main(["estimate", f"{folder}/pairs.csv", "--x", "group", "--y", "b", *QUICK, "--json"]) == 0
    assert capsys.readouterr().err.startswith("minde: warning: x: column 'group' has 3 different values in 600 rows")


def test_an_estimate_that_cannot_be_saved_is_printed_all_the_same(folder, capsys) -> None:
    path = str(folder / ("n" * 255))  # leaves no room for the end of a temporary name
    assert main(["estimate", f"{folder}/pairs.csv", "--x", "a", "--y", "b", *QUICK, "--save", path]) == FAILED
    out, err = capsys.readouterr()
    assert out.startswith("I(X; Y) = ")
    assert "was not saved" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_result_that_cannot_be_printed_has_a_message() -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([sys.executable, "-m", "minde", "tasks"], stdout=full, stderr=subprocess.PIPE)
    assert run.returncode == FAILED
    assert run.stderr == b"minde: the result could not be written: [Errno 28] No space left on device\n"


def test_a_reader_that_has_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run([sys.executable, "-m", "minde", "tasks"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (run.returncode, run.stderr) == (FAILED, b"")


def test_a_terminal_gets_progress(folder) -> None:
    """With a pseudo-terminal as standard error and a pipe as standard output."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "minde", "estimate", f"{folder}/pairs.npz", "--x", "a", "--y", "b", *QUICK]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    assert "steps 32/32 (100%)" in os.read(ours, 100_000).decode()
    os.close(ours)
    assert run.stdout.startswith("I(X; Y) = ")


def test_every_option_is_a_setting_of_the_estimator_and_its_help_says_the_default() -> None:
    params = MINDE().get_params()
    for option, (kind, _, default) in SETTINGS.items():
        assert params[option.removeprefix("--").replace("-", "_")] == kind(default)


def test_tasks_are_listed_for_people_and_for_programs(capsys) -> None:
    assert main(["tasks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 41
    assert lines[1].split()[:4] == ["1v1-normal-0.75", "1", "1", "0.4133"]
    assert main(["tasks", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [task["id"] for task in listed] == list(BENCHMARK)
    assert listed[0]["mi_true"] == BENCHMARK["1v1-normal-0.75"].mi_true


def test_the_installed_command_is_this_one() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert EntryPoint("minde", project["scripts"]["minde"], "console_scripts").load() is main
    assert parser().prog == "minde"
