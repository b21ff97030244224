rule train:
    input:
        samples="<results>/samples/{task}.parquet",
        code=source_files("train"),
    output:
        multiext(
            # Not <results>: the cache cuts off the length of this prefix, measured before path variables are expanded.
            f"{RESULTS}/networks/{{method}}/{{task}}/{{train_size}}",
            weights=".safetensors",
            curve=".curve.parquet",
        ),
    log:
        "<logs>/train/{method}/{task}/{train_size}.log",
    wildcard_constraints:
        method=chosen(methods.VARIANTS),
    cache: True
    priority: n_values
    conda:
        "../envs/train.yaml"
    threads: STUDY["run"]["threads"]
    resources:
        device=STUDY["run"]["device"],
        stack=STUDY["run"]["stack"],
        together=STUDY["run"]["together"],
        checkpoint_seconds=STUDY["run"]["checkpoint_seconds"],
        # The checkpoint of a stopped training. Not an output: Snakemake deletes the outputs of a job that is stopped.
        state=lambda wildcards: f"{RESULTS}/state/{cell_of(wildcards).path}.safetensors",
        mem_mb=8000,
        runtime=1440,
    params:
        settings=lambda wildcards: step_settings.train(STUDY, cell_of(wildcards)),
    message:
        "Train {wildcards.method} on {wildcards.train_size} samples of {wildcards.task}"
    shell:
        "step train --settings {params.settings:q} --device {resources.device} --stack {resources.stack} "
        "--together {resources.together} --state {resources.state} "
        "--checkpoint-seconds {resources.checkpoint_seconds} --samples {input.samples} "
        "--weights {output.weights} --curve {output.curve} 2> {log}"
