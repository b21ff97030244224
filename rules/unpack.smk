rule unpack:
    input:
        code=source_files("unpack"),
    output:
        "<results>/{file}",
    log:
        "<logs>/unpack/{file}.log",
    wildcard_constraints:
        # All that is made from weights, or all that tables and figures are made from.
        file=(
            r"networks/.*"
            if BUNDLE.holds == "weights"
            else rf"estimates\.parquet|{re.escape(COMPARED)}|experiments/.*|networks/.*\.curve\.parquet"
        ),
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        # Not an input: its content is checked, and names the folder of results, so a bundle may be moved.
        bundle=str(BUNDLE.path),
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda wildcards: step_settings.unpack(wildcards.file),
    message:
        "Extract {wildcards.file} from the bundle"
    shell:
        "step unpack --settings {params.settings:q} --bundle {resources.bundle:q} --out {output} 2> {log}"
