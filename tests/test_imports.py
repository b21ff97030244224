"""Imports point downward only: a fresh interpreter imports each room, and must not load what that room may not."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
HEAVY = {"torch", "jax", "bmi", "pandas", "matplotlib", "pyarrow", "numpy", "scipy", "sklearn"}
ROOMS = {f"minde.{name}" for name in ("api", "baselines", "diffusion", "experiments", "images", "steps", "study")}

# Room or module -> top-level packages and rooms of ours that importing it must not load.
FORBIDDEN = {
    "minde": HEAVY | ROOMS,
    "minde.__main__": HEAVY | ROOMS,
    "minde.api": {"jax", "bmi", "matplotlib"} | ROOMS - {"minde.api", "minde.diffusion"},
    "minde.files": HEAVY | ROOMS,
    "minde.hardware": HEAVY | ROOMS,
    "minde.tensors": HEAVY - {"numpy"} | ROOMS,
    "minde.steps.__main__": HEAVY | ROOMS - {"minde.steps"},
    # A process whose cell another one trains only waits.
    "minde.steps.together": HEAVY | ROOMS - {"minde.steps"},
    # Also on a laptop, see below.
    "minde.steps.hyperparameters": {"torch", "jax", "bmi"},
    # Snakemake loads these on the login node, once per job.
    "minde.study.config": HEAVY | ROOMS - {"minde.study"},
    "minde.study.design": HEAVY | ROOMS - {"minde.study"},
    "minde.study.bundle": HEAVY | ROOMS - {"minde.study"},
    "minde.study.labels": HEAVY | ROOMS - {"minde.study"},
    "minde.study.tasks": HEAVY | ROOMS - {"minde.study"},
    # On a laptop that has a bundle and no more than envs/report.yaml.
    "minde.study.figures": {"safetensors", "torch", "jax", "bmi"},
    "minde.study.figures.experiments": {"safetensors", "torch", "jax", "bmi"},
    "minde.study.tables": {"safetensors", "torch", "jax", "bmi"},
    "minde.study": {"torch", "jax", "bmi"} | ROOMS - {"minde.study"},
    "minde.steps": {"jax", "bmi", "pandas", "matplotlib"},
    "minde.experiments": {"jax", "bmi", "pandas", "matplotlib", "pyarrow", "minde.steps", "minde.study"},
    "minde.images": HEAVY - {"torch", "numpy"} | ROOMS - {"minde.images"},
    "minde.diffusion": HEAVY - {"torch", "numpy"} | ROOMS - {"minde.diffusion"},
    # Knows nothing of this study; without submitit too, Snakemake must be able to import it, as it does all plugins.
    "snakemake_executor_plugin_submitit": {
        "minde",
        "submitit",
        "torch",
        "jax",
        "bmi",
        "pandas",
        "matplotlib",
        "pyarrow",
    },
    "minde.baselines": HEAVY - {"numpy"} | ROOMS - {"minde.baselines"},
}

# Modules that nothing of their room imports before it is asked for: the competitors, some of which run without torch
# and the others without jax, and packing.
IN_TORCH = ("doe", "mine", "mine_torch", "perceptrons", "stacks")
WITHOUT_TORCH = ("cca", "critics", "kde", "ksg", "lnn")
ON_DEMAND = {
    **{f"minde.baselines.{name}": HEAVY - {"torch", "numpy"} | ROOMS - {"minde.baselines"} for name in IN_TORCH},
    **{f"minde.baselines.{name}": {"torch", "matplotlib"} | ROOMS - {"minde.baselines"} for name in WITHOUT_TORCH},
    "minde.study.bundle.pack": {"safetensors", "torch", "jax", "bmi"},
}
FORBIDDEN |= ON_DEMAND


def modules(room):
    """A room's modules, or the module itself; a module that may load more than its room stands for itself."""
    folder = SOURCE / room.replace(".", "/")
    if room == "minde" or not folder.is_dir():
        return [room]
    return [
        room,
        *(
            f"{room}.{path.stem}"
            for path in sorted(folder.glob("*.py"))
            if path.stem != "__init__" and f"{room}.{path.stem}" not in ON_DEMAND
        ),
    ]


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_loads_only_what_it_may(room):
    imports = "; ".join(f"import {module}" for module in modules(room))
    command = [sys.executable, "-c", f"{imports}; import sys; print(*sys.modules)"]
    loaded = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert not loaded & FORBIDDEN[room]
