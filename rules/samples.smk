rule draw_samples:
    input:
        code=source_files("draw_samples"),
    output:
        "<results>/samples/{task}.parquet",
    log:
        "<logs>/draw_samples/{task}.log",
    wildcard_constraints:
        task=one_of(tasks.TASKS),
    cache: True
    priority: n_values
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: step_settings.sample(STUDY, wildcards.task),
    message:
        "Draw samples of {wildcards.task}"
    shell:
        "step sample --settings {params.settings:q} --out {output} 2> {log}"


rule split_file:
    input:
        file=lambda wildcards: STUDY["data"][wildcards.task]["file"],
        code=source_files("split_file"),
    output:
        "<results>/samples/{task}.parquet",
    log:
        "<logs>/split_file/{task}.log",
    wildcard_constraints:
        task=one_of(STUDY["data"]),
    cache: True
    priority: n_values
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: step_settings.split(STUDY, wildcards.task),
        content=content_of_own_file,
    message:
        "Split {input.file} into samples of {wildcards.task}"
    shell:
        "step split --settings {params.settings:q} --file {input.file:q} --out {output} 2> {log}"
