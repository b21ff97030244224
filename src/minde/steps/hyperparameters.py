"""The step `hyperparameters`: the settings of every method on every task, with the widths that `auto` stands for."""

from minde.baselines import widths
from minde.diffusion.width import hidden_width
from minde.study.methods import METHODS


def lines(settings: dict) -> list[dict]:
    """Return a line per method and task: method, task, dim_x, dim_y, and its settings by name.

    Names of settings in a section are joined by a dot, such as `estimation.mc_draws`; `hidden` is a list of widths, and
    `train_sizes`, where settings depend on the train size, a list of those that have them.
    """
    dims = {task: (dim_x, dim_y) for task, dim_x, dim_y in settings["tasks"]}
    return [
        {"method": method, "task": task, "dim_x": dims[task][0], "dim_y": dims[task][1]}
        | {name: sizes for name, sizes in shared.items() if name == "train_sizes"}
        | _flat(_with_widths(method, shared["settings"], *dims[task]))
        for method in METHODS
        for shared in settings["methods"].get(method, [])
        for task in shared["tasks"]
    ]


def _with_widths(method: str, settings: dict, dim_x: int, dim_y: int) -> dict:
    """Return the settings with the widths of the hidden layers, or of a score network, in place of `hidden`."""
    if "hidden" not in settings:
        return settings
    settings = dict(settings)
    hidden, layers = settings.pop("hidden"), settings.pop("layers", None)
    if METHODS[method].kind == "variant":
        return {"hidden": [hidden_width(dim_x + dim_y, hidden)], **settings}
    if layers is None:
        return {"hidden": widths.of_critic(dim_x, hidden), **settings}
    return {"hidden": [widths.of_network(dim_x, hidden)] * layers, **settings}


def _flat(settings: dict, section: str = "") -> dict:
    """Return the settings without sections, those of sections last."""
    found, sections = {}, {}
    for name, value in settings.items():
        if isinstance(value, dict):
            sections |= _flat(value, f"{section}{name}.")
        else:
            found[f"{section}{name}"] = value
    return found | sections
