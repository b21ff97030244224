rule plan:
    input:
        rates=sorted(os.path.relpath(path) for path in ROOT.glob("benchmarks/results/throughput-*.json")),
    log:
        "<logs>/plan.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    params:
        settings=seeds.canonical(STUDY),
    message:
        "Estimate the cost of the study without running it"
    shell:
        "step plan --settings - --rates {input.rates:q} 2>&1 <<< {params.settings:q} | tee {log}"
