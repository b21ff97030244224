"""From the resources of a Snakemake job to what it asks of SLURM. Pure: names and numbers in, options out."""

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


class ResourceError(ValueError):
    """A resource cannot be asked of the cluster; the message names the rule, what was found and what to do."""


DEFAULT_RUNTIME = 60  # minutes, for a rule that says nothing
KNOWN = {"slurm_partition", "slurm_account", "slurm_extra"}

# Named by other executors, or by Snakemake, and not done here: to drop one in silence would run a job in another shape.
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

# sbatch options that belong to a resource or to the executor, by their long name.
RESERVED = {
    "account": "the resource slurm_account",
    "array": "the executor, which submits equal jobs as one array",
    "chdir": "Snakemake's --directory",
    "clusters": UNSUPPORTED["clusters"],
    "comment": "the executor, which finds its jobs by it",
    "constraint": "the resource constraint",
    "cpus-per-gpu": "threads",
    "cpus-per-task": "threads",
    "error": "the executor",
    "export": "the executor, which exports the environment",
    "gpus": "the resources gpu and gpu_model",
    "gpus-per-node": "the resources gpu and gpu_model",
    "gres": "the resource gres, or gpu and gpu_model",
    "job-name": "the executor, which names jobs after their rules",
    "mem": "the resource mem_mb",
    "mem-per-cpu": "the resource mem_mb_per_cpu",
    "mem-per-gpu": "the resource mem_mb",
    "no-requeue": "--submitit-max-requeues 0",
    "nodes": "the resource nodes",
    "ntasks": "the resource tasks",
    "ntasks-per-node": "the resources tasks and nodes",
    "open-mode": "the executor",
    "output": "the executor",
    "parsable": "the executor",
    "partition": "the resource slurm_partition",
    "qos": "the resource qos",
    "requeue": "the executor, which requeues what can be resumed",
    "signal": "--submitit-signal-delay",
    "time": "the resource runtime, in minutes",
    "wait": "the executor",
    "wrap": "the executor",
}


@dataclass(frozen=True)
class Site:
    """What a site or its user wants of every job that says nothing itself."""

    account: str | None = None
    partition: str | None = None
    gpu_partition: str | None = None
    signal_delay: int = 120
    """Seconds before the time limit at which a job hears SIGUSR2."""
    requeue: bool = True
    """Whether SLURM may put a job back into the queue, after the failure of a node, say."""
    setup: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What jobs ask of SLURM. Jobs that ask for the same share an array; hashable, so that they can be found."""

    runtime: int
    """Minutes that one command may take."""
    cpus: int
    mem_mb: int | None = None
    mem_mb_per_cpu: int | None = None
    nodes: int = 1
    tasks: int = 1
    gpus: int = 0
    gpu_model: str | None = None
    gres: str | None = None
    account: str | None = None
    partition: str | None = None
    qos: str | None = None
    constraint: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    bundle: int = 1
    """How many commands at most share one allocation, one after another."""
    at_once: int = 1
    """How many commands of an allocation run at the same time, sharing its GPUs but not its CPUs and memory."""
    signal_delay: int = 120
    requeue: bool = True
    setup: tuple[str, ...] = ()

    def minutes(self, commands: int) -> int:
        """Return the time limit of an allocation of so many commands."""
        return self.runtime * -(-commands // self.at_once)

    def warning(self, commands: int) -> int:
        """Return the seconds before its time limit at which an allocation of so many commands hears SIGUSR2."""
        # SLURM may send the signal a minute early: close to the limit that would be at once, and for ever.
        return min(self.signal_delay, self.minutes(commands) * 60 // 4)

    def options(self, commands: int, name: str, comment: str, parallel: int) -> dict[str, Any]:
        """Return submitit's parameters of an array whose members run so many commands each."""
        together = min(commands, self.at_once)
        cpus, minutes = self.cpus * together, self.minutes(commands)
        more = dict(self.extra) | {
            "requeue" if self.requeue else "no-requeue": True,
            "nodes": self.nodes,
            "ntasks": self.tasks,
        }
        if self.gpus:
            more["gpus"] = f"{self.gpu_model}:{self.gpus}" if self.gpu_model else self.gpus
        # Since SLURM 22.05 a step does not take the CPUs per task from its job. The step of a job of several tasks is
        # Snakemake alone: its command starts the tasks, in steps that overlap with this one.
        step = [f"--cpus-per-task={cpus}"]
        if self.tasks > 1 or self.nodes > 1:
            step += ["--ntasks=1", "--nodes=1", "--overlap"]
        options = {
            "job_name": name,
            "comment": comment,
            "time": minutes,
            "cpus_per_task": cpus,
            "mem": None if self.mem_mb is None else f"{self.mem_mb * together}MB",
            "mem_per_cpu": None if self.mem_mb_per_cpu is None else f"{self.mem_mb_per_cpu}MB",
            "gres": self.gres,
            "account": self.account,
            "partition": self.partition,
            "qos": self.qos,
            "constraint": self.constraint,
            "array_parallelism": parallel,
            "signal_delay_s": self.warning(commands),
            "setup": list(self.setup) or None,
            "srun_args": step,
            "stderr_to_stdout": True,
            "wckey": None,  # submitit's own default, which sites that check keys refuse
            "additional_parameters": more,
        }
        return {key: value for key, value in options.items() if value is not None or key == "wckey"}


