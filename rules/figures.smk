FIGURE_CODE = code(
    "study/ablations.py",
    "study/figures.py",
    "study/panels.py",
    "study/paper.mplstyle",
    "study/rows.py",
    "study/selection.py",
    "study/task_labels.py",
    "study/tasks.py",
)


rule spread:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/spread_{part}.pdf",
            caption="../report/spread.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Spread over replicates", "spread", "PDF"),
        ),
        png=report(
            "<results>/figures/spread_{part}.png",
            caption="../report/spread.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Spread over replicates", "spread", "PNG"),
        ),
    log:
        "<logs>/spread_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "spread", int(wildcards.part)),
    message:
        "Draw the spread over replicates, part {wildcards.part}"
    shell:
        "step figure spread --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule training_size:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/training_size_{part}.pdf",
            caption="../report/training_size.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training size", "training-size", "PDF"),
        ),
        png=report(
            "<results>/figures/training_size_{part}.png",
            caption="../report/training_size.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training size", "training-size", "PNG"),
        ),
    log:
        "<logs>/training_size_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "training-size", int(wildcards.part)),
    message:
        "Draw the estimates against the train size, part {wildcards.part}"
    shell:
        "step figure training-size --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule training_curve:
    input:
        curves=curves_of_part,
        code=FIGURE_CODE,
        own=code("study/curves.py"),
    output:
        pdf=report(
            "<results>/figures/training_curve_{part}.pdf",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training curves", "training-curve", "PDF"),
        ),
        png=report(
            "<results>/figures/training_curve_{part}.png",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training curves", "training-curve", "PNG"),
        ),
    log:
        "<logs>/training_curve_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "training-curve", int(wildcards.part)),
    message:
        "Draw the estimates along the training, part {wildcards.part}"
    shell:
        "step figure training-curve --settings {params.settings:q} --curves {input.curves} --out {output} 2> {log}"


rule sigma:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/sigma_{part}.pdf",
            caption="../report/sigma.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Width of the reference", "sigma", "PDF"),
        ),
        png=report(
            "<results>/figures/sigma_{part}.png",
            caption="../report/sigma.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Width of the reference", "sigma", "PNG"),
        ),
    log:
        "<logs>/sigma_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "sigma", int(wildcards.part)),
    message:
        "Draw the estimates against the width of the reference, part {wildcards.part}"
    shell:
        "step figure sigma --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule high_mi:
    input:
        estimates="<results>/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/high_mi_{part}.pdf",
            caption="../report/high_mi.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "High mutual information", "high-mi", "PDF"),
        ),
        png=report(
            "<results>/figures/high_mi_{part}.png",
            caption="../report/high_mi.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "High mutual information", "high-mi", "PNG"),
        ),
    log:
        "<logs>/high_mi_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "high-mi", int(wildcards.part)),
    message:
        "Draw the estimates against the true value, part {wildcards.part}"
    shell:
        "step figure high-mi --settings {params.settings:q} --estimates {input.estimates} --out {output} 2> {log}"


rule comparison:
    input:
        estimates="<results>/estimates.parquet",
        others=f"results/{STUDY['compared_with'] or STUDY['name']}/estimates.parquet",
        code=FIGURE_CODE,
    output:
        pdf=report(
            "<results>/figures/comparison_{part}.pdf",
            caption="../report/comparison.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Two studies compared", "comparison", "PDF"),
        ),
        png=report(
            "<results>/figures/comparison_{part}.png",
            caption="../report/comparison.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Two studies compared", "comparison", "PNG"),
        ),
    log:
        "<logs>/comparison_{part}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=lambda wildcards: parts.figure_settings(STUDY, "comparison", int(wildcards.part)),
    message:
        "Draw the estimates beside another study's, part {wildcards.part}"
    shell:
        "step comparison --settings {params.settings:q} --estimates {input.estimates} --others {input.others} "
        "--out {output} 2> {log}"


rule figures:
    input:
        [expand(path, part=parts.parts_of(STUDY, "spread")) for path in rules.spread.output],
        [expand(path, part=parts.parts_of(STUDY, "training-size")) for path in rules.training_size.output],
        [expand(path, part=parts.parts_of(STUDY, "training-curve")) for path in rules.training_curve.output],
        [expand(path, part=parts.parts_of(STUDY, "sigma")) for path in rules.sigma.output],
        [expand(path, part=parts.parts_of(STUDY, "high-mi")) for path in rules.high_mi.output],
        # A bundle holds one study.
        [expand(path, part=[] if BUNDLE else parts.parts_of(STUDY, "comparison")) for path in rules.comparison.output],
