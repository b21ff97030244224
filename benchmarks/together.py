"""Cells in one process: what four of them gain as one stack, and as threads, over one after the other.

    python benchmarks/together.py

Each is a cell of ten replicates in the paper's recipe. On a CPU one core is used, and its seconds are counted, so that
other processes of the machine disturb little; on a GPU the wall's.
"""

import argparse
import threading
import time

import torch

import trainers
from harness import print_table, write_results

CELLS, REPLICATES, WARM_UP = 4, 10, 3  # seconds


def rate(dim: int, stacks: list[int], seconds: float, device: torch.device) -> float:
    """Return the replicate-steps per second of stacks of so many replicates, each in a thread of its own."""
    done, stopping, clock = [0] * len(stacks), threading.Event(), time.perf_counter
    if device.type == "cpu":
        clock = time.process_time

    def train(number: int) -> None:
        def tick(replicate_steps: int) -> None:
            done[number] += replicate_steps
            if stopping.is_set():
                raise SystemExit

        trainers.ours(dim, stacks[number], device, tick)

    threads = [threading.Thread(target=train, args=(number,)) for number in range(len(stacks))]
    for thread in threads:
        thread.start()
    while not all(done):
        time.sleep(0.1)
    time.sleep(WARM_UP)
    before, since = list(done), clock()
    gained = [0]
    while clock() - since < seconds or min(gained) == 0:  # a tick comes every few steps only
        time.sleep(0.1)
        gained = [now - then for now, then in zip(done, before, strict=True)]
    found = sum(gained) / (clock() - since)
    stopping.set()
    for thread in threads:
        thread.join()
    return found


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dims", type=int, nargs="+", default=[1, 25], choices=trainers.BATCH_SIZE)
    parser.add_argument("--seconds", type=float, default=10.0, help="measured per way")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    device = torch.device(args.device)
    torch.set_num_threads(1)
    ways = {
        "one after the other": [REPLICATES],
        "threads": [REPLICATES] * CELLS,
        "one stack": [REPLICATES * CELLS],
    }
    rows = []
    for dim in args.dims:
        for way, stacks in ways.items():
            found = rate(dim, stacks, args.seconds, device)
            rows.append({"case": f"{dim}×{dim}", "way": way, "replicate-steps/s": found})
            print_table(rows[-1:])
    print_table(rows)
    write_results("together", device, cells=CELLS, replicates=REPLICATES, table=rows)


if __name__ == "__main__":
    main()
