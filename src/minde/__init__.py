"""MINDE: mutual information from samples by score-based diffusion."""