def request(rule: str, threads: int, resources: Mapping[str, Any], site: Site) -> Request:
    """Return what a job asks for. Raises ResourceError, naming the rule, for what cannot be asked."""
    check_names(rule, resources)
    given = {key: value for key, value in resources.items() if value not in (None, "")}

    def number(name: str, default: int | None = None) -> int | None:
        value = given.get(name, default)
        if value is not default and (isinstance(value, bool) or not str(value).isdigit() or int(value) < 1):
            raise ResourceError(f"rule {rule}: resource {name} is {value!r}; a whole number from 1 is needed")
        return None if value is None else int(value)

    if "mem_mb_per_cpu" in given and "mem_mb" in given:
        # Snakemake's own defaults set mem_mb on every job; memory per CPU is what somebody has asked for.
        given.pop("mem_mb")
    gpus, model, gres = _gpus(rule, given)
    gpu_job = gpus > 0 or bool(gres and gres.startswith("gpu"))
    partition = given.get("slurm_partition") or (gpu_job and site.gpu_partition) or site.partition
    return Request(
        runtime=number("runtime", DEFAULT_RUNTIME),
        cpus=number("cpus_per_task", threads),
        mem_mb=number("mem_mb"),
        mem_mb_per_cpu=number("mem_mb_per_cpu"),
        nodes=number("nodes", 1),
        tasks=number("tasks", 1),
        gpus=gpus,
        gpu_model=model,
        gres=gres,
        account=given.get("slurm_account") or site.account,
        partition=partition or None,
        qos=given.get("qos"),
        constraint=given.get("constraint"),
        extra=parse_extra(rule, given.get("slurm_extra", "")),
        bundle=number("bundle", 1),
        at_once=min(number("at_once", 1), number("bundle", 1)),
        signal_delay=site.signal_delay,
        requeue=site.requeue,
        setup=site.setup,
    )


def check_names(rule: str, names: Iterable[str]) -> None:
    """Raise ResourceError for a resource that nobody would obey: an unsupported or a misspelt one."""
    for name in names:
        if name in UNSUPPORTED:
            raise ResourceError(f"rule {rule}: resource {name} is not supported; {UNSUPPORTED[name]}")
        if name.startswith("slurm_") and name not in KNOWN:
            near = difflib.get_close_matches(name, KNOWN, n=1)
            hint = f"the nearest known one is {near[0]}" if near else f"known are {', '.join(sorted(KNOWN))}"
            raise ResourceError(f"rule {rule}: unknown resource {name}; {hint}")


def _gpus(rule: str, given: Mapping[str, Any]) -> tuple[int, str | None, str | None]:
    """Return number and model of GPUs, and generic resources."""
    gres, model = given.get("gres"), given.get("gpu_model")
    if gres is not None and ("gpu" in given or model is not None):
        raise ResourceError(f"rule {rule}: gres and gpu or gpu_model are both set; set gres, or gpu with gpu_model")
    if gres is not None and not re.fullmatch(r"[\w.-]+(:[\w.-]+)*(,[\w.-]+(:[\w.-]+)*)*", str(gres)):
        raise ResourceError(f"rule {rule}: resource gres is {gres!r}; NAME[:TYPE][:COUNT] is needed, as in gpu:a100:1")
    if model is not None and not re.fullmatch(r"[A-Za-z][\w.-]*", str(model)):
        raise ResourceError(
            f"rule {rule}: resource gpu_model is {model!r}; a GPU type of the site is needed, as in a100"
        )
    count = given.get("gpu", 1 if model else 0)
    if isinstance(count, bool) or not str(count).isdigit():
        raise ResourceError(f"rule {rule}: resource gpu is {count!r}; a whole number of GPUs is needed")
    return int(count), model, gres


def parse_extra(rule: str, text: str) -> tuple[tuple[str, Any], ...]:
    """Return the sbatch options of slurm_extra. Raises ResourceError for reserved ones and what is not an option."""
    options: dict[str, Any] = {}
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ResourceError(f"rule {rule}: slurm_extra is {text!r}, which no shell can split: {error}") from None
    while words:
        word = words.pop(0)
        name, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not name:
            raise ResourceError(f"rule {rule}: slurm_extra has {word!r}; options in long form are needed: --name=value")
        name = name.replace("_", "-")  # as submitit would
        if name in RESERVED:
            raise ResourceError(f"rule {rule}: slurm_extra has --{name}, which is set by {RESERVED[name]}")
        if not has_value and words and not words[0].startswith("-"):
            has_value, value = "=", words.pop(0)
        options[name] = value if has_value else True
    return tuple(sorted(options.items()))
