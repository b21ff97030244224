"""The estimator for user arrays: arrays in, numbers in nats out. The public names are those of `minde` itself."""
