"""Training rate by the size of the stack, and its share of the device's peak.

    python benchmarks/stacks.py [--members 1 10 40 160] [--device cuda]

A member is one replicate of a cell, or of several cells trained together. The peak is measured as the fastest of
several products of large float32 matrices. Of a step, only matrix products are counted, which are most of its
arithmetic.
"""

import argparse
import os
import time
from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

import trainers
from harness import print_table, write_results
from minde.diffusion.batches import CHUNK
from throughput import rate

SIZES = (1024, 2048, 4096)  # of the matrices
PRODUCTS = 8  # of each size, timed together


def peak(device: torch.device) -> float:
    """Return the floating-point operations per second of the fastest matrix products."""

    def seconds(matrix: torch.Tensor) -> float:
        begin = time.perf_counter()
        for _ in range(PRODUCTS):
            matrix @ matrix
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - begin

    def rate_of(size: int) -> float:
        matrix = torch.randn(size, size, device=device)
        return 2 * size**3 * PRODUCTS / min(seconds(matrix) for _ in range(3))

    return max(map(rate_of, SIZES))


def operations(dim: int) -> float:
    """Return the floating-point operations of one replicate's step."""

    def stop(*_) -> None:
        raise trainers.Finished

    counter = FlopCounterMode(display=False)
    try:
        with counter:
            trainers.ours(dim, 1, torch.device("cpu"), stop)
    except trainers.Finished:
        return counter.get_total_flops() / CHUNK


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=[1, 25], choices=trainers.BATCH_SIZE)
    parser.add_argument("--members", type=int, nargs="+", default=[1, 10, 40, 160])
    parser.add_argument("--seconds", type=float, default=8.0, help="measured per case")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    device = torch.device(args.device)
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    highest, rows = peak(device), []
    for dim in args.dims:
        per_step, smallest = operations(dim), None
        for members in sorted(args.members):
            found = rate([partial(trainers.ours, dim, members)], threads, args.seconds, device)
            smallest = smallest or found
            rows.append(
                {
                    "case": f"{dim}×{dim}",
                    "members": members,
                    "replicate-steps/s": found,
                    "of the smallest's": found / smallest,
                    "GFLOP/s": found * per_step / 1e9,
                    "share of peak": found * per_step / highest,
                }
            )
    print_table(rows)
    write_results("stacks", device, peak_gflops=highest / 1e9, table=rows)


if __name__ == "__main__":
    main()
