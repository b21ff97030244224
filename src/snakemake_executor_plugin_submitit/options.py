"""What is checked and read when a run starts: settings, resources of rules, defaults of the site."""

import os
from collections.abc import Callable

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

from .names import ResourceError, check_names, near_miss_of_resource, near_miss_of_rule
from .resources import Site


def check_settings(settings: ExecutorSettingsBase) -> None:
    """Raise WorkflowError for numbers below their minimum."""
    least = {"window": 0, "max_requeues": 0, "signal_delay": 0, "array_limit": 1, "array_parallelism": 1}
    for name, minimum in least.items():
        if (value := getattr(settings, name)) < minimum:
            raise WorkflowError(f"--submitit-{name.replace('_', '-')} is {value}; a number from {minimum} is needed")


def check_rules(workflow: object, warn: Callable[[str], None]) -> None:
    """Check the names of resources before anything is submitted; warn of those that look misspelt.

    Raises WorkflowError for those that are unknown or not supported.
    """
    rules = sorted({job.rule for job in workflow.dag.needrun_jobs()}, key=lambda rule: rule.name)
    given = workflow.resource_settings.overwrite_resources
    # Rules may be left out of a workflow: a name is only suspicious if it resembles a rule that has no settings.
    running = {rule.name for rule in rules if not rule.norun} - set(given)
    for name in given:
        if near := near_miss_of_rule(name, {rule.name for rule in workflow.rules}, running):
            warn(f"set-resources names {name}, which is not a rule; did you mean {near}?")
    for rule in rules:
        try:
            check_names(rule.name, rule.resources)
        except ResourceError as error:
            raise WorkflowError(str(error)) from None
        for name in rule.resources:
            if near := near_miss_of_resource(name):
                warn(f"Rule {rule.name}: resource {name} is ignored; did you mean {near}?")


def site(settings: ExecutorSettingsBase) -> Site:
    """Return the defaults of all jobs: from the options, or else from sbatch's environment variables."""
    return Site(
        account=settings.account or os.environ.get("SBATCH_ACCOUNT") or None,
        partition=settings.partition or os.environ.get("SBATCH_PARTITION") or None,
        qos=settings.qos or os.environ.get("SBATCH_QOS") or None,
        gpu_account=settings.gpu_account or None,
        gpu_partition=settings.gpu_partition or None,
        gpu_qos=settings.gpu_qos or None,
        signal_delay=settings.signal_delay,
        requeue=settings.max_requeues > 0,
        setup=(settings.setup,) if settings.setup else (),
    )


def clear_environment() -> None:
    """Remove the variables from the environment that would change what SLURM's commands do.

    They describe the job that Snakemake itself may run in, or are the user's defaults for other jobs: sbatch prefers
    SBATCH_… to what the script of a job requests. Filters of squeue would hide jobs, which would then count as lost.
    Call this after `site`, which reads some of them.
    """
    kept = {"SLURM_CONF", "SLURM_CLUSTERS", "SBATCH_CLUSTERS"}
    removed = ("SLURM_", "SRUN_", "PMI_", "SBATCH_", "SCANCEL_", "SQUEUE_")
    for name in list(os.environ):
        if name.startswith(removed) and name not in kept:
            del os.environ[name]
