"""MINDE: mutual information from samples by score-based diffusion.

`MINDE` estimates mutual information and entropies of paired samples, `kl_divergence` compares two sets of samples,
and `Mine` is a loss for your own models. Each is imported on first use: `import minde` loads neither torch nor
numpy.
"""

from importlib import import_module
from importlib.metadata import version

__all__ = ["MINDE", "Estimate", "Interval", "Mine", "clip_adaptively", "kl_divergence"]

_MODULES = {
    "MINDE": "minde.api.estimator",
    "Estimate": "minde.api.result",
    "Interval": "minde.api.result",
    "kl_divergence": "minde.api.divergence",
    "Mine": "minde.baselines.mine",
    "clip_adaptively": "minde.baselines.mine",
}


def __getattr__(name: str):
    """Import a public name on first use."""
    if name == "__version__":
        return version("minde")
    if name not in _MODULES:
        raise AttributeError(f"module 'minde' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
