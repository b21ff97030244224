rule baseline:
    input:
        samples="<results>/samples/{task}.parquet",
        code=code("baselines/*.py", "steps/baseline.py"),
    output:
        "<results>/estimates/{competitor}/{task}/0.parquet",
    log:
        "<logs>/baseline/{competitor}/{task}.log",
    benchmark:
        "<benchmarks>/baseline/{competitor}/{task}.tsv"
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        settings=lambda wildcards: design.baseline_settings(STUDY, cell_of(wildcards)),
    message:
        "Estimate with {wildcards.competitor} on {wildcards.task}"
    shell:
        "step baseline --settings {params.settings:q} --samples {input.samples} --out {output} 2> {log}"
