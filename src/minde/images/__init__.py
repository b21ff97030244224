"""Images, and the few numbers that an autoencoder makes of each. Imports nothing of the package."""
