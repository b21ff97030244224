"""A bundle rebuilds tables and figures where neither torch nor jax can be imported, and estimates from weights."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from running import ESTIMATION, OF_IMAGES, ROOT, TINY, checkout, copy, environment, snakemake

from minde.study import results

ABSENT = ("torch", "jax", "jaxlib", "bmi", "safetensors")
BUILT = ("tables", "figures")

# Everything else that a figure can be made from.
WIDE = TINY | OF_IMAGES | {"name": "wide", "tasks": TINY["tasks"], "compared_with": "tiny"}
WIDE |= {"experiments": {"estimation": ESTIMATION}}


@pytest.fixture(scope="module")
def bundles(study, tmp_path_factory):
    """The folder of the tiny study's results with both of its bundles."""
    folder = copy(study, tmp_path_factory.mktemp("bundles") / "minde")
    snakemake(folder, "bundle", "bundle_weights", "--configfile", "tiny.yaml")
    return folder / "results/tiny"


@pytest.fixture
def laptop(tmp_path):
    """A checkout in which no process of the workflow can import the packages that a laptop lacks."""
    folder = checkout(tmp_path / "laptop")
    for name in ABSENT:
        (folder / f"src/{name}.py").write_text(f"raise ImportError('there is no {name} on this laptop')\n")
    return folder


def files(folder):
    """What lies in a folder's tables and figures, by name."""
    return {path.relative_to(folder): path.read_bytes() for kind in BUILT for path in (folder / kind).iterdir()}


def test_tables_and_figures_are_rebuilt_byte_for_byte_without_torch_and_jax(bundles, laptop, tmp_path):
    for name in ABSENT:
        run = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=laptop / "src", env=environment())
        assert run.returncode != 0
    arguments = [*BUILT, "--config", f"from_bundle={bundles}/bundle.zip"]
    printed = snakemake(laptop, *arguments)
    [rebuilt] = (laptop / "results").iterdir()
    assert rebuilt.name.startswith("tiny@")
    assert files(rebuilt) == files(bundles)
    assert "train" not in printed.split("Job stats:")[1].split("total")[0].split()
    assert "Nothing to be done" in snakemake(laptop, *arguments)
    moved = shutil.copy(bundles / "bundle.zip", tmp_path / "moved.zip")
    assert "Nothing to be done" in snakemake(laptop, *BUILT, "--config", f"from_bundle={moved}")


def test_so_are_those_of_experiments_consistency_tests_and_a_comparison(study, laptop, tmp_path):
    folder = copy(study, tmp_path / "minde")
    (folder / "wide.yaml").write_text(yaml.safe_dump(WIDE))
    snakemake(folder, "bundle", "--configfile", "wide.yaml")
    made = files(folder / "results/wide")
    names = {str(path) for path in made}
    assert {f"figures/{name}.pdf" for name in ("estimation", "consistency", "comparison_1")} < names
    assert "tables/consistency.md" in names
    snakemake(laptop, *BUILT, "--config", f"from_bundle={folder}/results/wide/bundle.zip")
    [rebuilt] = (laptop / "results").iterdir()
    assert files(rebuilt) == made


def test_a_changed_bundle_is_refused_and_nothing_is_written(bundles, laptop):
    content = (bundles / "bundle.zip").read_bytes()
    place = content.index(b"PAR1") + 100
    (laptop / "bundle.zip").write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    printed = snakemake(laptop, *BUILT, "--config", "from_bundle=bundle.zip", fails=True)
    assert "bundle.zip is refused" in printed
    assert "'estimates.parquet' is damaged" in printed
    assert "Traceback" not in printed
    assert not (laptop / "results").exists()


def test_no_other_settings_go_with_a_bundle(bundles, laptop):
    arguments = [*BUILT, "--configfile", "tiny.yaml", "--config", f"from_bundle={bundles}/bundle.zip"]
    assert "leave them out" in snakemake(laptop, *arguments, fails=True)


def test_the_results_that_the_readme_shows_are_rebuilt_from_their_bundle(laptop):
    shown = ROOT / "docs/results/methods"
    snakemake(laptop, "tables", "--config", f"from_bundle={shown}/bundle.zip")
    [rebuilt] = (laptop / "results").iterdir()
    for name in ("table1.md", "table1_at_2000.md", "summary.md"):
        assert (rebuilt / "tables" / name).read_text() == (shown / name).read_text()
    head, *rows = (shown / "summary.md").read_text().splitlines()
    # The README's table has a column more, its second: the rows that a method reads.
    cells = [line.split("|") for line in (ROOT / "README.md").read_text().splitlines()]
    readme = ["|".join([*line[:2], *line[3:]]) for line in cells]
    start = readme.index(head) + 1
    table = readme[start : readme.index("", start)]
    assert table == [row for row in rows if row in table]  # a selection of rows, in their order
    assert {row for row in rows if " * |" in row} < set(table)
    with zipfile.ZipFile(shown / "bundle.zip") as bundle:
        packed = {Path(name).name: bundle.read(name) for name in bundle.namelist()}
    assert all(path.read_bytes() == packed[path.name] for path in shown.iterdir() if path.name != "bundle.zip")


@pytest.mark.slow
def test_estimates_are_made_again_from_weights(bundles, tmp_path):
    folder = checkout(tmp_path / "minde")
    shutil.copy(bundles / "weights.zip", folder)
    printed = snakemake(folder, "estimates", "--config", "from_bundle=weights.zip")
    assert "train" not in printed.split("Job stats:")[1].split("total")[0].split()
    [made] = (folder / "results").iterdir()
    again, first = (results.read_estimates(path / "estimates.parquet") for path in (made, bundles))
    timed = ["seconds", "train_seconds"]
    assert again.drop_columns(timed).equals(first.drop_columns(timed))
