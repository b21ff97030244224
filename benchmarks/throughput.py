"""Training throughput: replicate-steps per second of our stacks against the authors' published trainer.

    python benchmarks/throughput.py --authors CHECKOUT

CHECKOUT is a clone of github.com/MustaphaBounoua/minde; it needs pytorch-lightning and tensorboardX besides torch.
Without it, the reference is our plain loop that trains one replicate with the same arithmetic.

On a CPU each side runs in two ways: one process with a thread per core, and a process per core with one thread each.
The better way of ours is compared with both of the reference, which trains one replicate after another in one process
unless its user starts more. The sides take turns, so that a change of the machine's speed affects both; the ratio is
taken for each turn, and its median is the number to quote.
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import tempfile
import time
from functools import partial

import torch

import trainers
from harness import print_table, write_results

WARM_UP = 2  # seconds


def measure(number: int, trains: list, threads: int, seconds: float, device: torch.device, barrier, queue) -> None:
    """Warm up training `number`, wait for the other processes, and count its replicate-steps for some seconds."""
    torch.set_num_threads(threads)
    begin, since, done = time.perf_counter(), None, 0

    def tick(replicate_steps: int, trained) -> None:
        nonlocal since, done
        if since is None:
            if time.perf_counter() - begin > WARM_UP:
                barrier.wait()
                since = time.perf_counter()
            return
        done += replicate_steps
        if time.perf_counter() - since > seconds:
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            queue.put(done / (time.perf_counter() - since))
            raise trainers.Finished

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as null:
        os.chdir(folder)
        with contextlib.redirect_stdout(null), contextlib.redirect_stderr(null), contextlib.suppress(trainers.Finished):
            trains[number](device=device, tick=tick)


def rate(trains: list, threads: int, seconds: float, device: torch.device) -> float:
    """Return the total replicate-steps per second of trainings that run in parallel, in a process each.

    Raises the error of a process that fails.
    """
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(len(trains)), context.SimpleQueue()
    torch.multiprocessing.spawn(measure, (trains, threads, seconds, device, barrier, queue), nprocs=len(trains))
    return sum(queue.get() for _ in trains)


def summarize(case: dict, name: str, turns: list[dict], several_ways: bool) -> list[dict]:
    """Return the rows of a case: against one process of the reference, as published, and against one per core."""

    def rates(side: str, processes: set[int]) -> list[float]:
        by_turn: dict[int, float] = {}
        for turn in turns:
            if turn["side"] == side and turn["processes"] in processes:
                by_turn[turn["turn"]] = max(turn["rate"], by_turn.get(turn["turn"], 0.0))
        return list(by_turn.values())

    all_ways = {turn["processes"] for turn in turns}
    against = {f"{name}, one process": {1}} | ({f"{name}, one per core": all_ways - {1}} if several_ways else {})
    rows = []
    for reference, processes in against.items():
        ours, theirs = rates("ours", all_ways), rates(name, processes)
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        rows.append(
            case
            | {
                "against": reference,
                "ours, replicate-steps/s": statistics.median(ours),
                "theirs": statistics.median(theirs),
                "ratio": statistics.median(ratios),
                "lowest": min(ratios),
                "highest": max(ratios),
            }
        )
    return rows


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--authors", metavar="CHECKOUT", help="checkout of the authors' repository")
    parser.add_argument("--dims", type=int, nargs="+", default=[1, 25, 50], choices=trainers.BATCH_SIZE)
    parser.add_argument("--replicates", type=int, default=10, help="stack members of ours, all processes together")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="measured per turn and way")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    device = torch.device(args.device)
    cores = 1 if device.type == "cuda" else len(os.sched_getaffinity(0))
    ways = {(1, cores), (cores, 1)}  # (processes, threads)
    name = "authors" if args.authors else "plain loop"

    rows, turns = [], []
    for dim in args.dims:
        if args.authors:
            reference = partial(trainers.authors, dim, checkout=os.path.abspath(args.authors))
        else:
            reference = partial(trainers.plain, dim)
        for turn in range(args.turns):
            for processes, threads in sorted(ways):
                stack = partial(trainers.ours, dim, args.replicates // processes)
                for side, train in (("ours", stack), (name, reference)):
                    found = rate([train] * processes, threads, args.seconds, device)
                    turns.append({"dim": dim, "turn": turn, "side": side, "processes": processes, "rate": found})
        n_parameters = trainers.model_of(dim, device).network.n_parameters
        case = {"case": f"{dim}×{dim}", "parameters": n_parameters, "batch size": trainers.BATCH_SIZE[dim]}
        rows += summarize(case, name, [turn for turn in turns if turn["dim"] == dim], len(ways) > 1)
        print_table(rows)
    write_results("throughput", device, replicates=args.replicates, reference=name, table=rows, turns=turns)


if __name__ == "__main__":
    main()
