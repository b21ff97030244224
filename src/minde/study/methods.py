"""The methods that a study can have: the variants of MINDE and the competitors."""

VARIANTS = {"minde-j": "j", "minde-c": "c"}
"""Methods that train score networks, and the variant of MINDE that each is."""

CRITICS = ("mine", "infonce", "dv", "nwj")
"""Competitors that train a critic, with benchmark-mi."""

DOES = ("doe-gaussian", "doe-logistic")
"""Competitors that train densities."""

MINES = ("mine-torch",)
"""MINE of our own, stacked, which also the experiments use."""

UNTRAINED = ("ksg", "lnn", "kde", "cca")
"""Competitors that read the test samples only."""

COMPETITORS = (*CRITICS, *UNTRAINED, *DOES, *MINES)
METHODS = (*VARIANTS, *COMPETITORS)

SECTIONS = {
    "mine": ("critics", "mine"),
    **dict.fromkeys(CRITICS[1:], ("critics",)),
    **dict.fromkeys(DOES, ("doe",)),
    **dict.fromkeys(MINES, ("mine_torch",)),
}
"""Sections of `baselines` that a competitor's settings stand in, where that is not one of its own name."""

LABELS = {
    "minde-j": "MINDE-j",
    "minde-c": "MINDE-c",
    "mine": "MINE",
    "mine-torch": "MINE (ours)",
    "infonce": "InfoNCE",
    "dv": "D-V",
    "nwj": "NWJ",
    "ksg": "KSG",
    "lnn": "LNN",
    "kde": "KDE",
    "cca": "CCA",
    "doe-gaussian": "DoE (Gaussian)",
    "doe-logistic": "DoE (Logistic)",
}
"""What tables and figures call a method, in the order of the paper's Table 1."""
