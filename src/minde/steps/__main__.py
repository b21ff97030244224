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


def _json(text: str):
    return json.loads(sys.stdin.readline() if text == "-" else text)


def _stack(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: all, or a number of replicates from 1")
    return int(text)


_PATH = {"type": Path, "required": True}


def _paths(*flags: str) -> list[tuple[str, dict]]:
    return [(flag, _PATH) for flag in flags]


_OUTS = ("--out", _PATH | {"nargs": "+"})  # a path per file format
_STACK = ("--stack", {"type": _stack, "default": "all"})
_DEVICE = ("--device", {"choices": ("auto", "cpu", "cuda"), "default": "auto"})
_NAME = ("name", {})
_TABLE = ("name", {"choices": ("table1", "summary", "consistency")})
_TRAINING = [
    ("--state", _PATH | {"required": False}),
    ("--checkpoint-seconds", {"type": float, "default": 60}),
    ("--together", {"type": int, "default": 1}),
]
_PACKED = ("--files", _PATH | {"required": False, "nargs": "*", "default": []})
_RATES = [("--rates", _PATH | {"nargs": "*"}), ("--checks", _PATH | {"nargs": "*"})]

# A verb's function and its arguments besides --settings.
VERBS: dict[str, tuple[Callable[[argparse.Namespace], None], list[tuple[str, dict]]]] = {
    "sample": (verbs.sample, _paths("--out")),
    "split": (verbs.split, _paths("--file", "--out")),
    "latents": (verbs.latents, [*_paths("--out"), _DEVICE]),
    "experiment": (verbs.experiment, [_NAME, *_paths("--out"), _DEVICE]),
    "experiment-figure": (verbs.experiment_figure, [_NAME, *_paths("--rows"), _OUTS]),
    "train": (verbs.train, [*_paths("--samples", "--weights", "--curve"), *_TRAINING, _STACK, _DEVICE]),
    "estimate": (verbs.estimate, [*_paths("--samples", "--weights", "--curve", "--out"), _STACK, _DEVICE]),
    "score-errors": (verbs.score_errors, [*_paths("--samples", "--weights", "--out"), _DEVICE]),
    "score-error-figure": (verbs.score_error_figure, [*_paths("--errors"), _OUTS]),
    "baseline": (verbs.baseline, [*_paths("--samples", "--out"), _DEVICE]),
    "merge": (verbs.merge, [*_paths("--estimates", "--out"), ("--origins", {"type": _json})]),
    "table": (verbs.table, [_TABLE, *_paths("--estimates"), _OUTS]),
    "hyperparameters": (verbs.hyperparameters, [_OUTS]),
    "figure": (verbs.figure, [_NAME, ("--shown", _PATH | {"nargs": "+"}), _OUTS]),
    "bundle": (verbs.bundle, [*_paths("--results", "--lock", "--out"), _PACKED]),
    "unpack": (verbs.unpack, _paths("--bundle", "--out")),
    "plan": (verbs.plan, _RATES),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="minde.steps", description="Steps of a MINDE study, called by its rules.")
    subparsers = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (function, arguments) in VERBS.items():
        verb = subparsers.add_parser(name, help=function.__doc__.splitlines()[0], description=function.__doc__)
        verb.add_argument("--settings", type=_json, required=True)
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
