"""A Snakemake executor on submitit: job arrays, requeues that resume, and jobs that a new Snakemake finds again."""

from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

from .executor import Executor

__all__ = ["Executor", "ExecutorSettings", "common_settings"]


def _setting(default: object, text: str, *, from_environment: bool = False, **more: object) -> object:
    """Declare a setting, with its help; one ``from_environment`` may also be a variable SNAKEMAKE_SUBMITIT_NAME."""
    return field(default=default, metadata={"help": text, "env_var": from_environment, "required": False, **more})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """The options --submitit-…; an empty text means that nothing is asked for."""

    cluster: str = _setting("auto", "Where jobs run: slurm, local, debug, or auto, slurm where it is found, else local")
    partition: str = _setting(
        "", "SLURM partition of jobs whose rule names none (resource slurm_partition).", from_environment=True
    )
    gpu_partition: str = _setting(
        "", "The same for jobs that ask for a GPU; by default as for all others.", from_environment=True
    )
    account: str = _setting(
        "", "SLURM account of jobs whose rule names none (resource slurm_account).", from_environment=True
    )
    max_requeues: int = _setting(20, "How often a job that is preempted, or whose time is up, may go on later.")
    signal_delay: int = _setting(
        120, "Seconds before its time limit at which a job hears SIGUSR2, and has to write what it goes on from."
    )
    array_limit: int = _setting(1000, "Most members of one array; the cluster's MaxArraySize holds as well.")
    array_parallelism: int = _setting(1000, "How many members of one array may run at the same time.")
    window: float = _setting(
        1.0, "Seconds without a new job after which those that are ready are submitted: more of them share an array."
    )
    keep_logs: bool = _setting(False, "Keep the logs of successful jobs as well.")
    setup: str = _setting("", "A shell command that runs on SLURM's node before a job, such as 'module load cuda'.")


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_default_storage_provider_args=True,
    pass_default_resources_args=True,
    pass_envvar_declarations_to_cmd=False,  # SLURM hands on the environment; on a command line others could read it
    auto_deploy_default_storage_provider=False,
    init_seconds_before_status_checks=1,
    pass_group_args=True,
)
