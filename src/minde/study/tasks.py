"""The benchmark's 40 tasks, those of high mutual information, and user files, without loading the benchmark.

Snakemake reads this table on the login node, once per job, where importing benchmark-mi (and with it jax) would cost
seconds. A test compares every entry with `bmi.benchmark.BENCHMARK_TASKS`.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, kw_only=True)
class Task:
    """A distribution of (X, Y) that can be sampled."""

    id: str
    """Id in benchmark-mi, or in the config; used in file names."""
    name: str
    """Name in benchmark-mi, without spaces around the multiplication sign; for a user file, its id."""
    dim_x: int
    dim_y: int
    mi_true: float | None
    """Mutual information in nats, if known."""


# (id, name, dim_x, dim_y, true mutual information in nats), in the benchmark's order.
_ROWS = (
    ("1v1-normal-0.75", "Bivariate normal 1×1", 1, 1, 0.41333928659223396),
    ("normal_cdf-1v1-normal-0.75", "Normal CDF @ Bivariate normal 1×1", 1, 1, 0.41333928659223396),
    ("1v1-additive-0.1", "Uniform 1×1 (additive noise=0.1)", 1, 1, 1.7094379663467407),
    ("1v1-additive-0.75", "Uniform 1×1 (additive noise=0.75)", 1, 1, 0.3333333333333333),
    ("1v1-bimodal-0.75", "Bimodal 1×1", 1, 1, 0.41333928659223396),
    ("wiggly-1v1-normal-0.75", "Wiggly @ Bivariate normal 1×1", 1, 1, 0.41333928659223396),
    ("half_cube-1v1-normal-0.75", "Half-cube @ Bivariate normal 1×1", 1, 1, 0.41333928659223396),
    ("student-identity-1-1-1", "Student-t 1×1 (dof=1)", 1, 1, 0.22417142752923613),
    ("asinh-student-identity-1-1-1", "Asinh @ Student-t 1×1 (dof=1)", 1, 1, 0.22417142752923613),
    ("swissroll_x-normal_cdf-1v1-normal-0.75", "Swiss roll 2×1", 2, 1, 0.41333928659223396),
    ("multinormal-dense-2-2-0.5", "Multinormal 2×2 (dense)", 2, 2, 0.2938933324510593),
    ("multinormal-dense-3-3-0.5", "Multinormal 3×3 (dense)", 3, 3, 0.41333928659223407),
    ("multinormal-dense-5-5-0.5", "Multinormal 5×5 (dense)", 5, 5, 0.5928118328288701),
    ("multinormal-dense-25-25-0.5", "Multinormal 25×25 (dense)", 25, 25, 1.2921837216593275),
    ("multinormal-dense-50-50-0.5", "Multinormal 50×50 (dense)", 50, 50, 1.6242653743036897),
    ("multinormal-sparse-2-2-2-2.0", "Multinormal 2×2 (2-pair)", 2, 2, 1.0216512475319819),
    ("multinormal-sparse-3-3-2-2.0", "Multinormal 3×3 (2-pair)", 3, 3, 1.0216512475319819),
    ("multinormal-sparse-5-5-2-2.0", "Multinormal 5×5 (2-pair)", 5, 5, 1.021651247531981),
    ("multinormal-sparse-25-25-2-2.0", "Multinormal 25×25 (2-pair)", 25, 25, 1.0216512475319774),
    ("student-identity-2-2-1", "Student-t 2×2 (dof=1)", 2, 2, 0.43194562200144127),
    ("student-identity-2-2-2", "Student-t 2×2 (dof=2)", 2, 2, 0.1931471805599454),
    ("student-identity-3-3-2", "Student-t 3×3 (dof=2)", 3, 3, 0.29092192268276484),
    ("student-identity-3-3-3", "Student-t 3×3 (dof=3)", 3, 3, 0.17871185309236282),
    ("student-identity-5-5-2", "Student-t 5×5 (dof=2)", 5, 5, 0.44815067691532917),
    ("student-identity-5-5-3", "Student-t 5×5 (dof=3)", 5, 5, 0.29854362265275824),
    ("normal_cdf-multinormal-sparse-3-3-2-2.0", "Normal CDF @ Multinormal 3×3 (2-pair)", 3, 3, 1.0216512475319819),
    ("normal_cdf-multinormal-sparse-5-5-2-2.0", "Normal CDF @ Multinormal 5×5 (2-pair)", 5, 5, 1.021651247531981),
    (
        "normal_cdf-multinormal-sparse-25-25-2-2.0",
        "Normal CDF @ Multinormal 25×25 (2-pair)",
        25,
        25,
        1.0216512475319774,
    ),
    ("half_cube-multinormal-sparse-3-3-2-2.0", "Half-cube @ Multinormal 3×3 (2-pair)", 3, 3, 1.0216512475319819),
    ("half_cube-multinormal-sparse-5-5-2-2.0", "Half-cube @ Multinormal 5×5 (2-pair)", 5, 5, 1.021651247531981),
    ("half_cube-multinormal-sparse-25-25-2-2.0", "Half-cube @ Multinormal 25×25 (2-pair)", 25, 25, 1.0216512475319774),
    ("spiral-multinormal-sparse-3-3-2-2.0", "Spiral @ Multinormal 3×3 (2-pair)", 3, 3, 1.0216512475319819),
    ("spiral-multinormal-sparse-5-5-2-2.0", "Spiral @ Multinormal 5×5 (2-pair)", 5, 5, 1.021651247531981),
    ("spiral-multinormal-sparse-25-25-2-2.0", "Spiral @ Multinormal 25×25 (2-pair)", 25, 25, 1.0216512475319774),
    (
        "spiral-normal_cdf-multinormal-sparse-3-3-2-2.0",
        "Spiral @ Normal CDF @ Multinormal 3×3 (2-pair)",
        3,
        3,
        1.0216512475319819,
    ),
    (
        "spiral-normal_cdf-multinormal-sparse-5-5-2-2.0",
        "Spiral @ Normal CDF @ Multinormal 5×5 (2-pair)",
        5,
        5,
        1.021651247531981,
    ),
    (
        "spiral-normal_cdf-multinormal-sparse-25-25-2-2.0",
        "Spiral @ Normal CDF @ Multinormal 25×25 (2-pair)",
        25,
        25,
        1.0216512475319774,
    ),
    ("asinh-student-identity-2-2-1", "Asinh @ Student-t 2×2 (dof=1)", 2, 2, 0.43194562200144127),
    ("asinh-student-identity-3-3-2", "Asinh @ Student-t 3×3 (dof=2)", 3, 3, 0.29092192268276484),
    ("asinh-student-identity-5-5-2", "Asinh @ Student-t 5×5 (dof=2)", 5, 5, 0.44815067691532917),
)

BENCHMARK = {
    row[0]: Task(id=row[0], name=row[1], dim_x=row[2], dim_y=row[3], mi_true=row[4]) for row in _ROWS
}  # by id, in the benchmark's order

# The paper's Figure 1: 3 + 3 coordinates of which two pairs are dependent, untransformed and transformed.
HIGH_MI_VERSIONS = {"": "{}", "half_cube-": "Half-cube @ {}", "spiral-": "Spiral @ {}"}
HIGH_MI = {
    f"{version}high-mi-{nats:.1f}": Task(
        id=f"{version}high-mi-{nats:.1f}",
        name=name.format(f"Multinormal 3×3 (MI={nats:.1f})"),
        dim_x=3,
        dim_y=3,
        mi_true=nats,
    )
    for version, name in HIGH_MI_VERSIONS.items()
    for nats in (half / 2 for half in range(11))
}  # by id

TASKS = BENCHMARK | HIGH_MI
GROUPS = {"all": tuple(BENCHMARK), "high-mi": tuple(HIGH_MI)}
"""Groups of tasks: a name in `tasks` that stands for all of these ids."""


def task(task_id: str) -> Task:
    """Return the task with this id. Raises ValueError with the nearest valid id."""
    try:
        return TASKS[task_id]
    except KeyError:
        raise ValueError(f"unknown task {task_id!r}{suggestion(task_id, TASKS)}") from None


def matching(pattern: str, ids: Iterable[str]) -> list[str]:
    """Return the ids that match a glob such as `student-*`, in their order."""
    return [task_id for task_id in ids if fnmatchcase(task_id, pattern)]


def own_task(task_id: str, entry: dict) -> Task:
    """Return the task of a user file, an entry of the config's `data`."""
    return Task(id=task_id, name=task_id, dim_x=len(entry["x"]), dim_y=len(entry["y"]), mi_true=entry.get("mi_true"))


def suggestion(name: str, valid) -> str:
    """Return `; the nearest valid name is …` for a misspelt name, or an empty string if no name is near."""
    spelled = {str(one).lower(): one for one in valid}
    near = difflib.get_close_matches(str(name).lower(), list(spelled), n=1, cutoff=0.5)
    return f"; the nearest valid name is {spelled[near[0]]!r}" if near else ""
