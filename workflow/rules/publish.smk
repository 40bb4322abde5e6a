rule collect_results:
    """Read every run, also those of other machines that were copied into results/runs."""
    input:
        pulled_results,  # first: the others look at what lies there
        measured_commits,
        runs_from_elsewhere,
    output:
        touch("results/store/collected"),
    log:
        "logs/collect_results.log",
    conda:
        "../envs/convbench.yaml"
    shell:
        "convbench collect results/runs --store results/store --repo . 2>&1 | tee {log}"


rule detect_changes:
    """Look for changes in every history, and gather them by cause."""
    input:
        "results/store/collected",
        triage="triage.toml",
    output:
        touch("results/store/detected"),
    log:
        "logs/detect_changes.log",
    conda:
        "../envs/convbench.yaml"
    params:
        min_ratio=lookup(dpath="min_ratio", within=config),
    shell:
        "convbench detect results/store --min-ratio {params.min_ratio}"
        " --triage {input.triage} 2>&1 | tee {log}"


rule build_report:
    """Write the static site."""
    input:
        "results/store/detected",
        triage="triage.toml",
    output:
        # Kept until the new site is whole: Snakemake would delete it first.
        update("reports/site/index.html"),
    log:
        "logs/build_report.log",
    conda:
        "../envs/convbench.yaml"
    shell:
        "convbench report results/store --output reports/site"
        " --triage {input.triage} 2>&1 | tee {log}"
