rule draw_samples:
    input:
        code=source_files("draw_samples"),
    output:
        "<results>/samples/{task}.parquet",
    log:
        "<logs>/draw_samples/{task}.log",
    wildcard_constraints:
        task=one_of(design.TASKS),
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


def content_of_own_file(wildcards) -> str:
    """The hash of the content: a replaced file may be older, and Snakemake compares the content of newer files only.

    A file that cannot be split stops the run here, before Snakemake deletes existing samples to start the job.
    """
    file = STUDY["data"][wildcards.task]["file"]
    if file == consistency.LATENTS:
        return ""
    content = files.sha256_of(file)
    if workflow.is_main_process:
        from minde.study import data  # loads pyarrow, which studies without such files do not need here

        if problem := data.problem(file, content, design.split_settings(STUDY, wildcards.task)):
            raise WorkflowError(problem)
    return content


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
    priority: work
    conda:
        "../envs/samples.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        settings=lambda wildcards: design.split_settings(STUDY, wildcards.task),
        content=content_of_own_file,
    message:
        "Split {input.file} into samples of {wildcards.task}"
    shell:
        "step split --settings {params.settings:q} --file {input.file:q} --out {output} 2> {log}"
