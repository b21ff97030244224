"""The environments of --sdm conda are pinned like the lock, resolve as they are, and run their rules."""

import os
import re
import subprocess
import sys

import pytest
import yaml
from running import ESTIMATION, ROOT, copy, snakemake

ENVS = ("samples", "train", "experiments", "report")

# benchmark-mi declares pandas<2 and pydantic<2. The lock overrides both for Snakemake; an environment without Snakemake
# does not need to.
_OLDER = {"pandas": "1.5.3", "pydantic": "1.10.27"}
DECLARED_BY_BENCHMARK_MI = {"samples": _OLDER, "experiments": _OLDER}


def pip_section(env):
    """Requirements of an environment's pip section."""
    dependencies = yaml.safe_load((ROOT / f"envs/{env}.yaml").read_text())["dependencies"]
    return next(entry["pip"] for entry in dependencies if isinstance(entry, dict))


def locked():
    """Versions by name; a package may have one per version of Python."""
    pins = re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    return {name: {version for other, version in pins if other == name} for name, _ in pins}


@pytest.mark.parametrize("env", ENVS)
def test_pins_agree_with_the_lock(env):
    lock, differing = locked(), {}
    for requirement in pip_section(env):
        name, version = requirement.split("==")
        if version not in lock[name]:
            differing[name] = version
    assert differing == DECLARED_BY_BENCHMARK_MI.get(env, {})


def test_the_lock_names_no_place_to_download_from():
    assert not re.search(r"https?:|^-|@", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)


# All packages that these modules import must be in the environment of their rules.
IMPORTS = {
    "experiments": ["experiments/*.py", "baselines/ksg.py", "baselines/mine*.py", "steps/experiment.py"],
    "train": ["diffusion/*.py", "images/*.py", "steps/latents.py", "steps/train.py", "steps/estimate.py"],
    "report": [
        "study/figures/**/*.py",
        "study/experiment_rows.py",
        "study/intervals.py",
        "study/tables/*.py",
    ],
}
DISTRIBUTIONS = {"bmi": "benchmark-mi", "sklearn": "scikit-learn", "mpl_toolkits": "matplotlib"}


@pytest.mark.parametrize("env", IMPORTS)
def test_an_environment_has_what_its_steps_import(env):
    held = {requirement.split("==")[0] for requirement in pip_section(env)}
    for pattern in IMPORTS[env]:
        for path in (ROOT / "src/minde").glob(pattern):
            names = re.findall(r"^ *(?:import|from(?= \S+ import )) ([a-z]\w+)", path.read_text(), flags=re.MULTILINE)
            others = {DISTRIBUTIONS.get(name, name) for name in names} - sys.stdlib_module_names - {"minde"}
            assert others <= held, path


@pytest.fixture(scope="module")
def commands(study):
    """Shell commands of the tiny study with an experiment by their verb, as Snakemake prints them."""
    (study / "experiment.yaml").write_text(yaml.safe_dump({"experiments": {"estimation": ESTIMATION}}))
    configs = ("--configfile", "tiny.yaml", "experiment.yaml")
    printed = snakemake(study, *configs, "--forceall", "--dry-run", "--printshellcmds")
    # One command per verb is enough.
    found = re.findall(r"^Shell command: (step .*)", printed, re.MULTILINE)
    return {command.split()[1]: re.sub(r" 2> \S+", "", command) for command in found}  # show errors here


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the environments are of Python 3.11, as this one is not")
@pytest.mark.parametrize(
    ("env", "verbs"),
    [
        ("samples", ("sample", "baseline")),
        ("train", ("train", "estimate")),
        ("experiments", ("experiment",)),
        ("report", ("merge", "table", "hyperparameters", "figure")),
    ],
)
def test_the_pip_section_resolves_and_runs_its_rules(env, verbs, commands, study, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install"]
    subprocess.run([*pip, "--quiet", "--no-compile", *pip_section(env)], check=True)  # compiling takes longest
    folder = copy(study, tmp_path / "minde")
    environment = os.environ | {"PYTHONPATH": "src"}
    for verb in verbs:
        script = f'step() ( {python} -m minde.steps "$@" ); {commands[verb]}'
        run = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
