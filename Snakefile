from snakemake.utils import min_version

min_version("9.16")


# The defaults; --configfile and --config are merged into them, key by key.
configfile: f"{workflow.current_basedir}/config/config.yaml"


include: "rules/common.smk"


from minde.study.scheduling import merge_reevaluations

merge_reevaluations()  # Snakemake would get busier with every job that has finished


pathvars:
    results=RESULTS,
    logs=f"{RESULTS}/logs",
    benchmarks=f"{RESULTS}/benchmarks",


wildcard_constraints:
    task=one_of(STUDY["tasks"]),
    method=one_of(STUDY["methods"]),
    train_size=one_of(STUDY["train_sizes"]),
    page=r"[1-9]\d*",


# Not as a module: Snakemake renders it with the config of the outer workflow.
if workflow.modifier.parent_modifier is None:

    report: "report/workflow.rst"


for stage in STAGES:

    include: f"rules/{stage}.smk"


include: "rules/consistency.smk"
include: "rules/experiments.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/plan.smk"
include: "rules/diagnostics.smk"


rule all:
    default_target: True
    input:
        "<results>/estimates.parquet",
        rules.tables.input,
        rules.figures.input,
