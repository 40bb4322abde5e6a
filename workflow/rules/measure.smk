rule create_environments:
    """Create one environment per BLAS build; the first run would do it too, unnoticed."""
    input:
        "asv.conf.json",
        "requirements.lock",
    output:
        touch(".asv/environments/{provider}-{machine}"),
    log:
        "logs/create_environments/{provider}-{machine}.log",
    conda:
        "../envs/convbench.yaml"
    threads: workflow.cores
    resources:
        **ON_EACH_MACHINE,
        machine=1,
        runtime=MOST_MINUTES,
    params:
        commit=newest_commit,
        blas=config["blas"],
        env_dir=env_dir,
        wait=WAIT_MINUTES,
        environments=environments,
    shell:
        "convbench measure {params.commit} --only-environments --machine {wildcards.machine}"
        " --environment-type {wildcards.provider} --blas {params.blas}"
        " --env-dir {params.env_dir:q} --wait {params.wait} 2>&1 | tee {log}"


rule measure:
    """Measure one commit in all its environments, into a run's folder that is never rewritten."""
    input:
        # A measurement is no cache: environments that were made anew don't repeat it.
        ancient(".asv/environments/{provider}-{machine}"),
    output:
        # Only the run's name. Snakemake deletes outputs before it repeats a rule; raw results are
        # inputs, so they are not among them.
        MEASURED,
    log:
        "logs/measure/{provider}-{machine}-{sweep}-{commit}.log",
    conda:
        "../envs/convbench.yaml"
    # All cores and the machine: nothing of this workflow runs beside a measurement.
    threads: workflow.cores
    resources:
        **ON_EACH_MACHINE,
        machine=1,
        runtime=MOST_MINUTES,
    params:
        blas=config["blas"],
        threads=config["threads"],
        selected=[
            *(["--problems", *SWEEP.problems] if SWEEP.problems else []),
            *(["--strategies", *SWEEP.strategies] if SWEEP.strategies else []),
        ],
        budget_minutes=config["budget_minutes"],
        env_dir=env_dir,
        wait=WAIT_MINUTES,
        environments=environments,
    shell:
        "convbench measure {wildcards.commit} --machine {wildcards.machine}"
        " --environment-type {wildcards.provider} --blas {params.blas}"
        " --threads {params.threads} {params.selected:q} --budget-minutes {params.budget_minutes}"
        " --env-dir {params.env_dir:q} --wait {params.wait} --stamp {output} 2>&1 | tee {log}"
