"""Seeds that never change, and the JSON that they and settings are written in."""

import subprocess
import sys

import pytest

from minde.study import seeds


# Known answers: if one of these changed, so would every published number of every study.
@pytest.mark.parametrize(
    ("key", "seed"),
    [
        ((0, "1v1-normal-0.75", None, 0, "samples/train"), 709289290985921760),
        ((0, "1v1-normal-0.75", None, 0, "samples/test"), 8796467887655116334),
        ((7, "student-identity-1-1-1", 100000, 9, "train"), 2458546096867258438),
    ],
)
def test_seeds_have_fixed_values(key, seed):
    assert seeds.seed_of(*key) == seed


def test_seeds_are_the_same_in_another_process():
    code = "from minde.study.seeds import seed_of; print(seed_of(0, 'a', 5, 1, 'train'))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert int(found) == seeds.seed_of(0, "a", 5, 1, "train")


def test_seeds_differ_in_every_part_of_their_key_and_fit_63_bits():
    key = (0, "1v1-normal-0.75", 2000, 0, "train")
    others = [
        (1, *key[1:]),
        (0, "other", *key[2:]),
        (*key[:2], None, *key[3:]),
        (*key[:3], 1, "train"),
        (*key[:4], "x"),
    ]
    found = {seeds.seed_of(*key) for key in [key, *others]}
    assert len(found) == 6
    assert all(0 <= seed < 2**63 for seed in found)


def test_canonical_json_has_one_spelling_per_value():
    assert seeds.canonical({"b": 20.0, "a": (1, 1e-3)}) == seeds.canonical({"a": [1.0, 0.001], "b": 20})
    assert seeds.canonical({"a": [True, None, "20.0"]}) == '{"a":[true,null,"20.0"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        seeds.canonical(float("nan"))
