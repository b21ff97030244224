"""The experiments of MINE, one module each: `run(*, seed, device, **settings)` computes, and returns rows.

Settings are the experiment's section of the config, which `config/schema.yaml` describes. Modules use torch, and
neither paths nor config objects.
"""
