rule plan:
    input:
        rates=sorted(os.path.relpath(path) for path in ROOT.glob("benchmarks/results/throughput-*.json")),
        checks=sorted(os.path.relpath(path) for path in ROOT.glob("benchmarks/results/table-cost-*.json")),
    log:
        "<logs>/plan.log",
    localrule: True
    conda:
        "../envs/train.yaml"
    params:
        settings=lambda wildcards: step_settings.plan(STUDY),
    message:
        "Estimate the cost of the study without running it"
    shell:
        # Without it, if the prefix of an outer workflow does not set it, a failure would end in tee's status.
        "set -o pipefail; "
        "step plan --settings - --rates {input.rates:q} --checks {input.checks:q} 2>&1 <<< {params.settings:q} | tee {log}"
