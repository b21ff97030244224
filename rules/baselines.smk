rule baseline:
    input:
        samples="<results>/samples/{task}.parquet",
        code=lambda wildcards: source_files(wildcards.method),
    output:
        "<results>/estimates/{method}/{task}/0.parquet",
    log:
        "<logs>/baseline/{method}/{task}.log",
    benchmark:
        "<benchmarks>/baseline/{method}/{task}.tsv"
    wildcard_constraints:
        method=chosen(methods.UNTRAINED),
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        settings=lambda wildcards: step_settings.baseline(STUDY, cell_of(wildcards)),
    message:
        "Estimate with {wildcards.method} on {wildcards.task}"
    shell:
        "step baseline --settings {params.settings:q} --samples {input.samples} --out {output} 2> {log}"


use rule baseline as critic with:
    output:
        "<results>/estimates/{method}/{task}/{train_size}.parquet",
    log:
        "<logs>/critic/{method}/{task}/{train_size}.log",
    benchmark:
        "<benchmarks>/critic/{method}/{task}/{train_size}.tsv"
    wildcard_constraints:
        method=chosen(methods.CRITICS),
    priority: n_values
    threads: STUDY["run"]["threads"]
    resources:
        mem_mb=8000,
        runtime=1440,
    message:
        "Train {wildcards.method} on {wildcards.train_size} samples of {wildcards.task} and estimate"


rule torch_baseline:
    input:
        samples="<results>/samples/{task}.parquet",
        code=lambda wildcards: source_files(wildcards.method),
    output:
        "<results>/estimates/{method}/{task}/{train_size}.parquet",
    log:
        "<logs>/torch_baseline/{method}/{task}/{train_size}.log",
    benchmark:
        "<benchmarks>/torch_baseline/{method}/{task}/{train_size}.tsv"
    wildcard_constraints:
        method=chosen(methods.TORCH),
    priority: n_values
    conda:
        "../envs/train.yaml"
    threads: STUDY["run"]["threads"]
    resources:
        device=STUDY["run"]["device"],
        mem_mb=8000,
        runtime=240,
    params:
        settings=lambda wildcards: step_settings.baseline(STUDY, cell_of(wildcards)),
    message:
        "Train {wildcards.method} on {wildcards.train_size} samples of {wildcards.task} and estimate"
    shell:
        "step baseline --settings {params.settings:q} --device {resources.device} --samples {input.samples} "
        "--out {output} 2> {log}"
