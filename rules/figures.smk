MERGED = "<results>/estimates.parquet"
BOTH = lambda wildcards: [MERGED, *compared_estimates(wildcards)]

# The title in the report, the subject in the message, the files that are shown, and the step that names the code.
FIGURES = {
    "spread": ("Spread over replicates", "spread over replicates", MERGED, "figures"),
    "training_size": ("Training size", "estimates against the train size", MERGED, "figures"),
    "sigma": ("Width of the reference", "estimates against the width of the reference", MERGED, "figures"),
    "high_mi": ("High mutual information", "estimates against the true value", MERGED, "figures"),
    "training_curve": ("Training curves", "estimates along training", curves_of_page, "training_curve"),
    "comparison": ("Two studies compared", "comparison with another study", BOTH, "figures"),
}


# A rule for each, since captions cannot contain wildcards.
for figure, (title, about, shown, step) in FIGURES.items():

    rule:
        name:
            figure
        input:
            shown=shown,
            code=source_files(step),
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
            "step figure {params.figure} --settings {params.settings:q} --shown {input.shown} --out {output} 2> {log}"


rule figures:
    input:
        [
            expand(f"<results>/figures/{figure}_{{page}}.{kind}", page=pages.pages_of(STUDY, figure))
            for figure in pages.TASKS_PER_PAGE
            for kind in ("pdf", "png")
        ],
        rules.consistency_figure.output if STUDY["consistency"] else [],
        rules.experiments.input,
