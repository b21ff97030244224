"""The study: config, design, samples, results, tables, figures. Never imports torch or jax at module level."""
