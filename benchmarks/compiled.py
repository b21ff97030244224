"""What `torch.compile` adds to a stack's training rate: steps as they are, against steps whose loss is compiled.

    python benchmarks/compiled.py [--members 10] [--device cuda]

The two take turns, and the ratio is taken for each turn. Compiling takes what the first compiled turn takes longer than
the eager one next to it, with an empty cache.
"""

import argparse
import os
import statistics
import tempfile
import time
from functools import partial

import torch

import trainers
from harness import print_table, write_results
from throughput import rate


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=[1, 25], choices=trainers.BATCH_SIZE)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="measured per turn and way")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    device, threads = torch.device(args.device), len(os.sched_getaffinity(0))
    rows = []
    for dim in args.dims:
        rates, spent = {False: [], True: []}, {False: [], True: []}
        with tempfile.TemporaryDirectory() as cache:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
            for _ in range(args.turns):
                for is_compiled in rates:
                    begin = time.perf_counter()
                    train = partial(trainers.ours, dim, args.members, is_compiled=is_compiled)
                    rates[is_compiled].append(rate([train], threads, args.seconds, device))
                    spent[is_compiled].append(time.perf_counter() - begin)
        ratios = [compiled / eager for eager, compiled in zip(rates[False], rates[True], strict=True)]
        rows.append(
            {
                "case": f"{dim}×{dim}",
                "members": args.members,
                "eager, replicate-steps/s": statistics.median(rates[False]),
                "compiled": statistics.median(rates[True]),
                "ratio": statistics.median(ratios),
                "lowest": min(ratios),
                "highest": max(ratios),
                "seconds to compile": spent[True][0] - spent[False][0],
            }
        )
    print_table(rows)
    write_results("compiled", device, table=rows)


if __name__ == "__main__":
    main()
