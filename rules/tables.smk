rule table1:
    input:
        estimates="<results>/estimates.parquet",
        code=code(
            "study/html.py",
            "study/latex.py",
            "study/rendering.py",
            "study/rows.py",
            "study/selection.py",
            "study/tables.py",
            "study/tasks.py",
        ),
    output:
        csv="<results>/tables/table1.csv",
        md="<results>/tables/table1.md",
        tex="<results>/tables/table1.tex",
        html=report(
            "<results>/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels=labels("Table 1: mean estimates", "HTML"),
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
        settings=design.table_settings(STUDY),
    message:
        "Set table 1"
    shell:
        "step table --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule tables:
    input:
        rules.table1.output,
