"""A fitted estimator in one file: tensors, and settings in its header."""

import json
from numbers import Integral, Real
from pathlib import Path

import torch

from minde import tensors
from minde.device import pick_device
from minde.diffusion.model import WEIGHTS_VERSION
from minde.files import provenance

from .settings import check_device
from .training import Fitted, Trained, model_of

FORMAT = 4  # of the file; others are refused


def save(estimator, path: Path) -> None:
    """Write a fitted estimator to a file, which appears whole or not at all, in a folder that is made if needed."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the path of a file to write")
    fitted = estimator._fitted
    held = {"parameters": fitted.trained.parameters, "test": fitted.test}
    held |= tensors.prefixed("moments", fitted.trained.moments)
    if fitted.log_scale is not None:
        held["log_scale"] = fitted.log_scale
    settings = fitted.settings | {name: getattr(estimator, name) for name in ("formula", "mc_draws")}
    if not isinstance(settings["random_state"], Integral):
        settings["random_state"] = None  # a generator's state cannot be written; the seed drawn from it is
    header = provenance(
        settings, packages=("numpy", "safetensors", "scikit-learn", "torch"), sources=("api/*.py", "diffusion/*.py")
    )
    header |= {
        "format": FORMAT,
        "weights_version": WEIGHTS_VERSION,
        "dims": [estimator.dim_x_, estimator.dim_y_],
        "seed": estimator.seed_,
        "disjoint": fitted.disjoint,
        "n_train": fitted.n_train,
    }
    arrays = {name: tensor.cpu().numpy() for name, tensor in held.items()}
    arrays |= tensors.prefixed("curve", estimator.curve_)
    tensors.write(path, arrays, json.loads(json.dumps(header, default=_plain)))


def _plain(setting: object) -> object:
    """Return a setting of numpy's types, a fraction or a torch device as JSON knows it."""
    if hasattr(setting, "item"):
        return setting.item()
    return float(setting) if isinstance(setting, Real) else str(setting)


def load(cls, path: Path, device: str | None):
    """Read an estimator. Raises ValueError, naming the path, if the file is damaged or holds no estimator."""
    if device is not None:
        check_device(device)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; expected a file that MINDE.save wrote")
    try:
        arrays, header = tensors.read(path)
    except FileNotFoundError:
        raise
    except (OSError, tensors.UnreadableError) as error:
        raise ValueError(f"{path} is not a readable fitted estimator ({error}); MINDE.save writes one") from error
    if header.get("format") != FORMAT:
        raise ValueError(f"{path} does not hold a fitted estimator of format {FORMAT}; MINDE.save writes one")
    if (found := header.get("weights_version", 1)) != WEIGHTS_VERSION:
        raise ValueError(
            f"{path} holds weights of version {found}; this software reads version {WEIGHTS_VERSION}; load it with the "
            "software that saved it"
        )
    if unknown := sorted(header["settings"].keys() - cls().get_params().keys()):
        raise ValueError(
            f"{path} was saved by another version of this software (code {header['code'][:12]}): it has the setting "
            f"{unknown[0]!r}, which is unknown here; load it with that version"
        )
    estimator = cls(**header["settings"])
    if device is not None:
        estimator.device = device
    place = pick_device(estimator.device)
    curve = tensors.group(arrays, "curve")
    held = {name: torch.from_numpy(array).to(place) for name, array in arrays.items()}
    moments = tensors.group(held, "moments")
    model = model_of(header["settings"], estimator.variant, header["dims"], header["n_train"], moments, place)
    estimator._fitted = Fitted(
        trained=Trained(model=model, parameters=held["parameters"], moments=moments),
        settings=estimator.get_params(),
        test=held["test"],
        n_train=header["n_train"],
        disjoint=header["disjoint"],
        log_scale=held.get("log_scale"),
    )
    estimator.dim_x_, estimator.dim_y_ = header["dims"]
    estimator.seed_ = header["seed"]
    estimator.curve_ = curve
    return estimator
