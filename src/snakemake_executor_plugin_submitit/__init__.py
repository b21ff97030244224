"""A Snakemake executor on submitit: job arrays, requeues that resume, and jobs that survive Snakemake's death."""

from dataclasses import dataclass, field
from typing import Any

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from .executor import Executor

__all__ = ["Executor", "ExecutorSettings", "common_settings"]


def _setting(default: object, text: str, *, from_environment: bool = False) -> Any:
    """Declare a setting and its help; `from_environment` allows a variable SNAKEMAKE_SUBMITIT_NAME too."""
    return field(default=default, metadata={"help": text, "env_var": from_environment, "required": False})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """The options --submitit-…; an empty string means that nothing is requested."""

    cluster: str = _setting(
        "auto", "Where jobs run: slurm, local, debug, or auto: slurm if it is configured, else local"
    )
    account: str = _setting(
        "", "SLURM account of jobs whose rule sets none (resource slurm_account).", from_environment=True
    )
    partition: str = _setting(
        "", "SLURM partition of jobs whose rule sets none (resource slurm_partition).", from_environment=True
    )
    qos: str = _setting("", "Quality of service of jobs whose rule sets none (resource qos).", from_environment=True)
    gpu_account: str = _setting("", "Account of jobs that request a GPU, if it is another.", from_environment=True)
    gpu_partition: str = _setting("", "Partition of jobs that request a GPU, if it is another.", from_environment=True)
    gpu_qos: str = _setting("", "Quality of service of jobs that request a GPU.", from_environment=True)
    max_requeues: int = _setting(20, "How often a job may be requeued after preemption or at its time limit.")
    signal_delay: int = _setting(
        120, "Seconds before its time limit at which a job receives SIGUSR2, to write a checkpoint."
    )
    array_limit: int = _setting(1000, "Largest number of members of one array; the cluster's MaxArraySize applies too.")
    array_parallelism: int = _setting(1000, "How many members of one array may run at the same time.")
    window: float = _setting(
        1.0, "Seconds without a new ready job after which the gathered ones are submitted, in common arrays."
    )
    keep_logs: bool = _setting(False, "Keep the logs of successful jobs as well.")
    setup: str = _setting(
        "", "A shell command that runs on the SLURM node before each job, for example 'module load cuda'."
    )


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,  # SLURM passes the environment on; other users could read a command line
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=1,
    pass_group_args=True,
)
