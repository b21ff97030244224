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
            **figure_files(
                f"<results>/figures/{figure}_{{page}}",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels=lambda kind: labels.of_page(STUDY, title, figure, kind),
            ),
        log:
            f"<logs>/{figure}_{{page}}.log",
        localrule: True
        conda:
            "../envs/report.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            settings=pages.settings_of_page(STUDY, figure),
            figure=figure,
        message:
            # Not a param, since another wording must rerun nothing.
            f"Draw the {about}, page {{wildcards.page}}"
        shell:
            "step figure {params.figure} --settings {params.settings:q} --estimates {input.estimates} --out {output} "
            "2> {log}"


rule training_curve:
    input:
        curves=curves_of_page,
        code=source_files("training_curve"),
    output:
        **figure_files(
            "<results>/figures/training_curve_{page}",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=lambda kind: labels.of_page(STUDY, "Training curves", "training_curve", kind),
        ),
    log:
        "<logs>/training_curve_{page}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=pages.settings_of_page(STUDY, "training_curve"),
    message:
        "Draw the estimates along training, page {wildcards.page}"
    shell:
        "step figure training_curve --settings {params.settings:q} --curves {input.curves} --out {output} 2> {log}"


rule comparison:
    input:
        estimates="<results>/estimates.parquet",
        others=compared_estimates,
        code=source_files("figures"),
    output:
        **figure_files(
            "<results>/figures/comparison_{page}",
            caption="../report/comparison.rst",
            category="Figures",
            labels=lambda kind: labels.of_page(STUDY, "Two studies compared", "comparison", kind),
        ),
    log:
        "<logs>/comparison_{page}.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=pages.settings_of_page(STUDY, "comparison"),
    message:
        "Draw the comparison with another study, page {wildcards.page}"
    shell:
        "step comparison --settings {params.settings:q} --estimates {input.estimates} --others {input.others} "
        "--out {output} 2> {log}"


rule figures:
    input:
        [
            expand(f"<results>/figures/{figure}_{{page}}.{kind}", page=pages.pages_of(STUDY, figure))
            for figure in pages.TASKS_PER_PAGE
            for kind in ("pdf", "png")
        ],
        rules.consistency_figure.output if STUDY["consistency"] else [],
        rules.experiments.input,
