# Figures of merged estimates: the title in the report, and the subject in the message.
OF_ESTIMATES = {
    "spread": ("Spread over replicates", "spread over replicates"),
    "training_size": ("Training size", "estimates against the train size"),
    "sigma": ("Width of the reference", "estimates against the width of the reference"),
    "high_mi": ("High mutual information", "estimates against the true value"),
}


# A rule for each, since captions cannot contain wildcards.
for figure, (title, about) in OF_ESTIMATES.items():

    rule:
        name:
            figure
        input:
            estimates="<results>/estimates.parquet",
            code=source_files("figures"),
        output:
            pdf=report(
                f"<results>/figures/{figure}_{{part}}.pdf",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels=labels.of_part(STUDY, title, figure, "PDF"),
            ),
            png=report(
                f"<results>/figures/{figure}_{{part}}.png",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels=labels.of_part(STUDY, title, figure, "PNG"),
            ),
        log:
            f"<logs>/{figure}_{{part}}.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            settings=settings_of_part(figure),
            figure=figure,
            about=about,
        message:
            "Draw the {params.about}, page {wildcards.part}"
        shell:
            "step figure {params.figure} --settings {params.settings:q} --estimates {input.estimates} --out {output} "
            "2> {log}"


rule training_curve:
    input:
        curves=curves_of_part,
        code=source_files("training_curve"),
    output:
        pdf=report(
            "<results>/figures/training_curve_{part}.pdf",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training curves", "training_curve", "PDF"),
        ),
        png=report(
            "<results>/figures/training_curve_{part}.png",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_part(STUDY, "Training curves", "training_curve", "PNG"),
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
        settings=settings_of_part("training_curve"),
    message:
        "Draw the estimates along training, page {wildcards.part}"
    shell:
        "step figure training_curve --settings {params.settings:q} --curves {input.curves} --out {output} 2> {log}"


rule comparison:
    input:
        estimates="<results>/estimates.parquet",
        others=compared_estimates,
        code=source_files("figures"),
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
        settings=settings_of_part("comparison"),
    message:
        "Draw the comparison with another study, page {wildcards.part}"
    shell:
        "step comparison --settings {params.settings:q} --estimates {input.estimates} --others {input.others} "
        "--out {output} 2> {log}"


rule figures:
    input:
        [
            expand(f"<results>/figures/{figure}_{{part}}.{kind}", part=parts.parts_of(STUDY, figure))
            for figure in parts.FIGURES
            for kind in ("pdf", "png")
        ],
        rules.consistency_figure.output if STUDY["consistency"] else [],
        rules.experiments.input,
