"""The report names the subject of a study."""

from minde.study.labels import subject

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
