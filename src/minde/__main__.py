"""The door: `python -m minde VERB` parses, calls and writes. A verb is one registration in VERBS and one function.

Settings are what `minde.study.design` makes of a config, as JSON. Verbs import what they need when they run, so that
none pays for the libraries of another.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path


def sample(args: argparse.Namespace) -> None:
    """Draw the samples of one task."""
    from minde.study import samples

    samples.draw(args.settings, args.out)


def merge(args: argparse.Namespace) -> None:
    """Merge the estimates of all cells; every key of the design must be there once, and no other."""
    from minde.study import design, results

    paths = [args.estimates / f"{cell.path}.parquet" for cell in design.cells_of(args.settings)]
    table = results.merge(design.expected_keys(args.settings), paths)
    made_by = results.provenance(args.settings, packages=("pyarrow",), sources=("study/results.py", "study/design.py"))
    results.write_parquet(args.out, table, made_by)


def _path(name: str, about: str) -> tuple[str, dict]:
    return name, {"type": Path, "required": True, "metavar": "PATH", "help": about}


# A verb's function and its arguments beside --settings.
VERBS: dict[str, tuple[Callable[[argparse.Namespace], None], list[tuple[str, dict]]]] = {
    "sample": (sample, [_path("--out", "samples file to write")]),
    "merge": (merge, [_path("--estimates", "folder of the cells' estimates"), _path("--out", "estimates to write")]),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="minde", description="Steps of a MINDE study, as its rules call them.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, (function, arguments) in VERBS.items():
        verb = verbs.add_parser(name, help=function.__doc__, description=function.__doc__)
        verb.add_argument(
            "--settings", type=json.loads, required=True, metavar="JSON", help="what this step reads of the config"
        )
        for flag, options in arguments:
            verb.add_argument(flag, **options)
        verb.set_defaults(function=function)
    return top


def main(argv: list[str] | None = None) -> None:
    """Run one verb; an error names the verb and ends in exit status 1 with its traceback."""
    args = parser().parse_args(argv)
    try:
        args.function(args)
    except Exception:
        print(f"minde {args.verb} failed with settings {json.dumps(args.settings)}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
