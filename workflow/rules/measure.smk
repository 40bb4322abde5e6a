rule create_environments:
    """Create one environment per BLAS build; the first run would do it too, unnoticed."""
    input:
        "asv.conf.json",
        "requirements.lock",
    output:
        touch(".asv/environments"),
    log:
        "logs/create_environments.log",
    conda:
        "../envs/convbench.yaml"
    threads: workflow.cores
    resources:
        machine=1,
    params:
        environment_type=lookup(dpath="environment_type", within=config),
    shell:
        "convbench measure HEAD --only-environments"
        " --environment-type {params.environment_type} 2>&1 | tee {log}"


rule measure:
    """Measure one commit in all its environments, into a run's folder that is never rewritten."""
    input:
        # A measurement is no cache: environments that were made anew don't repeat it.
        ancient(".asv/environments"),
    output:
        # Only the run's name. Snakemake deletes outputs before it repeats a rule; raw results are
        # inputs, so they are not among them.
        "results/measured/{machine}/{commit}",
    log:
        "logs/measure/{machine}-{commit}.log",
    conda:
        "../envs/convbench.yaml"
    # All cores and the machine: nothing of this workflow runs beside a measurement.
    threads: workflow.cores
    resources:
        machine=1,
    params:
        environment_type=lookup(dpath="environment_type", within=config),
    shell:
        "convbench measure {wildcards.commit} --machine {wildcards.machine}"
        " --environment-type {params.environment_type} --stamp {output} 2>&1 | tee {log}"
