"""The verbs that rules call: each takes its parsed arguments, calls a step or the study, and writes files.

Imports are inside the functions, so that no verb pays for the libraries of another.
"""

import argparse
import os
from pathlib import Path


def sample(args: argparse.Namespace) -> None:
    """Draw the samples of one task."""
    from minde.study import samples

    samples.draw(args.settings, args.out)


def split(args: argparse.Namespace) -> None:
    """Split the rows of a user's file into the samples of a task."""
    from minde.study import data

    data.split(args.settings, args.file, args.out)


def latents(args: argparse.Namespace) -> None:
    """Fit the autoencoders of the consistency tests and write the images' latents."""
    from minde.device import pick_device
    from minde.steps import latents

    latents.latents(args.settings, args.out, pick_device(args.device))


def experiment(args: argparse.Namespace) -> None:
    """Run an experiment of MINE and write its rows."""
    from minde.device import pick_device
    from minde.steps import experiment

    experiment.experiment(args.name, args.settings, args.out, pick_device(args.device))


def experiment_figure(args: argparse.Namespace) -> None:
    """Draw the figure of an experiment of MINE, in every requested file format."""
    from minde.study import experiment_rows
    from minde.study.figures import experiments as experiment_figures

    experiment_figures.write_figure(args.name, experiment_rows.read(args.rows).to_pandas(), args.out)


def train(args: argparse.Namespace) -> None:
    """Train the score networks of one cell.

    With --state, training saves its state there, and resumes from it when run again with the same settings, samples and
    code. SIGUSR2 (exit status 75), SIGTERM (143) and SIGINT (130) stop it after saving; any other nonzero status is a
    failure. The state is removed once weights and curve are written.

    With --together N, one of up to N such processes on this machine trains the cells of all, in few programs.
    """
    from minde.interruption import Interruption

    interruption = Interruption()
    if args.state:
        interruption.listen()  # before importing torch, which takes seconds
    if args.together > 1:
        if not args.state:
            raise ValueError("--together needs --state: if the process that trains dies, another one resumes from it")
        from minde.steps import together

        together.train(_for_another_process(args), args.together, interruption)
        return
    from minde.device import keep_freed_memory, pick_device
    from minde.steps import checkpointing, train

    keep_freed_memory()
    checkpointer = checkpointing.Checkpointer(args.state, args.checkpoint_seconds, interruption)
    paths, device = (args.samples, args.weights, args.curve), pick_device(args.device)
    train.train(train.prepare(args.settings, *paths, device, args.stack, checkpointer))


def estimate(args: argparse.Namespace) -> None:
    """Estimate one cell from its score networks, by every formula."""
    from minde.device import pick_device
    from minde.steps import estimate

    device = pick_device(args.device)
    estimate.estimate(args.settings, args.samples, args.weights, args.curve, args.out, device, args.stack)


def score_errors(args: argparse.Namespace) -> None:
    """Measure the error of a cell's learned scores by time."""
    from minde.device import pick_device
    from minde.steps import score_errors

    score_errors.measure(args.settings, args.samples, args.weights, args.out, pick_device(args.device))


def score_error_figure(args: argparse.Namespace) -> None:
    """Draw the error of a cell's learned scores by time."""
    from minde.study.figures import score_errors

    score_errors.write_figure(args.errors, args.settings["method"], args.out)


def baseline(args: argparse.Namespace) -> None:
    """Estimate a cell with a competitor, every replicate from its own samples."""
    from minde.steps import baseline

    baseline.baseline(args.settings, args.samples, args.out, args.device)


def merge(args: argparse.Namespace) -> None:
    """Merge the estimates of all cells; every key of the design must occur exactly once, and no other."""
    from minde.steps import merge

    merge.merge(args.settings, args.estimates, args.origins, args.out)


def table(args: argparse.Namespace) -> None:
    """Write a table, in every requested file format."""
    from minde.study import results, tables
    from minde.study.tables.consistency import write_ratios

    write = {"table1": tables.write_table, "summary": tables.write_summary, "consistency": write_ratios}[args.name]
    write(results.read_estimates(args.estimates).to_pandas(), args.out, **args.settings)


def hyperparameters(args: argparse.Namespace) -> None:
    """Write the table of hyper-parameters, in every requested file format."""
    from minde.steps import hyperparameters
    from minde.study.tables.hyperparameters import write_hyperparameters

    write_hyperparameters(hyperparameters.lines(args.settings), args.out)


def figure(args: argparse.Namespace) -> None:
    """Draw a figure from training curves or the merged estimates of one or two studies, in every requested format."""
    import pandas as pd

    from minde.study import figures, results
    from minde.study.figures import curves

    settings = dict(args.settings)
    if "mi_true" in settings:
        shown = curves.read(args.shown, settings.pop("mi_true"))
    else:
        frames = [results.read_estimates(path).to_pandas() for path in args.shown]
        if studies := settings.pop("studies", None):
            frames = [frame.assign(study=study) for frame, study in zip(frames, studies, strict=True)]
        shown = pd.concat(frames)
    figures.write_figure(args.name, shown, args.out, **settings)


def bundle(args: argparse.Namespace) -> None:
    """Pack a study's estimates, tables and figures, or its weights, into one archive."""
    from minde.study.bundle import pack

    pack.pack(args.settings["holds"], args.settings["config"], args.results, args.files, args.lock, args.out)


def unpack(args: argparse.Namespace) -> None:
    """Extract one file from a bundle after checking it against the manifest."""
    from minde.study.bundle import archive

    with archive.opened(args.bundle) as opened:
        archive.extract(opened, args.settings["file"], args.out)


def plan(args: argparse.Namespace) -> None:
    """Print the cost of a study: jobs, steps, hours at measured rates, disk."""
    from minde.steps import plan

    print(plan.report(args.settings, args.rates, args.checks))


def _for_another_process(args: argparse.Namespace) -> dict:
    """Return the arguments of the verb for another process, with absolute paths."""
    kept = {name: value for name, value in vars(args).items() if name not in ("function", "verb", "together")}
    return {name: os.path.abspath(value) if isinstance(value, Path) else value for name, value in kept.items()}
