rule bundle:
    input:
        estimates="<results>/estimates.parquet",
        cells=estimates_of_all_cells,
        files=lambda wildcards: [*rules.tables.input, *rules.figures.input],
        curves=curves_of_page,
        experiments=expand("<results>/experiments/{experiment}.parquet", experiment=STUDY["experiments"]),
        others=compared_estimates,
        lock=os.path.relpath(ROOT / "requirements.lock"),
        code=source_files("bundle"),
    output:
        "<results>/bundle.zip",
    log:
        "<logs>/bundle.log",
    localrule: True
    conda:
        "../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=lambda wildcards: step_settings.bundle(STUDY, "estimates"),
        folder=subpath(output[0], parent=True),
    message:
        "Pack estimates, tables and figures into {output}"
    shell:
        "step bundle --settings - --results {params.folder} --files {input.files} {input.curves} --lock {input.lock:q} "
        "--out {output} 2> {log} <<< {params.settings:q}"


rule bundle_weights:
    input:
        networks=[
            f"<results>/networks/{cell.path}{kind}"
            for cell in design.cells(STUDY)
            if cell.method in methods.VARIANTS
            for kind in (".safetensors", ".curve.parquet")
        ],
        lock=os.path.relpath(ROOT / "requirements.lock"),
        code=source_files("bundle"),
    output:
        "<results>/weights.zip",
    log:
        "<logs>/bundle_weights.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        settings=lambda wildcards: step_settings.bundle(STUDY, "weights"),
        folder=subpath(output[0], parent=True),
    message:
        "Pack the weights of all cells into {output}"
    shell:
        "step bundle --settings - --results {params.folder} --lock {input.lock:q} --out {output} "
        "2> {log} <<< {params.settings:q}"
