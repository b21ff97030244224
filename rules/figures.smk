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
                f"<results>/figures/{figure}_{{page}}.pdf",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels=labels.of_page(STUDY, title, figure, "PDF"),
            ),
            png=report(
                f"<results>/figures/{figure}_{{page}}.png",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels=labels.of_page(STUDY, title, figure, "PNG"),
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
            settings=settings_of_page(figure),
            figure=figure,
            about=about,
        message:
            "Draw the {params.about}, page {wildcards.page}"
        shell:
            "step figure {params.figure} --settings {params.settings:q} --estimates {input.estimates} --out {output} "
            "2> {log}"


rule training_curve:
    input:
        curves=curves_of_page,
        code=source_files("training_curve"),
    output:
        pdf=report(
            "<results>/figures/training_curve_{page}.pdf",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_page(STUDY, "Training curves", "training_curve", "PDF"),
        ),
        png=report(
            "<results>/figures/training_curve_{page}.png",
            caption="../report/training_curve.rst",
            category="Figures",
            labels=labels.of_page(STUDY, "Training curves", "training_curve", "PNG"),
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
        settings=settings_of_page("training_curve"),
    message:
        "Draw the estimates along training, page {wildcards.page}"
    shell:
        "step figure training_curve --settings {params.settings:q} --curves {input.curves} --out {output} 2> {log}"


rule comparison:
    input:
        estimates="<results>/estimates.parquet",
        others=f"results/{STUDY['compared_with'] or STUDY['name']}/estimates.parquet",
        code=source_files("figures"),
    output:
        pdf=report(
            "<results>/figures/comparison_{page}.pdf",
            caption="../report/comparison.rst",
            category="Figures",
            labels=labels.of_page(STUDY, "Two studies compared", "comparison", "PDF"),
        ),
        png=report(
            "<results>/figures/comparison_{page}.png",
            caption="../report/comparison.rst",
            category="Figures",
            labels=labels.of_page(STUDY, "Two studies compared", "comparison", "PNG"),
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
        settings=settings_of_page("comparison"),
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
            # A bundle contains a single study.
            if not (BUNDLE and figure == "comparison")
            for kind in ("pdf", "png")
        ],
