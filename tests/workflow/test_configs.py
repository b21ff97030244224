"""Configs plan the right jobs, and an invalid one stops before any job."""

import re
import shutil

import pytest
import yaml
from running import ROOT, checkout, snakemake
from snakemake.utils import update_config

from minde.study import config as configs
from minde.study import methods, pages, samples


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A checkout without results."""
    return checkout(tmp_path_factory.mktemp("fresh") / "minde")


def planned(output):
    """Jobs per rule, from the table that Snakemake prints."""
    table = output.split("Job stats:")[1].split("total")[0]
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE)}


def expected(configured, tasks):
    """Jobs per rule of a study."""
    sizes = len(configured["train_sizes"])
    rules = {"train": methods.VARIANTS, "estimate": methods.VARIANTS, "critic": methods.CRITICS}
    rules |= {"torch_baseline": methods.TORCH}
    cells = {rule: tasks * sizes * len(set(configured["methods"]) & set(methods)) for rule, methods in rules.items()}
    cells |= {"draw_samples": tasks, "baseline": tasks * len(set(configured["methods"]) & set(methods.UNTRAINED))}
    tables = {"table1_at_size": sizes - 1}
    once = dict.fromkeys(["merge", "table1", "summary", "hyperparameters", "all"], 1)
    resolved = configs.resolve(configured, ROOT)
    once |= {figure: len(pages.pages_of(resolved, figure)) for figure in pages.TASKS_PER_PAGE}
    return {rule: jobs for rule, jobs in (cells | tables | once).items() if jobs}


def test_the_default_study(fresh):
    configured = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert planned(snakemake(fresh, "--dry-run")) == expected(configured, tasks=len(configured["tasks"]))


def test_the_papers_study(fresh):
    configured = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    update_config(configured, yaml.safe_load((ROOT / "config/paper.yaml").read_text()))
    assert planned(snakemake(fresh, "--dry-run", "--configfile", "config/paper.yaml")) == expected(configured, tasks=40)


def test_a_study_of_competitors_alone_trains_nothing(fresh):
    jobs = planned(snakemake(fresh, "--dry-run", "--config", "methods=[cca]"))
    assert {"train", "estimate"}.isdisjoint(jobs)


@pytest.mark.parametrize("target", ["estimates", "tables", "figures", "experiments"])
def test_targets_can_be_asked_for_by_name(fresh, target):
    assert target in planned(snakemake(fresh, target, "--dry-run"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("replicatse=3", "unknown key 'replicatse'; the nearest valid name is 'replicates'"),
        ("tasks=[1v1-norml-0.75]", "found '1v1-norml-0.75'; allowed: .* the nearest valid name is '1v1-normal-0.75'"),
        ("replicates=many", "replicates: found 'many'; allowed: integer from 1 to 1000"),
        ("run={device: gpu}", "run.device: found 'gpu'; allowed: auto, cpu, cuda"),
        ("minde={recipe: fsat}", "minde.recipe: found 'fsat'; .* the nearest valid name is 'fast'"),
        ("train_sizes=[2000]", "train_sizes.0: found '2000'; .* in a list or mapping of --config as text"),
    ],
)
def test_a_wrong_config_stops_before_any_job(fresh, change, message):
    output = snakemake(fresh, "--config", change, fails=True)
    assert re.search(message, output), output
    assert "Traceback" not in output
    assert not (fresh / "results").exists()


def test_a_key_that_is_there_twice_stops_before_any_job(fresh):
    text = (fresh / "tiny.yaml").read_text()
    (fresh / "twice.yaml").write_text(f"{text}seed: 1\nseed: 2\n")
    lines = len(text.splitlines())
    output = snakemake(fresh, "--configfile", "twice.yaml", fails=True)
    assert f"twice.yaml, line {lines + 2}: found the key seed again, as in line {lines + 1}; allowed: once" in output


def test_a_study_to_compare_with_must_be_there(fresh):
    output = snakemake(fresh, "--configfile", "tiny.yaml", "--config", "compared_with=other", fails=True)
    assert "compared_with names other, but results/other/estimates.parquet does not exist: run other first" in output


def test_the_study_is_a_module_of_another_workflow(fresh, tmp_path):
    lines = ["module minde:", f"    snakefile: {str(fresh / 'Snakefile')!r}", "use rule * from minde as minde_*"]
    (tmp_path / "Snakefile").write_text("\n".join(lines) + "\n")
    assert planned(snakemake(tmp_path, "minde_tables", "--dry-run"))["minde_train"] == 16


def test_a_workflow_that_uses_the_module_keeps_its_prefix(fresh, tmp_path):
    """It has braces, and one of its rules needs a result of the module's."""
    table = "results/small/tables/hyperparameters.md"
    lines = [
        "shell.prefix('export NOTE=\"{{kept}}\"; ')",
        "module minde:",
        f"    snakefile: {str(fresh / 'Snakefile')!r}",
        "use rule * from minde as minde_*",
        "rule note:",
        f"    input: {table!r}",
        "    output: 'note.txt'",
        "    shell: 'echo $NOTE > {output}'",
    ]
    (tmp_path / "Snakefile").write_text("\n".join(lines) + "\n")
    snakemake(tmp_path, "--cores", "1", "note.txt")
    assert (tmp_path / "note.txt").read_text() == "{kept}\n"
    assert "MINDE-c" in (tmp_path / table).read_text()


def test_the_workflow_that_the_docs_show_draws_its_own_samples(fresh, tmp_path):
    blocks = re.findall(r"^```(python|yaml)\n(.*?)^```", (ROOT / "docs/extending.md").read_text(), flags=re.M | re.S)
    shown = dict(reversed(blocks))  # the first of each kind
    (tmp_path / "Snakefile").write_text(shown["python"].replace("/path/to/minde", str(fresh)))
    (tmp_path / "ring.yaml").write_text(shown["yaml"])
    snakemake(tmp_path, "--cores", "1", "results/ring/samples/ring.parquet")
    assert samples.metadata(tmp_path / "results/ring/samples/ring.parquet")["dim_x"] == 1
    assert planned(snakemake(tmp_path, "minde_all", "--dry-run"))["minde_train"] == 2
    report = ("results/ring/samples/ring.parquet", "--report", "report.html")
    assert "Report created" in snakemake(tmp_path, *report)


def test_a_checkout_may_lie_in_a_folder_whose_name_has_a_space(tmp_path):
    folder = checkout(tmp_path / "my clone")
    rates = "benchmarks/results"  # which checkout takes for results, and leaves out
    shutil.copytree(ROOT / rates, folder / rates)
    assert "hours of training" in snakemake(folder, "plan", "--configfile", "tiny.yaml")
    beside = ["-s", "my clone/Snakefile", "--configfile", "my clone/tiny.yaml"]
    assert "hours of training" in snakemake(tmp_path, "plan", *beside)
    assert "--lock 'my clone/requirements.lock'" in snakemake(tmp_path, "bundle", "-n", "-p", *beside)


def test_rules_that_can_use_a_gpu_ask_a_cluster_for_one():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    assert "configfile" not in profile  # facts about a machine, for any study
    asked = profile["set-resources"]
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    rules = re.findall(r"^rule (\w+):(.*?)(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    can = {name for name, rule in rules if "device=" in rule}
    assert {"train", "latents", "experiment", "score_errors"} < can
    assert can == {name for name, resources in asked.items() if "gpu" in resources}
