"""The names of resources that the executor reads or refuses, and those that look misspelt. Pure functions."""

import difflib
from collections.abc import Iterable


class ResourceError(ValueError):
    """A resource cannot be requested; the message names the rule, the value found and what to do."""


KNOWN = {"slurm_partition", "slurm_account", "slurm_extra"}
READ = {"at_once", "bundle", "constraint", "cpus_per_task", "gpu", "gpu_model", "gres", "mem_mb", "mem_mb_per_cpu"}
READ |= {"nodes", "qos", "runtime", "tasks"}
SNAKEMAKES_OWN = {"disk", "disk_mb", "disk_mib", "mem", "mem_mib", "tmpdir"}
NEAR = 0.75  # similarity of misspelt names: trian and train have 0.8, baseline and torch_baseline 0.73

# Names that other executors or Snakemake use: ignoring them silently would run a job with the wrong resources.
UNSUPPORTED = {
    "account": "set slurm_account",
    "gpus": "set gpu",
    "ntasks": "set tasks",
    "partition": "set slurm_partition",
    "time": "set runtime, in minutes",
    "walltime": "set runtime, in minutes",
    "cpus_per_gpu": "set threads to the number of CPUs of the whole job",
    "tasks_per_gpu": "set tasks to the number of tasks of the whole job",
    "tasks_per_node": "set tasks to the number of tasks of the whole job, and nodes",
    "ntasks_per_gpu": "set tasks to the number of tasks of the whole job",
    "cluster": "start Snakemake on a login node of that cluster",
    "clusters": "start Snakemake on a login node of that cluster",
    "slurm_cluster": "start Snakemake on a login node of that cluster",
}


def check_names(rule: str, names: Iterable[str]) -> None:
    """Raise ResourceError for a resource that is not supported, or an unknown one that begins with slurm_."""
    for name in names:
        if name in UNSUPPORTED:
            raise ResourceError(f"rule {rule}: resource {name} is not supported; {UNSUPPORTED[name]}")
        if name.startswith("slurm_") and name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, n=1)
            hint = f"the nearest known one is {near[0]}" if near else f"known are {', '.join(sorted(KNOWN))}"
            raise ResourceError(f"rule {rule}: unknown resource {name}; {hint}")


def near_miss_of_resource(name: str) -> str | None:
    """Return the resource that a name probably stands for, if the executor does not read it but a similar one."""
    is_own = name.startswith(("_", "slurm_")) or name in SNAKEMAKES_OWN
    return None if is_own else _near(name, READ)


def near_miss_of_rule(name: str, rules: set[str], running: set[str]) -> str | None:
    """Return the rule among those about to run that a name probably stands for, if it is not a rule itself.

    That is a similar name, or the same with the prefix that an outer workflow gives to the rules of a module.
    """
    if name in rules:
        return None
    return next((rule for rule in sorted(running) if rule.endswith(f"_{name}")), None) or _near(name, running)


def _near(name: str, known: set[str]) -> str | None:
    if name in known:
        return None
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=NEAR)), None)
