"""Images, and an autoencoder that maps them to a few latents. Imports nothing of the package."""
