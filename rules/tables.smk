rule table1:
    input:
        estimates="<results>/estimates.parquet",
        code=source_files("tables"),
    output:
        csv="<results>/tables/table1.csv",
        md="<results>/tables/table1.md",
        tex="<results>/tables/table1.tex",
        html=report(
            "<results>/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels=labels.of_study(STUDY, "Table 1: mean estimates", "HTML"),
        ),
    log:
        "<logs>/table1.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        table="table1",
        settings=step_settings.table1(STUDY),
    message:
        "Write Table 1"
    shell:
        "step table {params.table} --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


use rule table1 as table1_at_size with:
    output:
        csv="<results>/tables/table1_at_{train_size}.csv",
        md="<results>/tables/table1_at_{train_size}.md",
        tex="<results>/tables/table1_at_{train_size}.tex",
        html=report(
            "<results>/tables/table1_at_{train_size}.html",
            caption="../report/table1_at_size.rst",
            category="Tables",
            labels=labels.of_study(STUDY, "Table 1 at {train_size} training samples", "HTML"),
        ),
    log:
        "<logs>/table1_at_{train_size}.log",
    localrule: True
    params:
        table="table1",
        settings=lambda wildcards: step_settings.table1(STUDY, int(wildcards.train_size)),
    message:
        "Write Table 1 at {wildcards.train_size} training samples"


use rule table1 as summary with:
    output:
        csv="<results>/tables/summary.csv",
        md="<results>/tables/summary.md",
        tex="<results>/tables/summary.tex",
        html=report(
            "<results>/tables/summary.html",
            caption="../report/summary.rst",
            category="Tables",
            labels=labels.of_study(STUDY, "Summary: tasks right, error, cost", "HTML"),
        ),
    log:
        "<logs>/summary.log",
    localrule: True
    params:
        table="summary",
        settings=step_settings.summary(STUDY),
    message:
        "Write the summary of Table 1"


rule hyperparameters:
    input:
        code=source_files("hyperparameters"),
    output:
        csv="<results>/tables/hyperparameters.csv",
        md="<results>/tables/hyperparameters.md",
        tex="<results>/tables/hyperparameters.tex",
        html=report(
            "<results>/tables/hyperparameters.html",
            caption="../report/hyperparameters.rst",
            category="Tables",
            labels=labels.of_study(STUDY, "Hyper-parameters", "HTML"),
        ),
    log:
        "<logs>/hyperparameters.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: hyperparameters.table_settings(STUDY),
    message:
        "Write the table of hyper-parameters"
    shell:
        "step hyperparameters --settings - --out {output} 2> {log} <<< {params.settings:q}"


rule tables:
    input:
        rules.table1.output,
        rules.summary.output,
        rules.hyperparameters.output,
        [expand(path, train_size=sorted(STUDY["train_sizes"])[:-1]) for path in rules.table1_at_size.output],
        rules.consistency_table.output if STUDY["consistency"] else [],
