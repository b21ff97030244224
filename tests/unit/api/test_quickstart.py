"""The quickstart: script and notebook are the same, the notebook runs, and both give the right answer."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
sys.path.insert(0, str(EXAMPLES))

import make_notebook  # noqa: E402

SCRIPT = (EXAMPLES / "quickstart.py").read_text()
TRUTH = 0.413


def answer(text: str) -> float:
    """The printed estimate."""
    return float(re.search(r"I\(X; Y\) = ([\d.]+) nats", text)[1])


def printed(notebook: nbformat.NotebookNode) -> str:
    """The printed output of a notebook's cells."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def test_the_notebook_is_the_script_and_holds_the_right_answer() -> None:
    kept, expected = nbformat.read(EXAMPLES / "quickstart.ipynb", 4), make_notebook.notebook_of(SCRIPT)
    assert [(cell.cell_type, cell.source) for cell in kept.cells] == [
        (cell.cell_type, cell.source) for cell in expected.cells
    ], "examples/quickstart.py has changed: run .venv/bin/python examples/make_notebook.py"
    assert answer(printed(kept)) == pytest.approx(TRUTH, abs=0.02)
    assert any("image/png" in output.get("data", {}) for cell in kept.cells for output in cell.get("outputs", []))


def test_the_notebook_runs(tmp_path, monkeypatch) -> None:
    """With few samples and steps: for normals a Gaussian base needs no training."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    short = SCRIPT.replace("10_000", "2_000").replace('MINDE(variant="c",', 'MINDE(variant="c", steps=32,')
    assert short.count("steps=32") == short.count("2_000") == 1
    executed = make_notebook.run(make_notebook.notebook_of(short), tmp_path)
    assert answer(printed(executed)) == pytest.approx(TRUTH, abs=0.1)
    assert (tmp_path / "quickstart.png").stat().st_size > 10_000


@pytest.mark.slow
def test_the_script_ends_with_the_right_answer_and_a_plot(tmp_path) -> None:
    environment = os.environ | {"MPLBACKEND": "agg"}
    command = [sys.executable, EXAMPLES / "quickstart.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert answer(run.stdout) == pytest.approx(TRUTH, abs=0.02)
    assert (tmp_path / "quickstart.png").stat().st_size > 10_000
