rule unpack:
    input:
        bundle=str(BUNDLE.path),
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
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda wildcards: step_settings.unpack(wildcards.file),
    message:
        "Extract {wildcards.file} from the bundle"
    shell:
        "step unpack --settings {params.settings:q} --bundle {input.bundle:q} --out {output} 2> {log}"
