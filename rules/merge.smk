rule merge:
    input:
        estimates=estimates_of_all_cells,
        code=source_files("merge"),
    output:
        "<results>/estimates.parquet",
    log:
        "<logs>/merge.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: step_settings.merge(STUDY),  # not text: Snakemake would fill in its {braces}
        # A bundle was made by its own version of this software, whose settings may have other keys.
        origins=lambda wildcards: "null" if BUNDLE else step_settings.origins(STUDY),
        # The folder, not the files: the paper's study has too many files for a command line.
        folder=subpath(output[0], strip_suffix=".parquet"),
    message:
        "Merge the estimates of all cells"
    shell:
        "step merge --settings - --origins - --estimates {params.folder} --out {output} "
        "2> {log} <<< {params.settings:q}$'\\n'{params.origins:q}"


rule estimates:
    input:
        "<results>/estimates.parquet",
