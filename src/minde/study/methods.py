"""The methods that a study can use: the variants of MINDE and the competitors."""

from typing import NamedTuple


class Method(NamedTuple):
    """What the study knows about a method; its colour and marker are in `figures/panels.py`."""

    label: str
    """Name in tables and figures."""
    kind: str
    """`variant` (trains score networks), `critic` (trains a critic, with benchmark-mi), `torch` (trains other networks
    in torch, all replicates as one program) or `untrained` (reads the test samples only)."""
    sections: tuple[str, ...] = ()
    """Sections of `baselines` that hold its settings."""


METHODS = {
    "minde-j": Method("MINDE-j", "variant"),
    "minde-c": Method("MINDE-c", "variant"),
    "mine": Method("MINE", "critic", ("critics", "mine")),
    "mine-torch": Method("MINE (ours)", "torch", ("mine_torch",)),
    "infonce": Method("InfoNCE", "critic", ("critics",)),
    "dv": Method("D-V", "critic", ("critics",)),
    "nwj": Method("NWJ", "critic", ("critics",)),
    "ksg": Method("KSG", "untrained", ("ksg",)),
    "lnn": Method("LNN", "untrained", ("lnn",)),
    "kde": Method("KDE", "untrained", ("kde",)),
    "cca": Method("CCA", "untrained", ("cca",)),
    "doe-gaussian": Method("DoE (Gaussian)", "torch", ("doe",)),
    "doe-logistic": Method("DoE (Logistic)", "torch", ("doe",)),
}
"""Every method, in the order of the paper's Table 1."""


def _of_kind(kind: str) -> tuple[str, ...]:
    return tuple(name for name, method in METHODS.items() if method.kind == kind)


VARIANTS = {name: name.removeprefix("minde-") for name in _of_kind("variant")}
"""Methods that train score networks, and the variant of MINDE that each one is."""

CRITICS, TORCH, UNTRAINED = map(_of_kind, ("critic", "torch", "untrained"))
COMPETITORS = tuple(name for name in METHODS if name not in VARIANTS)
