rule draw_samples:
    input:
        code=code("study/samples.py", "study/seeds.py", "study/tasks.py"),
    output:
        "<results>/samples/{task}.parquet",
    log:
        "<logs>/draw_samples/{task}.log",
    cache: True
    priority: work
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: design.sample_settings(STUDY, wildcards.task),
    message:
        "Draw samples of {wildcards.task}"
    shell:
        "step sample --settings {params.settings:q} --out {output} 2> {log}"
