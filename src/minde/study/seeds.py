"""Seeds that depend only on their purpose: adding a task or a replicate changes no other numbers."""

import hashlib
import json


def canonical(value) -> str:
    """Return JSON with one spelling per value: sorted keys, no spaces, 20.0 written as 20.

    Snakemake compares settings as text, so a second spelling of a value would rerun everything that reads it. Raises
    ValueError for NaN and infinity.
    """
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def seed_of(study_seed: int, task: str, train_size: int | None, replicate: int, purpose: str) -> int:
    """Return a seed of 63 bits (what a torch generator takes), stable across machines, processes and versions.

    `train_size` is None for anything shared by all train sizes, such as the samples.
    """
    key = canonical([study_seed, task, train_size, replicate, purpose])
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big") >> 1


def plain(value):
    """Return a JSON-like value with whole floats as integers."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
