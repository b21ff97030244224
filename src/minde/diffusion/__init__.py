"""The method: tensors in, tensors out. Imports no other part of this package; knows no paths, config or devices.

The paper that docstrings name is G. Franzese, M. Bounoua, P. Michiardi, "MINDE: Mutual Information Neural Diffusion
Estimation", ICLR 2024, https://arxiv.org/abs/2310.09031.
"""
