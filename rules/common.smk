"""The design of the study and the input functions of rules: which files, which settings. All computation is in src."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from snakemake.settings.types import DeploymentMethod

ROOT = Path(str(workflow.current_basedir)).resolve().parent  # with links resolved

sys.path.insert(0, f"{ROOT}/src")  # for a Snakemake outside .venv, where minde is not installed

from minde.files import sha256_of
from minde.study import bundle, consistency, design, hyperparameters, labels, methods, pages, step_settings, tasks
from minde.study import config as configs
from minde.study.bundle.archive import COMPARED, ArchiveError
from minde.study.sources import source_files

try:
    if workflow.is_main_process:
        configs.check_keys(workflow.configfiles)
    BUNDLE = bundle.named_in(config, ROOT, verify=workflow.is_main_process)
    STUDY = BUNDLE.config if BUNDLE else configs.resolve(config, ROOT)
    if workflow.is_main_process and not BUNDLE and workflow.modifier.parent_modifier is None:
        configs.check_files(STUDY)  # in an outer workflow, one of its rules may make them
except (configs.ConfigError, ArchiveError) as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process and not BUNDLE:
    own = {} if workflow.modifier.parent_modifier else workflow.config_settings.overwrite_config  # not an outer one's
    for remark in configs.remarks(STUDY, own, for_report="--report" in sys.argv):
        logger.warning(remark)

RESULTS = f"results/{BUNDLE.folder if BUNDLE else STUDY['name']}"
# The rule files that lead to estimates. With a bundle, its content is unpacked and the steps before it are left out.
STAGES = {
    None: ("samples", "train", "estimate", "baselines", "merge", "bundle"),
    "weights": ("samples", "unpack", "estimate", "baselines", "merge"),
    "estimates": ("unpack",),
}[BUNDLE and BUNDLE.holds]

config.update(STUDY, subject=labels.subject(STUDY))  # for the captions of the report

# Rules call the shell function `step`, defined here so that the paths of interpreter and checkout are not part of what
# Snakemake compares for reruns and the cache. Environments of --sdm conda run the minde of this checkout, like .venv.
# The prefix of a workflow that uses this one comes last: it belongs directly before commands. shell.prefix formats {}.
_CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
_PYTHON = "python" if _CONDA else shlex.quote(sys.executable)
_STEP = f"step() ( PYTHONPATH={shlex.quote(f'{ROOT}/src')} {_PYTHON} -m minde.steps \"$@\" ); "
_OUTER = getattr(shell, "_process_prefix", None) or "set -euo pipefail; "
shell.prefix((_STEP + _OUTER).replace("{", "{{").replace("}", "}}"))


def one_of(names: Iterable) -> str:
    """A wildcard constraint that matches these names only; without names it matches nothing."""
    return "|".join(re.escape(str(name)) for name in names) or "(?!)"


def chosen(some: Iterable[str]) -> str:
    """A wildcard constraint that matches those of some methods that the study uses."""
    return one_of(method for method in STUDY["methods"] if method in some)


def figure_files(path: str, labels: Callable, **about) -> dict:
    """The PDF and the PNG of a figure, both in the report; `labels` is a function of the format, `about` as of report."""
    return {kind: report(f"{path}.{kind}", labels=labels(kind.upper()), **about) for kind in ("pdf", "png")}


def cell_of(wildcards) -> design.Cell:
    """The cell of a job's wildcards; without a train size it uses no training samples."""
    return design.Cell(method=wildcards.method, task=wildcards.task, train_size=int(wildcards.get("train_size", 0)))


def content_of_own_file(wildcards) -> str:
    """The hash of the content: a replaced file may be older, and Snakemake compares the content of newer files only.

    A file that cannot be split stops the run here, before Snakemake deletes existing samples to start the job.
    """
    file = STUDY["data"][wildcards.task]["file"]
    if file == consistency.LATENTS:
        return ""
    if workflow.is_main_process and (problem := configs.problem_of_file(STUDY, wildcards.task)):
        raise WorkflowError(problem)
    return sha256_of(file)


def n_values(wildcards) -> int:
    """The priority of a job: its number of training values, since a large job that starts last leaves cores idle."""
    task = design.task_of(STUDY, wildcards.task)
    return int(wildcards.get("train_size", STUDY["samples"]["train"])) * (task.dim_x + task.dim_y)


def curves_of_page(wildcards) -> list[str]:
    """The training curves of a page of their figure; without a page, all of them."""
    cells = pages.curve_cells(STUDY, int(wildcards.get("page", 0)))
    return [f"<results>/networks/{cell.path}.curve.parquet" for cell in cells]


def compared_estimates(wildcards) -> list[str]:
    """The estimates of the study that `compared_with` names, if it names one; a bundle contains them."""
    other = STUDY["compared_with"]
    return [f"<results>/{COMPARED}" if BUNDLE else f"results/{other}/estimates.parquet"] if other else []


def estimates_of_all_cells(wildcards) -> list[str]:
    """The estimates of every cell of the design."""
    return [f"<results>/estimates/{cell.path}.parquet" for cell in design.cells(STUDY)]
