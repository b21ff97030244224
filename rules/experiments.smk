rule experiment:
    input:
        code=lambda wildcards: source_files(f"experiment {wildcards.experiment}"),
    output:
        "<results>/experiments/{experiment}.parquet",
    log:
        "<logs>/experiment/{experiment}.log",
    wildcard_constraints:
        experiment=one_of([] if BUNDLE else STUDY["experiments"]),  # the rows in a bundle are unpacked
    cache: True
    conda:
        "../envs/experiments.yaml"
    threads: STUDY["run"]["threads"]
    resources:
        device=STUDY["run"]["device"],
        mem_mb=8000,
        runtime=720,
    params:
        settings=lambda wildcards: step_settings.experiment(STUDY, wildcards.experiment),
    message:
        "Run the experiment {wildcards.experiment}"
    shell:
        "step experiment {wildcards.experiment} --settings {params.settings:q} --device {resources.device} --out {output} "
        "2> {log}"


# A rule for each, since captions cannot contain wildcards.
for name in STUDY["experiments"]:

    rule:
        name:
            f"{name}_figure"
        input:
            rows=f"<results>/experiments/{name}.parquet",
            code=source_files(f"{name}_figure"),
        output:
            **figure_files(
                f"<results>/figures/{name}",
                caption=f"../report/{name}.rst",
                category="Experiments",
                labels=lambda kind: labels.of_experiment(name, kind),
            ),
        log:
            f"<logs>/{name}_figure.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            experiment=name,
        message:
            "Draw the experiment {params.experiment}"
        shell:
            "step experiment-figure {params.experiment} --settings '{{}}' --rows {input.rows} --out {output} 2> {log}"


rule experiments:
    input:
        expand("<results>/figures/{experiment}.{kind}", experiment=STUDY["experiments"], kind=["pdf", "png"]),
