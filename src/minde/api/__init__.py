"""The estimator for one's own arrays: arrays in, numbers of nats out. ``minde`` itself offers what is public here."""
