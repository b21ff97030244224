FIGURE_CODE = code(
    "study/figures.py",
    "study/paper.mplstyle",
    "study/rows.py",
    "study/selection.py",
    "study/tasks.py",
)


rule spread:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/spread.pdf",
            caption="../report/spread.rst",
            category="Figures",
            labels=labels("Spread over replicates", "PDF"),
        ),
        png=report(
            "<results>/figures/spread.png",
            caption="../report/spread.rst",
            category="Figures",
            labels=labels("Spread over replicates", "PNG"),
        ),
    log:
        "<logs>/spread.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    message:
        "Draw the spread over replicates"
    shell:
        "step figure spread --settings '{{}}' --estimates {input.estimates} --out {output} 2> {log}"


rule training_size:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/training_size.pdf",
            caption="../report/training_size.rst",
            category="Figures",
            labels=labels("Training size", "PDF"),
        ),
        png=report(
            "<results>/figures/training_size.png",
            caption="../report/training_size.rst",
            category="Figures",
            labels=labels("Training size", "PNG"),
        ),
    log:
        "<logs>/training_size.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    message:
        "Draw the estimates against the train size"
    shell:
        "step figure training-size --settings '{{}}' --estimates {input.estimates} --out {output} 2> {log}"


rule figures:
    input:
        rules.spread.output,
        rules.training_size.output,
