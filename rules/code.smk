"""Which source files a step depends on."""


def code(*patterns: str) -> list[str]:
    """Source files, as globs relative to src/minde, that a step depends on: editing one reruns it.

    Relative to the working directory, so that a study that moved with its checkout reruns nothing.
    """
    paths = []
    for pattern in patterns:
        found = sorted((ROOT / "src" / "minde").glob(pattern))
        if not found:
            raise WorkflowError(f"a rule names the source file(s) {pattern}, which do not exist under src/minde")
        paths += [os.path.relpath(path) for path in found]
    return paths


# What reads a cell's samples and weights, whatever for.
MODEL_CODE = code(
    "diffusion/base.py",
    "diffusion/conditioning.py",
    "diffusion/gated.py",
    "diffusion/gaussian.py",
    "diffusion/layers.py",
    "diffusion/mixture.py",
    "diffusion/model.py",
    "diffusion/network.py",
    "diffusion/preprocess.py",
    "diffusion/random.py",
    "diffusion/residual.py",
    "diffusion/sde.py",
    "diffusion/times.py",
    "steps/cell.py",
    "study/seeds.py",
    "study/trained.py",
)
