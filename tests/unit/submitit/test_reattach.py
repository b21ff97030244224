"""Jobs of runs that have ended without them: found again, once the cluster has said what is left."""

from types import SimpleNamespace

from snakemake_executor_plugin_submitit import reattach


def test_a_cluster_that_does_not_answer_is_asked_until_it_does(monkeypatch):
    """Jobs that it does not name would otherwise be submitted a second time."""
    monkeypatch.setattr(reattach, "AGAIN", 0.0)
    said, answers = [], iter([None, None, {"7_0"}])
    cluster = SimpleNamespace(alive=lambda runs, ids: next(answers))
    logger = SimpleNamespace(warning=said.append)
    living = reattach._wait_for_living(cluster, [SimpleNamespace(id="run")], ["7_0"], logger)
    assert living == {"7_0"}
    assert len(said) == 2
