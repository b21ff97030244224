"""The static task table is the benchmark's, entry by entry."""

import pytest

from minde.study import tasks
from minde.study.task_labels import label_of


def test_the_table_is_the_benchmark_in_its_order():
    from bmi.benchmark import BENCHMARK_TASKS

    assert list(tasks.BENCHMARK) == list(BENCHMARK_TASKS)
    for task_id, theirs in BENCHMARK_TASKS.items():
        ours = tasks.TASKS[task_id]
        assert (ours.id, ours.dim_x, ours.dim_y) == (theirs.id, theirs.dim_x, theirs.dim_y)
        assert ours.name == theirs.name.replace(" × ", "×")
        assert ours.mi_true == pytest.approx(float(theirs.mutual_information), rel=1e-12)


@pytest.mark.parametrize(
    ("task_id", "label"),
    [
        ("1v1-normal-0.75", "Bivariate Nm 1×1"),
        ("normal_cdf-1v1-normal-0.75", "Nm CDF @ Bivariate Nm 1×1"),
        ("half_cube-multinormal-sparse-25-25-2-2.0", "Hc @ Mn 25×25 (2-pair)"),
        ("spiral-normal_cdf-multinormal-sparse-3-3-2-2.0", "Sp @ Nm CDF @ Mn 3×3 (2-pair)"),
        ("student-identity-1-1-1", "St 1×1 (dof=1)"),
        ("asinh-student-identity-2-2-1", "Asinh @ St 2×2 (dof=1)"),
        ("1v1-additive-0.1", "Uniform 1×1 (additive noise=0.1)"),
        ("swissroll_x-normal_cdf-1v1-normal-0.75", "Swiss roll 2×1"),
        ("wiggly-1v1-normal-0.75", "Wiggly @ Bivariate Nm 1×1"),
    ],
)
def test_labels_are_the_papers(task_id, label):
    assert label_of(task_id) == label


def test_labels_are_unique():
    assert len(set(map(label_of, tasks.TASKS))) == 40 + 33


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(ValueError, match=r"unknown task '1v1-norml-0.75'; the nearest valid name is '1v1-normal-0.75'"):
        tasks.task("1v1-norml-0.75")


def test_globs():
    assert len(tasks.matching("student-*", tasks.TASKS)) == 7
    assert tasks.matching("nothing-*", tasks.TASKS) == []


def test_tasks_of_high_mutual_information_have_the_one_that_they_are_named_by():
    from minde.study.samples import _sampler

    assert len(tasks.HIGH_MI) == 3 * 11
    for task_id, ours in tasks.HIGH_MI.items():
        theirs = _sampler(task_id)
        assert float(theirs.mutual_information) == pytest.approx(ours.mi_true, abs=1e-9)
        assert (theirs.dim_x, theirs.dim_y) == (3, 3)
        assert theirs.name.startswith(ours.name.split(" @ ")[0].split(" 3")[0])
        assert task_id.endswith(f"{ours.mi_true}")
