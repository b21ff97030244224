"""From Snakemake's resources to sbatch's options."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_submitit.names import ResourceError, near_miss_of_resource, near_miss_of_rule
from snakemake_executor_plugin_submitit.resources import Site, parse_extra, request

SITE = Site(signal_delay=120)


def options(commands=1, site=SITE, threads=1, **resources):
    """Return the sbatch options of a job of the rule `fit`."""
    return request("fit", threads, resources, site).options(commands, "fit", "run/1", parallel=10)


def test_the_resources_of_a_plain_job():
    found = options(threads=4, mem_mb=3000, runtime=90, qos="long", constraint="a100|h100")
    assert found["cpus_per_task"] == 4
    assert found["srun_args"] == ["--cpus-per-task=4"]
    assert found["mem"] == "3000MB"
    assert found["time"] == 90
    assert (found["qos"], found["constraint"]) == ("long", "a100|h100")
    assert found["additional_parameters"] == {"requeue": True, "nodes": 1, "ntasks": 1}
    assert not {"partition", "mem_per_cpu"} & found.keys()
    assert found["wckey"] is None
    assert found["stderr_to_stdout"]  # messages about failures look for one file


def test_a_job_that_sets_nothing_has_an_hour_and_an_allocation_of_its_own():
    found = request("fit", 1, {"qos": "", "runtime": None}, SITE)
    assert (found.runtime, found.bundle, found.at_once, found.qos) == (60, 1, 1, None)
    assert request("fit", 1, {"bundle": 2, "at_once": 4}, SITE).at_once == 2


def test_how_many_members_of_an_array_run_and_the_commands_before_a_job_are_submitits_own_options():
    found = options(site=replace(SITE, setup=("module load cuda",)))
    assert found["array_parallelism"] == 10
    assert found["setup"] == ["module load cuda"]
    assert "setup" not in options()


def test_memory_per_cpu_goes_before_memory():
    for found in (options(mem_mb=3000, mem_mb_per_cpu=700), options(mem_mb_per_cpu=700)):
        assert found["mem_per_cpu"] == "700MB"
        assert "mem" not in found


@pytest.mark.parametrize(
    ("resources", "gpus"),
    [({"gpu": 2}, 2), ({"gpu": 2, "gpu_model": "a100"}, "a100:2"), ({"gpu_model": "1g.10gb"}, "1g.10gb:1")],
)
def test_gpus(resources, gpus):
    assert options(**resources)["additional_parameters"]["gpus"] == gpus


def test_generic_resources():
    assert options(gres="gpu:a100:2")["gres"] == "gpu:a100:2"
    assert options(gres=5)["gres"] == "5"


@pytest.mark.parametrize(("tasks", "nodes"), [(8, 2), (8, 1), (1, 2)])
def test_the_command_of_several_tasks_starts_once_and_may_start_them(tasks, nodes):
    found = options(tasks=tasks, nodes=nodes)
    assert found["additional_parameters"] == {"requeue": True, "nodes": nodes, "ntasks": tasks}
    assert found["srun_args"] == ["--cpus-per-task=1", "--ntasks=1", "--nodes=1", "--overlap"]


def test_partition_and_account_of_the_site_and_of_the_rule():
    site = replace(SITE, account="lab", partition="cpu", gpu_partition="gpu")
    assert (options(site=site)["account"], options(site=site)["partition"]) == ("lab", "cpu")
    assert options(site=site, gpu=1)["partition"] == "gpu"
    for gres, partition in (("gpu:1", "gpu"), ("nvme:1,gpu:a100:1", "gpu"), ("gpumem:4", "cpu")):
        assert options(site=site, gres=gres)["partition"] == partition
    assert options(site=site, gpu=1, slurm_partition="big", slurm_account="me")["partition"] == "big"
    assert options(site=site, slurm_account="me")["account"] == "me"


def test_account_and_quality_of_service_of_gpu_jobs():
    site = replace(SITE, account="cpu", qos="short", gpu_account="gpu", gpu_qos="long")
    assert (options(site=site)["account"], options(site=site)["qos"]) == ("cpu", "short")
    assert (options(site=site, gpu=1)["account"], options(site=site, gpu=1)["qos"]) == ("gpu", "long")
    assert options(site=site, gpu=1, qos="debug")["qos"] == "debug"
    assert options(site=replace(SITE, account="lab"), gpu=1)["account"] == "lab"


def test_a_bundle_has_the_time_of_all_and_the_rest_of_those_at_once():
    found = options(commands=5, threads=2, mem_mb=100, runtime=10, gpu=1, bundle=6, at_once=2)
    assert found["time"] == 30
    assert found["cpus_per_task"] == 4
    assert found["mem"] == "200MB"
    assert found["additional_parameters"]["gpus"] == 1


def test_the_warning_comes_late_enough_that_something_is_done_before():
    assert options(runtime=1)["signal_delay_s"] == 15
    assert options(runtime=600)["signal_delay_s"] == 120


def test_without_requeues_slurm_is_told_so():
    assert options(site=replace(SITE, requeue=False))["additional_parameters"] == {
        "no-requeue": True,
        "nodes": 1,
        "ntasks": 1,
    }


def test_equal_jobs_are_found_equal():
    one = request("a", 1, {"mem_mb": 5, "tmpdir": "/x", "device": "cpu"}, SITE)
    assert {one: 1}[request("b", 1, {"mem_mb": 5, "tmpdir": "/y"}, SITE)] == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("bundel", "bundle"),
        ("at_onse", "at_once"),
        ("run_time", "runtime"),
        ("mem_bm", "mem_mb"),
        ("gpu_modell", "gpu_model"),
        ("node", "nodes"),
    ],
)
def test_a_misspelt_resource_is_noticed(name, near):
    assert near_miss_of_resource(name) == near


@pytest.mark.parametrize("name", ["bundle", "mem_mib", "disk_mb", "tmpdir", "_cores", "_nodes", "together", "attempt"])
def test_other_names_of_resources_are_not_taken_for_misspelt_ones(name):
    assert near_miss_of_resource(name) is None


def test_a_misspelt_rule_is_noticed_and_a_rule_that_was_left_out_is_not():
    rules = {"train", "estimate", "baseline"}
    assert near_miss_of_rule("trian", rules, rules) == "train"
    assert near_miss_of_rule("trian", rules, {"estimate"}) is None
    of_module = {f"minde_{name}" for name in rules}
    assert near_miss_of_rule("train", of_module, of_module) == "minde_train"
    left_out = ["torch_baseline", "draw_samples", "split_file", "experiment", "latents", "score_errors", "critic"]
    assert [near_miss_of_rule(name, rules, rules) for name in [*rules, *left_out]] == [None] * 10


def test_extra_options():
    assert dict(parse_extra("fit", "--reservation=class --exclusive --nice 5 --no-kill")) == {
        "reservation": "class",
        "exclusive": True,
        "nice": "5",
        "no-kill": True,
    }


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"slurm_acount": "me"}, "rule fit: unknown resource slurm_acount; the nearest known one is slurm_account"),
        ({"cpus_per_gpu": 4}, "rule fit: resource cpus_per_gpu is not supported; set threads"),
        ({"slurm_extra": "--time=5"}, "rule fit: slurm_extra has --time, which is set by the resource runtime"),
        ({"slurm_extra": "--cpus_per_task=5"}, "rule fit: slurm_extra has --cpus-per-task, which is set by threads"),
        (
            {"slurm_extra": "--comment='a"},
            "rule fit: slurm_extra is .*, which no shell can split: No closing quotation",
        ),
        ({"partition": "big"}, "rule fit: resource partition is not supported; set slurm_partition"),
        ({"slurm_extra": 5}, "rule fit: slurm_extra has '5'; options in long form are needed"),
        ({"slurm_extra": "-p big"}, "rule fit: slurm_extra has '-p'; options in long form are needed"),
        ({"gpu": 1, "gres": "gpu:1"}, "rule fit: gres and gpu or gpu_model are both set"),
        ({"gres": "gpu=1"}, "rule fit: resource gres is 'gpu=1'; NAME"),
        ({"gpu": "two"}, "rule fit: resource gpu is 'two'; a whole number"),
        ({"nodes": 0}, "rule fit: resource nodes is 0; a whole number from 1"),
        ({"mem_mb": "8G"}, "rule fit: resource mem_mb is '8G'; a whole number from 1"),
        ({"gpu_model": "a 100"}, "rule fit: resource gpu_model is 'a 100'; a GPU type of the site"),
    ],
)
def test_what_cannot_be_asked_names_the_rule(resources, message):
    with pytest.raises(ResourceError, match=message):
        options(**resources)
