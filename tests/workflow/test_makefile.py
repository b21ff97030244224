"""`make` explains an unusable Python in one sentence and installs nothing."""

import os
import shutil
import subprocess

import pytest
from running import ROOT


def make(folder, *arguments, path=None):
    """Run make in a folder with the files it needs, without the environment of a make that runs these tests."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    inherited = ("PYTHON", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    if path:
        environment["PATH"] = str(path)
    command = [shutil.which("make"), "test", *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert run.returncode != 0
    assert not (folder / ".venv").exists()
    return run.stderr.splitlines()[0]


def fake_python(path, version="3.11", has_venv=True):
    """A program that answers like a Python that make asks."""
    path.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit {0 if has_venv else 1};; esac\necho {version}\n')
    path.chmod(0o755)
    return path


def test_cleaning_keeps_results_and_the_record_of_what_made_them(tmp_path):
    for name in ("results/small", ".snakemake/metadata", ".venv", "build"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"Makefile", "results", ".snakemake"}
    assert (tmp_path / ".snakemake/metadata").exists()


@pytest.mark.parametrize("was_moved", [False, True])
def test_the_environment_of_a_checkout_that_was_moved_is_made_anew(tmp_path, was_moved):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *venv*) echo "$*" >> calls;; esac\necho 3.11\n')
    python.chmod(0o755)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    shutil.copy(python, tmp_path / ".venv/bin/python")
    stamp = tmp_path / ".venv/installed"
    stamp.write_text("/elsewhere\n" if was_moved else f"{tmp_path}\n")
    subprocess.run(["make", f"PYTHON={python}", ".venv/installed"], cwd=tmp_path, check=True)
    calls = (tmp_path / "calls").read_text() if was_moved else ""
    assert ("-m venv --clear .venv\n" in calls) == was_moved
    assert (tmp_path / "calls").exists() == was_moved
    assert stamp.read_text() == f"{tmp_path}\n"


@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_another_python(tmp_path, version):
    python = fake_python(tmp_path / "python", version=version)
    assert make(tmp_path, f"PYTHON={python}") == (
        f"minde needs Python 3.11 or 3.12 but {python} is Python {version}; "
        "install one of them, or name one you have: make PYTHON=/path/to/python3.11"
    )


def test_a_python_without_venv(tmp_path):
    python = fake_python(tmp_path / "python", has_venv=False)
    assert make(tmp_path, f"PYTHON={python}") == (
        f"minde needs Python 3.11 or 3.12 with its module venv, which {python} (Python 3.11) lacks; "
        "on Debian and Ubuntu install python3.11-venv"
    )


def test_a_python_that_does_not_run(tmp_path):
    python = tmp_path / "python3.12"
    assert f"but {python} does not run; install" in make(tmp_path, f"PYTHON={python}")


def test_no_python_at_all_or_shims_that_run_nothing(tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "sed"):
        (programs / name).symlink_to(shutil.which(name))
    shim = programs / "python3.12"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert "but none of python3.11, python3.12 and python3 runs as one of them here" in make(tmp_path, path=programs)
