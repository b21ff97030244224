"""A fitted estimator in one safetensors file: tensors, and settings as JSON in its header. No pickle."""

import json
from hashlib import sha256
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes

from minde.device import pick_device
from minde.diffusion.model import WEIGHTS_VERSION
from minde.files import atomic, provenance

from .settings import check_device
from .training import Fitted, Trained, model_of

MOMENTS = ("mean", "covariance", "weights")
FORMAT = 3  # of the file; others are refused


def save(estimator, path: Path) -> None:
    """Write a fitted estimator to a file, which appears whole or not at all."""
    fitted = estimator._fitted
    tensors = {"parameters": fitted.trained.parameters, "test": fitted.test}
    tensors |= dict(zip(MOMENTS, fitted.trained.moments, strict=False))
    if fitted.log_scale is not None:
        tensors["log_scale"] = fitted.log_scale
    tensors |= {f"curve/{name}": torch.from_numpy(values) for name, values in estimator.curve_.items()}
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
    header = json.loads(json.dumps(header, default=_plain))
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(header | {"sha256": _digest(header, tensors)})
    with atomic(path) as temporary:
        temporary.write_bytes(as_bytes(tensors, metadata={"minde": text}))


def _plain(setting: object) -> object:
    """Return a setting of numpy's types, a fraction or a torch device as JSON knows it."""
    if hasattr(setting, "item"):
        return setting.item()
    return float(setting) if isinstance(setting, Real) else str(setting)


def _digest(header: dict, tensors: dict[str, torch.Tensor]) -> str:
    """Return the SHA-256 of all that a file holds."""
    digest = sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy())
    return digest.hexdigest()


def load(cls, path: Path, device: str | None):
    """Read an estimator. Raises ValueError, naming the path, if the file is damaged or holds no estimator."""
    if device is not None:
        check_device(device)
    try:
        with safe_open(path, framework="torch") as file:
            text = (file.metadata() or {}).get("minde", "{}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except FileNotFoundError:
        raise
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} is not a readable safetensors file: {error}") from error
    try:
        header = json.loads(text)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"{path} does not hold a fitted estimator of format {FORMAT}; MINDE.save writes one")
    if header.pop("sha256", None) != _digest(header, tensors):
        raise ValueError(f"{path} is damaged: its content does not have the SHA-256 that it was saved with")
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
    curve = {name.removeprefix("curve/"): tensors.pop(name) for name in list(tensors) if name.startswith("curve/")}
    tensors = {name: tensor.to(place) for name, tensor in tensors.items()}
    moments = tuple(tensors[name] for name in MOMENTS if name in tensors)
    model = model_of(header["settings"], estimator.variant, header["dims"], moments, place)
    estimator._fitted = Fitted(
        trained=Trained(model=model, parameters=tensors["parameters"], moments=moments),
        settings=estimator.get_params(),
        test=tensors["test"],
        n_train=header["n_train"],
        disjoint=header["disjoint"],
        log_scale=tensors.get("log_scale"),
    )
    estimator.dim_x_, estimator.dim_y_ = header["dims"]
    estimator.seed_ = header["seed"]
    estimator.curve_ = {name: np.asarray(values) for name, values in curve.items()}
    return estimator
