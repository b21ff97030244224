"""The command line that rules call, `python -m minde.steps VERB`. A verb is a function and an entry in VERBS.

Settings are the JSON that `minde.study.step_settings` derives from a config; `-` reads them from standard input, a line
for each such argument, since an argument holds at most 128 KiB, which a config with many user files exceeds.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from . import verbs


def _path(name: str, about: str, **options) -> tuple[str, dict]:
    return name, {"type": Path, "required": True, "metavar": "PATH", "help": about, **options}


def _json(text: str):
    return json.loads(sys.stdin.readline() if text == "-" else text)


def _stack(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: all, or a number of replicates from 1")
    return int(text)


_STACK = (
    "--stack",
    {
        "type": _stack,
        "default": "all",
        "metavar": "N",
        "help": "replicates per stack, or all",
    },
)
_DEVICE = ("--device", {"choices": ("auto", "cpu", "cuda"), "default": "auto", "help": "auto: CUDA if available"})

_EXPERIMENT = ("name", {"help": "which experiment, as in the config"})

# A verb's function and its arguments besides --settings.
VERBS: dict[str, tuple[Callable[[argparse.Namespace], None], list[tuple[str, dict]]]] = {
    "sample": (verbs.sample, [_path("--out", "samples file to write")]),
    "split": (verbs.split, [_path("--file", "Parquet or CSV file"), _path("--out", "samples file to write")]),
    "latents": (verbs.latents, [_path("--out", "latents to write"), _DEVICE]),
    "experiment": (verbs.experiment, [_EXPERIMENT, _path("--out", "rows to write"), _DEVICE]),
    "experiment-figure": (
        verbs.experiment_figure,
        [
            _EXPERIMENT,
            _path("--rows", "rows of the experiment"),
            _path("--out", "figures to write: .pdf or .png", nargs="+"),
        ],
    ),
    "train": (
        verbs.train,
        [
            _path("--samples", "samples of the task"),
            _path("--weights", "weights to write"),
            _path("--curve", "training curve to write"),
            _path("--state", "checkpoint to write while training and to resume from", required=False),
            (
                "--checkpoint-seconds",
                {
                    "type": float,
                    "default": 60,
                    "metavar": "S",
                    "help": "between checkpoints; 0: only if stopped",
                },
            ),
            (
                "--together",
                {"type": int, "default": 1, "metavar": "N", "help": "cells per process; needs --state"},
            ),
            _STACK,
            _DEVICE,
        ],
    ),
    "estimate": (
        verbs.estimate,
        [
            _path("--samples", "samples of the task"),
            _path("--weights", "weights of the cell"),
            _path("--curve", "training curve of the cell"),
            _path("--out", "estimates to write"),
            _STACK,
            _DEVICE,
        ],
    ),
    "score-errors": (
        verbs.score_errors,
        [
            _path("--samples", "samples of the task"),
            _path("--weights", "weights of the cell"),
            _path("--out", "errors to write"),
            _DEVICE,
        ],
    ),
    "score-error-figure": (
        verbs.score_error_figure,
        [_path("--errors", "errors of the cell"), _path("--out", "figures to write: .pdf or .png", nargs="+")],
    ),
    "baseline": (
        verbs.baseline,
        [_path("--samples", "samples of the task"), _path("--out", "estimates to write"), _DEVICE],
    ),
    "merge": (
        verbs.merge,
        [
            _path("--estimates", "folder of the cells' estimates"),
            (
                "--origins",
                {"type": _json, "metavar": "JSON", "help": "the config that they must come from, or null"},
            ),
            _path("--out", "estimates to write"),
        ],
    ),
    "table": (
        verbs.table,
        [
            ("name", {"choices": ("table1", "summary"), "help": "which table"}),
            _path("--estimates", "merged estimates"),
            _path("--out", "tables to write: .csv, .md, .tex or .html", nargs="+"),
        ],
    ),
    "hyperparameters": (
        verbs.hyperparameters,
        [_path("--out", "tables to write: .csv, .md, .tex or .html", nargs="+")],
    ),
    "ratios": (
        verbs.ratios,
        [_path("--estimates", "merged estimates"), _path("--out", "tables to write: .csv, .md or .html", nargs="+")],
    ),
    "figure": (
        verbs.figure,
        [
            (
                "name",
                {
                    "choices": ("spread", "training_size", "training_curve", "sigma", "high_mi", "consistency"),
                    "help": "which figure",
                },
            ),
            _path("--estimates", "merged estimates", required=False),
            _path("--curves", "training curves, in place of estimates", required=False, nargs="+"),
            _path("--out", "figures to write: .pdf or .png", nargs="+"),
        ],
    ),
    "comparison": (
        verbs.comparison,
        [
            _path("--estimates", "merged estimates"),
            _path("--others", "merged estimates of the other study"),
            _path("--out", "figures to write: .pdf or .png", nargs="+"),
        ],
    ),
    "bundle": (
        verbs.bundle,
        [
            _path("--results", "folder of the study's results"),
            _path(
                "--files", "tables, figures and training curves, in that folder", nargs="*", required=False, default=[]
            ),
            _path("--lock", "versions of the software"),
            _path("--out", "bundle to write"),
        ],
    ),
    "unpack": (verbs.unpack, [_path("--bundle", "bundle to read"), _path("--out", "file to write")]),
    "plan": (
        verbs.plan,
        [
            _path("--rates", "results of the throughput benchmark", nargs="*"),
            _path("--checks", "results of the benchmark that checks a prediction", nargs="*"),
        ],
    ),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="minde.steps", description="Steps of a MINDE study, called by its rules.")
    subparsers = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (function, arguments) in VERBS.items():
        verb = subparsers.add_parser(name, help=function.__doc__.splitlines()[0], description=function.__doc__)
        verb.add_argument(
            "--settings", type=_json, required=True, metavar="JSON", help="the part of the config that this step reads"
        )
        for flag, options in arguments:
            verb.add_argument(flag, **options)
        verb.set_defaults(function=function)
    return top


def main(argv: list[str] | None = None) -> None:
    """Run one verb; an error is logged with the verb, its settings and the traceback, and exits with status 1."""
    args = parser().parse_args(argv)
    os.environ["TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"] = "0"  # NVIDIA's containers set it: torch would compute in TF32
    try:
        args.function(args)
    except Exception:
        print(f"minde.steps {args.verb} failed with settings {json.dumps(args.settings)}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
