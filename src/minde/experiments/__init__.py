"""The experiments of MINE, one module each: `run(*, seed, device, **settings)` computes, and returns rows.

Settings are the experiment's section of the config. Torch in, numbers out: no paths, no config objects.
"""
