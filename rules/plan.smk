rule plan:
    input:
        rates=sorted(os.path.relpath(path) for path in ROOT.glob("benchmarks/results/throughput-*.json")),
    log:
        "<logs>/plan.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    params:
        settings=design.canonical(STUDY),
    message:
        "What the study will cost, before anything is run"
    shell:
        "step plan --settings - --rates {input.rates:q} 2>&1 <<< {params.settings:q} | tee {log}"
