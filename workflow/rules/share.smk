rule push_runs:
    """Share the runs of this machine; last, so that a place out of reach holds up nothing."""
    input:
        measured_commits,
        site=ancient("reports/site/index.html"),
    output:
        touch("results/pushed"),
    log:
        "logs/push_runs.log",
    conda:
        "../envs/convbench.yaml"
    params:
        place=PLACE,
    shell:
        "convbench push results/runs --place {params.place:q} 2>&1 | tee {log}"
