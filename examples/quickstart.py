# %% [markdown]
# # Mutual information of two arrays
#
# Samples of X and Y in, mutual information in nats out. Here the true value is known: X and Y are normal with
# correlation 0.75 (task `1v1-normal-0.75` of benchmark-mi), so I(X; Y) = -½ log(1 - 0.75²) = 0.413 nats.
#
# Run it with `.venv/bin/python examples/quickstart.py`; it takes at most a minute on one CPU core.

# %%
import matplotlib.pyplot as plt
import numpy as np

from minde import MINDE

rho, rows = 0.75, 10_000
generator = np.random.default_rng(0)
x = generator.normal(size=rows)
y = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=rows)
truth = -0.5 * np.log(1 - rho**2)

# %% [markdown]
# `fit` trains five networks together, each on four fifths of the rows; estimates use the fifth that each has not seen.

# %%
estimator = MINDE(variant="c", random_state=0).fit(x, y)
mi = estimator.mutual_information()
low, high = mi.interval()
print(f"I(X; Y) = {mi:.3f} nats, 95 % interval {low:.3f} to {high:.3f}; the truth is {truth:.3f}")

# %% [markdown]
# One training serves every formula, and entropies: that of a standard normal is ½ log(2πe) = 1.419 nats.

# %%
for formula, estimate in estimator.by_formula().items():
    print(f"{formula:<8} {estimate:.3f} ± {estimate.std_error:.3f}")
print(f"H(X) = {estimator.entropy('x'):.3f}, H(X | Y) = {estimator.conditional_entropy('x'):.3f}")

# %% [markdown]
# The estimate during training: it should settle well before the end. If it does not, use more `steps`.

# %%
curve = estimator.curve_
figure, ax = plt.subplots(figsize=(5.5, 3))
ax.plot(curve["step"], curve["inside"], color="0.75", linewidth=0.8)
ax.plot(curve["step"], curve["inside"].mean(axis=1), label="mean of five networks")
ax.axhline(truth, color="black", linestyle="--", label="truth")
ax.set_xlabel("steps")
ax.set_ylabel("mutual information (nats)")
ax.legend()
figure.savefig("quickstart.png", dpi=150)
