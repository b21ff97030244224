"""README and docs: links, references to the API and the table of contents are valid, and examples agree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from minde.__main__ import FAILED, INTERRUPTED, SAMPLES, USAGE
from minde.study import config as configs

ROOT = Path(__file__).parents[3]


def test_the_docs_build_strictly(tmp_path) -> None:
    command = ["sphinx.cmd.build", "-W", "--keep-going", "-n", "-q", "-d", tmp_path / "doctrees"]
    run = subprocess.run(
        [sys.executable, "-m", *command, ROOT / "docs", tmp_path / "html"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    reference = (tmp_path / "html/python.html").read_text()
    for name in ("MINDE.fit", "MINDE.estimate", "kl_divergence", "Estimate.interval"):
        assert f'id="minde.{name}"' in reference


def test_a_broken_link_fails_the_build(tmp_path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "conf.py").write_text((ROOT / "docs/conf.py").read_text())
    (docs / "index.md").write_text("# Title\n\n[nowhere](nowhere.md)\n")
    run = subprocess.run(
        [sys.executable, "-m", "sphinx.cmd.build", "-W", "-n", "-q", docs, tmp_path / "html"],
        capture_output=True,
        text=True,
    )
    assert run.returncode != 0
    assert "nowhere.md" in run.stderr


def test_every_exit_status_is_documented() -> None:
    listed = re.findall(r"^\| (\d+) \|", (ROOT / "docs/command-line.md").read_text(), flags=re.MULTILINE)
    assert [int(status) for status in listed] == [0, FAILED, USAGE, SAMPLES, INTERRUPTED]


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)\s]+)\)", (ROOT / "README.md").read_text()):
        path, _, anchor = target.partition("#")
        page = ROOT / (path or "README.md")
        assert page.exists(), target
        titles = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE) if anchor else []
        # As GitHub makes anchors of titles.
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles], target


@pytest.mark.parametrize(("page", "name"), [("README.md", "trial"), ("docs/study.md", "tails")])
def test_the_study_that_a_page_shows_is_one(page, name) -> None:
    shown = re.search(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)[1]
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load(shown))
    assert configs.resolve(config, ROOT)["name"] == name
