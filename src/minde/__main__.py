"""The command line `minde`: mutual information of the columns of a file, and the tasks of the benchmark.

Exit status: 0 the estimate was printed; 1 training or estimation failed, or the result could not be written; 2 the
command line is wrong, or names a file or columns that cannot be read; 3 the samples cannot be used for an estimate;
130 interrupted.
"""

import argparse
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

ABOUT = "Mutual information of the columns of a file, and the tasks of the benchmark."
STATUS = __doc__.split("\n\n")[1].replace("\n", " ")
FAILED, USAGE, SAMPLES, INTERRUPTED = 1, 2, 3, 130

# The parameters of MINDE that are options: their type, their meaning, and MINDE's default.
SETTINGS = {
    "--variant": (str, "c: learn the scores of x, y may be discrete; j: of both, which must be continuous", "c"),
    "--preprocess": (str, "standardize, gaussianize (heavy tails) or none", "standardize"),
    "--steps": (int, "updates of the weights", 1500),
    "--batch-size": (int, "rows per step and replicate", 256),
    "--learning-rate": (float, "of Adam, at its highest", 0.002),
    "--weight-decay": (
        float,
        "divided by the training rows, more for many columns: keeps networks from memorizing few rows",
        600.0,
    ),
    "--base": (
        str,
        "mixture (of clusters), gaussian or none: learn the residual to it, or the whole scores",
        "mixture",
    ),
    "--formula": (str, "inside, sigma or gap: which comes first; auto: inside for variant c, gap for j", "auto"),
    "--replicates": (int, "networks, each with its own held-out rows", 5),
    "--test-size": (float, "share of the rows that each holds out", 0.2),
    "--device": (str, "auto, cpu, cuda or, for example, cuda:1", "auto"),
    "--threads": (int, "of the CPU: networks this small gain little from a second one, and lose if cores are busy", 1),
}


class CommandError(Exception):
    """An error that ends the command with a message and a status."""

    def __init__(self, message: str, status: int) -> None:
        """Keep the message and the status."""
        super().__init__(message)
        self.status = status


def estimate(args: argparse.Namespace) -> str:
    """Estimate the mutual information of columns of a file, in nats."""
    warnings.showwarning = lambda message, *_, **__: print(f"minde: warning: {message}", file=sys.stderr)

    from minde.api.estimator import MINDE
    from minde.api.files import read_pair
    from minde.api.settings import check_settings, resolve_formula
    from minde.device import pick_device, shortage_in

    given = {name: getattr(args, name) for name in map(_parameter, SETTINGS) if getattr(args, name) is not None}
    estimator = MINDE(**given, random_state=args.seed, verbose=sys.stderr.isatty())
    try:
        _check(args)
        check_settings(estimator.get_params())
        pick_device(estimator.device)
        x, y = read_pair(args.file, args.x, args.y)
    except (OSError, ValueError) as error:
        raise CommandError(str(error), USAGE) from error
    except TypeError as error:
        raise CommandError(str(error), SAMPLES) from error
    start = time.perf_counter()
    try:
        estimator.fit(x, y)
        found = estimator.by_formula()
    except (TypeError, ValueError) as error:
        raise CommandError(f"{args.file}: {error}", SAMPLES) from error
    except (MemoryError, RuntimeError) as error:
        if not (shortage := shortage_in(error)):
            raise
        raise MemoryError(f"out of memory ({shortage}); use fewer replicates or a smaller batch_size") from error
    formula = resolve_formula(estimator.formula, estimator.variant)
    first = found[formula]
    result = {
        "formula": formula,
        "mutual_information": float(first),
        "unit": "nats",
        "std_error": first.std_error,
        "level": args.level,
        "interval": list(first.interval(args.level)),
        "replicates": list(first.replicates),
        "estimates": {name: {"estimate": float(e), "std_error": e.std_error} for name, e in found.items()},
        "x": x.columns,
        "y": y.columns,
        "rows": len(x.values),
        "seconds": time.perf_counter() - start,
        "settings": estimator.get_params(),
    }
    text = json.dumps(result, indent=1) if args.json else _in_words(result)
    if args.save:
        try:
            estimator.save(args.save)
        except OSError as error:
            print(text)
            raise CommandError(f"the estimator was not saved: {error}", FAILED) from error
    return text


