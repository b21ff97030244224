"""Images and their autoencoders, on scikit-learn's digits."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from minde.images.autoencoder import encode
from minde.images.loader import first_rows, load
from minde.study.consistency import IMAGES

OPTIONS = {"hidden": 64, "latent": 4, "batch_size": 64, "learning_rate": 2e-3, "seed": 1}


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load("digits")[0]


def test_digits_are_grey_images(digits) -> None:
    assert digits.shape == (1797, 8, 8)
    assert IMAGES["digits"] == (1797, 8)  # what the config is checked against
    assert digits.dtype == np.float32
    assert digits.min() == 0
    assert digits.max() == 1


def test_only_the_first_rows_are_shown(digits) -> None:
    shown = first_rows(digits, 3)
    np.testing.assert_array_equal(shown[:, :3], digits[:, :3])
    assert not shown[:, 3:].any()


def test_latents_hold_more_than_as_many_principal_components(digits) -> None:
    """A linear map of the latents gives back more of the image than the best linear code of a half of their number."""
    pixels = torch.from_numpy(digits).flatten(1)
    latents = encode(pixels, epochs=30, **OPTIONS)
    with_one = torch.cat([latents, torch.ones(len(latents), 1)], dim=1)
    residual = pixels - with_one @ torch.linalg.lstsq(with_one, pixels).solution
    linear = PCA(2).fit(pixels.numpy())
    best = np.square(pixels.numpy() - linear.inverse_transform(linear.transform(pixels.numpy()))).mean()
    assert residual.square().mean().item() < best


def test_the_same_seed_gives_the_same_latents_and_another_gives_others(digits) -> None:
    pixels = torch.from_numpy(digits[:200]).flatten(1)
    first, again = (encode(pixels, epochs=2, **OPTIONS) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, encode(pixels, epochs=2, **OPTIONS | {"seed": 2}))


def test_an_error_that_is_not_finite_stops(digits) -> None:
    pixels = torch.from_numpy(digits[:200]).flatten(1) * float("nan")
    with pytest.raises(FloatingPointError, match=r"nan in epoch 1; lower its learning_rate"):
        encode(pixels, epochs=2, **OPTIONS)


def test_unknown_images_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown images 'cats'; known: digits, mnist"):
        load("cats")


def test_without_network_or_copy_mnist_says_what_to_do(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    with pytest.raises(OSError, match=r"MNIST is not in .* and cannot be downloaded .*SCIKIT_LEARN_DATA"):
        load("mnist")
