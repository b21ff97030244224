rule estimate:
    input:
        samples="<results>/samples/{task}.parquet",
        weights="<results>/networks/{method}/{task}/{train_size}.safetensors",
        curve="<results>/networks/{method}/{task}/{train_size}.curve.parquet",
        code=source_files("estimate"),
    output:
        "<results>/estimates/{method}/{task}/{train_size}.parquet",
    log:
        "<logs>/estimate/{method}/{task}/{train_size}.log",
    benchmark:
        "<benchmarks>/estimate/{method}/{task}/{train_size}.tsv"
    wildcard_constraints:
        method=chosen(methods.VARIANTS),
    conda:
        "../envs/train.yaml"
    threads: STUDY["run"]["threads"]
    resources:
        device=STUDY["run"]["device"],
        stack=STUDY["run"]["stack"],
        mem_mb=8000,
        runtime=120,
    params:
        settings=lambda wildcards: step_settings.estimate(STUDY, cell_of(wildcards)),
    message:
        "Estimate with {wildcards.method} trained on {wildcards.train_size} samples of {wildcards.task}"
    shell:
        "step estimate --settings {params.settings:q} --device {resources.device} --stack {resources.stack} "
        "--samples {input.samples} --weights {input.weights} --curve {input.curve} --out {output} 2> {log}"
