"""Write quickstart.ipynb, with outputs, from quickstart.py: `.venv/bin/python examples/make_notebook.py`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def notebook_of(script: str) -> nbformat.NotebookNode:
    """Return a script as a notebook: `# %%` starts a code cell, `# %% [markdown]` a text cell."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, part in enumerate(script.split("# %%")[1:]):
        kind, _, source = part.partition("\n")
        if kind.strip() == "[markdown]":
            source = "\n".join(line.removeprefix("#").removeprefix(" ") for line in source.splitlines())
            cell = nbformat.v4.new_markdown_cell(source.strip())
        else:
            cell = nbformat.v4.new_code_cell(source.strip())
        cell.id = f"cell-{number}"  # not random, so that a rebuild changes nothing
        notebook.cells.append(cell)
    return notebook


def run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """Execute a notebook in a folder. Raises nbclient's CellExecutionError if a cell fails."""
    place = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, timeout=600, startup_timeout=600, resources=place).execute()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        executed = run(notebook_of((HERE / "quickstart.py").read_text()), Path(folder))
    for cell in executed.cells:
        cell.metadata.pop("execution", None)  # times of day
    nbformat.write(executed, HERE / "quickstart.ipynb")
