"""Time to accuracy: training time until the estimate on 1v1-normal-0.75 is within 0.02 nats of the truth.

    python benchmarks/time_to_accuracy.py --authors CHECKOUT

Ours is the recipe `fast` of config/config.yaml, with and without its base, which alone solves this task. The learning
rate falls to zero, so each number of steps is a separate training: the number doubles until the gap formula is within
the bound in every replicate, and the time of that training counts, divided by the replicates of the stack. The authors'
trainer (CHECKOUT: a clone of github.com/MustaphaBounoua/minde) trains one replicate and estimates every 1,000 steps;
the first time that one of its two formulas is within the bound counts. Evaluations stop the clock on both sides, and it
starts after a first step, which imports modules and loads a GPU's libraries.
"""

import argparse
import contextlib
import os
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import torch
import yaml

import trainers
from harness import print_table, write_results
from minde.diffusion.base import fit_base
from minde.diffusion.estimators import mutual_information, scores_of
from minde.diffusion.model import build_model
from minde.diffusion.recipe import Recipe
from minde.diffusion.sde import SDE
from minde.diffusion.times import Times
from minde.diffusion.training import start, train_stack

TRUTH = 0.4133  # nats
BOUND = 0.02  # nats
ROWS, TEST_ROWS = 100_000, 10_000
CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"


def ours(replicates: int, device: torch.device, longest: int, **changes) -> dict:
    """Train by the recipe, with changes, for more and more steps until every replicate is within the bound."""
    fast = yaml.safe_load(CONFIG.read_text())["recipes"]["fast"] | changes
    options = {field.name: fast[field.name] for field in fields(Recipe) if field.name != "steps"}
    clean = trainers.samples_of(1, replicates, ROWS).to(device)
    test = trainers.samples_of(1, replicates, TEST_ROWS, seed=1).to(device)
    seeds, tried = list(range(replicates)), []

    def train(steps: int):
        model = build_model(
            variant="c",
            dim_x=1,
            dim_y=1,
            n_train=ROWS,
            times=Times(sde=SDE()),
            hidden="auto",
            middle_blocks=2,
            architecture=fast["architecture"],
            moments=fit_base(fast["base"], clean, 1),
            device=device,
        )
        recipe = Recipe(steps=steps, **options)
        state = start(model, seeds, device)
        for _ in train_stack(model, clean, recipe, seeds, state):
            pass
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return model, state

    train(1)
    steps = 125
    while steps <= longest:
        begin = time.perf_counter()
        model, state = train(steps)
        seconds = (time.perf_counter() - begin) / replicates
        values = mutual_information(
            scores_of(model, model.network.unflatten(state.average)),
            test,
            formulas=["gap"],
            sigmas=[],
            mc_draws=10,
            seeds=seeds,
        )["gap"].value.tolist()
        tried.append({"steps": steps, "seconds": seconds, "estimates": values})
        found = f"{min(values):.3f} to {max(values):.3f}"
        print(f"ours, base {fast['base']}: {steps} steps, {seconds:.2f} s per replicate: {found}")
        reached = max(abs(value - TRUTH) for value in values) <= BOUND
        if reached:
            break
        steps *= 2
    return {"steps": tried[-1]["steps"], "seconds": tried[-1]["seconds"], "reached": reached, "tried": tried}


def authors(checkout: str, device: torch.device, limit: float) -> dict:
    """Train with the authors' code until an estimate is within the bound, or for `limit` seconds of training."""
    test = trainers.samples_of(1, 1, TEST_ROWS, seed=1)[0]
    steps, seconds, since, tried = 0, 0.0, None, []

    def tick(replicate_steps: int, trained) -> None:
        nonlocal steps, seconds, since
        steps += replicate_steps
        since = since or time.perf_counter()
        if steps % 1000:
            return
        seconds += time.perf_counter() - since
        values = [float(value) for value in trained.compute_mi({"x": test[:, :1], "y": test[:, 1:]})]
        tried.append({"steps": steps, "seconds": seconds, "estimates": values})
        print(f"authors: {steps} steps, {seconds:.0f} s: inside {values[0]:.3f}, sigma {values[1]:.3f}", file=terminal)
        if min(abs(value - TRUTH) for value in values) <= BOUND or seconds > limit:
            raise trainers.Finished
        trained.train()
        since = time.perf_counter()

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as null:
        terminal = os.fdopen(os.dup(1), "w", buffering=1)
        os.chdir(folder)
        with contextlib.redirect_stdout(null), contextlib.redirect_stderr(null), contextlib.suppress(trainers.Finished):
            trainers.authors(1, device, tick, checkout=checkout, rows=ROWS)
    reached = min(abs(value - TRUTH) for value in tried[-1]["estimates"]) <= BOUND
    return {"steps": tried[-1]["steps"], "seconds": tried[-1]["seconds"], "reached": reached, "tried": tried}


def main() -> None:
    """Measure each side and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--authors", metavar="CHECKOUT", required=True, help="checkout of the authors' repository")
    parser.add_argument("--replicates", type=int, default=10, help="stack members of ours")
    parser.add_argument("--longest", type=int, default=32_000, help="steps of ours at most, 125 or more")
    parser.add_argument("--limit", type=float, default=1800, help="seconds of the authors' training at most")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    device, checkout, folder = torch.device(args.device), os.path.abspath(args.authors), os.getcwd()
    sides = {
        "fast": ours(args.replicates, device, args.longest),
        "fast, no base": ours(args.replicates, device, args.longest, base="none"),
        "authors": authors(checkout, device, args.limit),
    }
    os.chdir(folder)
    theirs = sides["authors"]["seconds"]
    rows = [
        {
            "side": name,
            "steps": side["steps"],
            "seconds per replicate": side["seconds"],
            "within 0.02": "yes" if side["reached"] else "no",
            "times faster": theirs / side["seconds"],
        }
        for name, side in sides.items()
    ]
    print_table(rows)
    write_results("time-to-accuracy", device, replicates=args.replicates, table=rows, sides=sides)


if __name__ == "__main__":
    main()
