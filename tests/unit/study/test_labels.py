"""The report names the subject of a study, and the methods and tasks of its tables and figures."""

from types import SimpleNamespace

from minde.study import sources
from minde.study.labels import EXPERIMENTS, of_page, of_study, subject
from minde.study.task_labels import listed
from minde.study.tasks import BENCHMARK, HIGH_MI

TESTS = {"rows": [4, 8], "noise": 1, "images": "digits", "autoencoder": {"latent": 2}}


def test_a_study_is_of_all_kinds_of_tasks_that_it_has() -> None:
    own = {"file": "mine.csv", "x": ["a"], "y": ["b"]}
    config = {"tasks": ["1v1-normal-0.75", "high-mi-2.0", "mine"], "data": {"mine": own}, "consistency": {}}
    benchmark, high, files = subject(config).split(", and of ")
    assert benchmark.startswith("1 tasks of the benchmark of Czyż et al.")
    assert high.startswith("1 plain and transformed multinormals")
    assert files == "1 user files"


def test_a_study_of_consistency_alone_names_no_benchmark() -> None:
    config = {"tasks": [], "data": {}, "consistency": TESTS}
    assert subject(config) == "5 pairs of image latents, for consistency tests that need no true value"


def test_a_page_names_its_methods_and_tasks() -> None:
    config = {
        "tasks": list(BENCHMARK),
        "methods": ["ksg", "minde-c", "minde-j"],
        "train_sizes": [100],
        "minde": {"estimators": {"formulas": ["inside"], "sigmas": [1.0]}},
        "compared_with": "",
    }
    page = SimpleNamespace(page="2")
    assert of_page(config, "Spread", "spread", "PDF")(page) == {
        "shows": "Spread, page 2 of 2",
        "methods": "MINDE-j, MINDE-c, KSG",
        "tasks": "St 2×2, 3×3, 5×5 (dof=2); St 3×3, 5×5 (dof=3); Nm CDF @ Mn 3×3, 5×5, 25×25 (2-pair); "
        "Hc @ Mn 3×3, 5×5, 25×25 (2-pair); "
        "Sp @ Mn 3×3, 5×5, 25×25 (2-pair); Sp @ Nm CDF @ Mn 3×3, 5×5, 25×25 (2-pair); "
        "Asinh @ St 2×2 (dof=1); Asinh @ St 3×3, 5×5 (dof=2)",
        "format": "PDF",
    }
    assert of_page(config, "Curves", "training_curve", "PNG")(page)["methods"] == "MINDE-j, MINDE-c"
    assert of_study(config, "Table 1", "HTML")["tasks"] == "all 40"


def test_a_page_of_many_different_tasks_names_the_first_and_the_last() -> None:
    assert listed(list(HIGH_MI)) == "Mn 3×3 (MI=0.0); …; Sp @ Mn 3×3 (MI=5.0) (33)"


def test_every_experiment_has_a_title() -> None:
    assert EXPERIMENTS.keys() == sources.EXPERIMENTS.keys()
