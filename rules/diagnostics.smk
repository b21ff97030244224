# On request only: `snakemake diagnostics`, or the file of a single cell.


rule score_errors:
    input:
        samples="<results>/samples/{task}.parquet",
        weights="<results>/networks/{method}/{task}/{train_size}.safetensors",
        code=source_files("score_errors"),
    output:
        "<results>/diagnostics/{method}/{task}/{train_size}.parquet",
    log:
        "<logs>/score_errors/{method}/{task}/{train_size}.log",
    conda:
        "../envs/train.yaml"
    threads: STUDY["run"]["threads"]
    resources:
        device=STUDY["run"]["device"],
        mem_mb=8000,
        runtime=30,
    params:
        settings=lambda wildcards: step_settings.score_errors(cell_of(wildcards)),
    message:
        "Measure the score errors of {wildcards.method} trained on {wildcards.train_size} samples of {wildcards.task}"
    shell:
        "step score-errors --settings {params.settings:q} --device {resources.device} --samples {input.samples} "
        "--weights {input.weights} --out {output} 2> {log}"


rule score_error_figure:
    input:
        errors="<results>/diagnostics/{method}/{task}/{train_size}.parquet",
        code=source_files("score_error_figure"),
    output:
        pdf="<results>/diagnostics/{method}/{task}/{train_size}.pdf",
        png=report(
            "<results>/diagnostics/{method}/{task}/{train_size}.png",
            caption="../report/score_errors.rst",
            category="Diagnostics",
            labels=labels.of_cell("Score errors", "PNG"),
        ),
    log:
        "<logs>/score_error_figure/{method}/{task}/{train_size}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: step_settings.score_errors(cell_of(wildcards)),
    message:
        "Draw the score errors of {wildcards.method} trained on {wildcards.train_size} samples of {wildcards.task}"
    shell:
        "step score-error-figure --settings {params.settings:q} --errors {input.errors} --out {output} 2> {log}"


rule diagnostics:
    input:
        [f"<results>/diagnostics/{cell.path}.png" for cell in design.cells(STUDY) if cell.method in methods.VARIANTS],