def _check(args: argparse.Namespace) -> None:
    """Raise ValueError for arguments that would otherwise fail only after the training."""
    for name, is_allowed, allowed in (
        ("level", 0 < args.level < 1, "a number between 0 and 1, such as 0.95"),
        ("seed", 0 <= args.seed < 2**32, "an integer from 0 to 2^32 - 1"),
        ("save", not args.save or _can_be_file(args.save), "the path of a file in an existing folder"),
    ):
        if not is_allowed:
            raise ValueError(f"{name} is {getattr(args, name)}; expected {allowed}")


def _can_be_file(path: Path) -> bool:
    return path.absolute().parent.is_dir() and not path.is_dir()


def tasks(args: argparse.Namespace) -> str:
    """List the 40 tasks of benchmark-mi: id, dimensions of X and Y, true mutual information in nats, name."""
    from minde.study.tasks import BENCHMARK

    if args.json:
        return json.dumps([vars(task) for task in BENCHMARK.values()], indent=1)
    width = max(map(len, BENCHMARK))
    lines = [f"{'task':<{width}}  dim_x  dim_y  MI (nats)  name"]
    lines += [f"{t.id:<{width}}  {t.dim_x:>5}  {t.dim_y:>5}  {t.mi_true:>9.4f}  {t.name}" for t in BENCHMARK.values()]
    return "\n".join(lines)


def _in_words(result: dict) -> str:
    settings, (low, high) = result["settings"], result["interval"]
    lines = [
        f"I(X; Y) = {result['mutual_information']:.3f} nats, "
        f"{100 * result['level']:g}% interval {low:.3f} to {high:.3f}",
        f"X: {', '.join(result['x'])}; Y: {', '.join(result['y'])}; {result['rows']:,} rows",
        f"MINDE-{settings['variant']} ({result['formula']}), {settings['replicates']} replicates of "
        f"{settings['steps']:,} steps, {result['seconds']:.0f} seconds",
        "by formula (estimate ± standard error):",
    ]
    for name, found in result["estimates"].items():
        lines.append(f"  {name:<8} {found['estimate']:.3f} ± {found['std_error']:.3f}")
    return "\n".join(lines)


def _parameter(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="minde", description=ABOUT, epilog=STATUS)
    top.add_argument("--version", action="version", version=f"minde {version('minde')}")
    verbs = top.add_subparsers(required=True, metavar="COMMAND")
    one = verbs.add_parser("estimate", help=estimate.__doc__, description=estimate.__doc__, epilog=STATUS)
    one.add_argument("file", type=Path, metavar="FILE", help=".parquet, .csv or .tsv with a header, or .npz")
    columns = "columns (npz: arrays), separated by commas; * and ? match any characters (use ? for a comma in a name)"
    one.add_argument("--x", required=True, metavar="NAMES", help=f"{columns}: X")
    one.add_argument("--y", required=True, metavar="NAMES", help="the same for Y")
    for option, (kind, about, default) in SETTINGS.items():
        one.add_argument(option, type=kind, metavar=kind.__name__.upper(), help=f"{about} ({default})")
    one.add_argument("--seed", type=int, default=0, metavar="INT", help="source of all random numbers (0)")
    one.add_argument("--level", type=float, default=0.95, metavar="FLOAT", help="of the confidence interval (0.95)")
    one.add_argument("--save", type=Path, metavar="PATH", help="keep the fitted estimator, for MINDE.load")
    one.set_defaults(function=estimate)
    every = verbs.add_parser("tasks", help=tasks.__doc__, description=tasks.__doc__)
    every.set_defaults(function=tasks)
    for verb in (one, every):
        verb.add_argument("--json", action="store_true", help="print JSON")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; return its exit status."""
    args = parser().parse_args(argv)
    try:
        text = args.function(args)
    except CommandError as error:
        print(f"minde: {error}", file=sys.stderr)
        return error.status
    except (FloatingPointError, MemoryError) as error:
        print(f"minde: the estimation failed: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("minde: interrupted", file=sys.stderr)
        return INTERRUPTED
    try:
        print(text, flush=True)
    except OSError as error:  # a full disk, or a closed pipe
        if not isinstance(error, BrokenPipeError):  # the reader, such as head, has enough
            print(f"minde: the result could not be written: {error}", file=sys.stderr)
        sys.stdout = None  # Python would try again at exit
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
