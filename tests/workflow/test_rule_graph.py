"""The rule graph that the README shows is that of the default study."""

import re

from running import ROOT, snakemake

ARROW = re.compile(r"^\s*(\w+) --> (\w+)$", flags=re.MULTILINE)


def test_the_readme_shows_the_rules_of_the_default_study():
    printed = snakemake(ROOT, "--rulegraph", "mermaid-js")
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", printed))
    graph = {(names[one], names[two]) for one, two in ARROW.findall(printed)}
    [shown] = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert set(ARROW.findall(shown)) == graph
