rule latents:
    input:
        code=source_files("latents"),
    output:
        "<results>/latents.parquet",
    log:
        "<logs>/latents.log",
    cache: True
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        device=STUDY["run"]["device"],
        mem_mb=8000,
        runtime=240,
    params:
        settings=step_settings.latents(STUDY),
    message:
        "Fit the autoencoders of the consistency tests"
    shell:
        "step latents --settings {params.settings:q} --device {resources.device} --out {output} 2> {log}"


rule consistency_table:
    input:
        estimates="<results>/estimates.parquet",
        code=source_files("consistency_table"),
    output:
        csv="<results>/tables/consistency.csv",
        md="<results>/tables/consistency.md",
        html=report(
            "<results>/tables/consistency.html",
            caption="../report/consistency_table.rst",
            category="Tables",
            labels=labels.of_study(STUDY, "Consistency tests", "HTML"),
        ),
    log:
        "<logs>/consistency_table.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=step_settings.consistency(STUDY),
    message:
        "Write the table of the consistency tests"
    shell:
        "step table consistency --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule consistency_figure:
    input:
        estimates="<results>/estimates.parquet",
        code=source_files("consistency_figure"),
    output:
        **figure_files(
            "<results>/figures/consistency",
            caption="../report/consistency.rst",
            category="Figures",
            labels=lambda kind: labels.of_study(STUDY, "Consistency tests", kind),
        ),
    log:
        "<logs>/consistency_figure.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=step_settings.consistency(STUDY),
    message:
        "Draw the consistency tests"
    shell:
        "step figure consistency --settings {params.settings:q} --shown {input.estimates} --out {output} 2> {log}"


rule consistency:
    input:
        rules.consistency_table.output,
        rules.consistency_figure.output,
