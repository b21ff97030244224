"""Translates the resources of a Snakemake job into sbatch options. Pure functions."""

import functools
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .names import UNSUPPORTED, ResourceError, check_names

DEFAULT_RUNTIME = 60  # minutes, for a rule without runtime

# sbatch options, by their long name, that are set by a resource or by the executor.
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


@dataclass(frozen=True, kw_only=True)
class Site:
    """Defaults of a site or its user, for jobs that do not set these themselves."""

    account: str | None = None
    partition: str | None = None
    qos: str | None = None
    gpu_account: str | None = None
    gpu_partition: str | None = None
    gpu_qos: str | None = None
    signal_delay: int
    """Seconds before the time limit at which a job receives SIGUSR2; fewer for a short job."""
    requeue: bool = True
    """Whether SLURM may put a job back into the queue, for example after a node failure."""
    setup: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """The resources that a job requests. Jobs with equal requests share an array; hashable, to group them."""

    runtime: int
    """Time limit of one command, in minutes."""
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
    """Largest number of commands that share one allocation."""
    at_once: int = 1
    """How many of these run at the same time; they share the GPUs, and each has its own CPUs and memory."""
    signal_delay: int
    """As in `Site`, like the next two."""
    requeue: bool = True
    setup: tuple[str, ...] = ()

    def minutes(self, commands: int) -> int:
        """Return the time limit of an allocation that runs `commands` commands."""
        return self.runtime * -(-commands // self.at_once)

    def signal_seconds_before_end(self, commands: int) -> int:
        """Return the seconds before its time limit at which an allocation of `commands` commands receives SIGUSR2."""
        # SLURM may send the signal a minute early: a short job would be stopped before it has made any progress.
        return min(self.signal_delay, self.minutes(commands) * 60 // 4)

    def options(self, commands: int, name: str, comment: str, parallel: int) -> dict[str, Any]:
        """Return submitit's parameters of an array whose members run `commands` commands each."""
        together = min(commands, self.at_once)
        cpus, minutes = self.cpus * together, self.minutes(commands)
        more = dict(self.extra) | {
            "requeue" if self.requeue else "no-requeue": True,
            "nodes": self.nodes,
            "ntasks": self.tasks,
        }
        if self.gpus:
            more["gpus"] = f"{self.gpu_model}:{self.gpus}" if self.gpu_model else self.gpus
        # Since SLURM 22.05, a step does not inherit the CPUs per task from its job. In a job of several tasks, this
        # step is Snakemake alone: the rule's command starts the tasks, in steps that overlap with this one.
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
            "signal_delay_s": self.signal_seconds_before_end(commands),
            "setup": list(self.setup) or None,
            "srun_args": step,
            "stderr_to_stdout": True,
            "wckey": None,  # submitit sets one by default, which sites that check keys refuse
            "additional_parameters": more,
        }
        return {key: value for key, value in options.items() if value is not None or key == "wckey"}


def request(rule: str, threads: int, resources: Mapping[str, Any], site: Site) -> Request:
    """Return what a job requests. Raises ResourceError, naming the rule, for invalid resources."""
    check_names(rule, resources)
    given = {key: value for key, value in resources.items() if value not in (None, "")}
    number = functools.partial(_number, rule, given)
    if "mem_mb_per_cpu" in given and "mem_mb" in given:
        # Snakemake's own defaults set mem_mb on every job, so memory per CPU was set on purpose.
        given.pop("mem_mb")
    gpus, model, gres = _gpus(rule, given)
    is_gpu_job = gpus > 0 or "gpu" in (one.partition(":")[0] for one in (gres or "").split(","))

    def default(name: str) -> str | None:
        return (is_gpu_job and getattr(site, f"gpu_{name}")) or getattr(site, name)

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
        account=given.get("slurm_account") or default("account"),
        partition=given.get("slurm_partition") or default("partition"),
        qos=given.get("qos") or default("qos"),
        constraint=given.get("constraint"),
        extra=parse_extra(rule, str(given.get("slurm_extra", ""))),
        bundle=number("bundle", 1),
        at_once=min(number("at_once", 1), number("bundle", 1)),
        signal_delay=site.signal_delay,
        requeue=site.requeue,
        setup=site.setup,
    )


def _number(rule: str, given: Mapping[str, Any], name: str, default: int | None = None, least: int = 1) -> int | None:
    value = given.get(name, default)
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdecimal() or int(value) < least:
        raise ResourceError(f"rule {rule}: resource {name} is {value!r}; a whole number from {least} is needed")
    return int(value)


def _gpus(rule: str, given: Mapping[str, Any]) -> tuple[int, str | None, str | None]:
    """Return the number and model of GPUs, and generic resources."""
    gres, model = (str(given[name]) if name in given else None for name in ("gres", "gpu_model"))
    if gres is not None and ("gpu" in given or model is not None):
        raise ResourceError(f"rule {rule}: gres and gpu or gpu_model are both set; set gres, or gpu with gpu_model")
    if gres is not None and not re.fullmatch(r"[\w.-]+(:[\w.-]+)*(,[\w.-]+(:[\w.-]+)*)*", gres):
        raise ResourceError(f"rule {rule}: resource gres is {gres!r}; NAME[:TYPE][:COUNT] is needed, as in gpu:a100:1")
    if model is not None and not re.fullmatch(r"(?=.*[A-Za-z])\w[\w.-]*", model):
        raise ResourceError(
            f"rule {rule}: resource gpu_model is {model!r}; a GPU type of the site is needed, as in a100"
        )
    return _number(rule, given, "gpu", 1 if model else 0, least=0), model, gres


def parse_extra(rule: str, text: str) -> tuple[tuple[str, Any], ...]:
    """Return the sbatch options of slurm_extra. Raises ResourceError for reserved ones and anything else."""
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
        name = name.replace("_", "-")  # as submitit does
        if name in RESERVED:
            raise ResourceError(f"rule {rule}: slurm_extra has --{name}, which is set by {RESERVED[name]}")
        if not has_value and words and not words[0].startswith("-"):
            has_value, value = "=", words.pop(0)
        options[name] = value if has_value else True
    return tuple(sorted(options.items()))
