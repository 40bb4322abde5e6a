# Collecting on a cluster: every machine into a store of its own, and one store of them all.
#
#     snakemake --snakefile workflow/partitions.smk --config results=DIR store=DIR
#
# project=NAME and repo=DIR mean what they mean to `convbench collect`; a convbench.toml in this
# folder is read as there. The stores of the machines lie in <store>-shards.
from pathlib import Path

from convbench.errors import ConvbenchError
from convbench.results.shards import machine_of, shard_states
from convbench.results.words import CONFIG, Words, read_words
from snakemake.utils import min_version, validate

min_version("9.0")


validate(config, "schemas/partitions.schema.yaml")

STORE = config["store"].rstrip("/")
SHARDS = f"{STORE}-shards"
# The state is in the name, so that a copied file which kept its old time is seen as well. The mark
# lies in the store that it vouches for.
MARK = f"{SHARDS}/{{shard}}/.collected-{{state}}"


wildcard_constraints:
    shard="[A-Za-z0-9_.~=-]+",
    state="[0-9a-f]{16}",


localrules:
    combine,


def words() -> Words:
    """What convbench.toml says, as `convbench collect` reads it."""
    return read_words(Path(CONFIG)) if Path(CONFIG).is_file() else Words()


def marks(wildcards) -> list[str]:
    """One mark for every machine that has results, in its state of now."""
    try:
        states = shard_states([config["results"]], words(), config["project"] or None)
    except ConvbenchError as error:
        raise WorkflowError(str(error))
    return [MARK.format(shard=shard, state=state) for shard, state in states.items()]


def machine(wildcards) -> str:
    """The machine's name as it is, however its store is called."""
    return machine_of(wildcards.shard)


def shards(wildcards, input) -> list[str]:
    """Stores to combine: also those of machines whose results are gone, but not of renamed ones."""
    wanted = {Path(mark).parent for mark in input}
    there = {manifest.parent for manifest in Path(SHARDS).glob("*/manifest.json")}
    renamed = set(words().machines)
    kept = {shard for shard in there if machine_of(shard.name) not in renamed}
    return sorted(map(str, wanted | kept))


rule all:
    """One store of all machines."""
    default_target: True
    input:
        f"{STORE}/manifest.json",


rule collect_partition:
    """Collect one machine, what changed of it, into its own store."""
    output:
        # Not the store: Snakemake deletes outputs before it repeats a rule.
        touch(MARK),
    log:
        "logs/collect_partition/{shard}-{state}.log",
    conda:
        "envs/convbench.yaml"
    params:
        results=config["results"],
        store=subpath(output[0], parent=True),
        machine=machine,
        project=["--project", config["project"]] if config["project"] else [],
    shell:
        "convbench collect {params.results:q} --store {params.store:q} {params.project:q}"
        " --only-machine={params.machine:q} 2>&1 | tee {log:q}"
        " && find {params.store:q} -maxdepth 1 -name '.collected-*' -delete"


rule combine:
    """Make one store of all machines' stores."""
    input:
        marks,
    output:
        # Replaced whole: readers have the old content until the new one is there.
        update(f"{STORE}/manifest.json"),
    log:
        "logs/combine.log",
    conda:
        "envs/convbench.yaml"
    params:
        shards=shards,
        store=subpath(output[0], parent=True),
        repo=["--repo", config["repo"]] if config["repo"] else [],
    shell:
        "convbench combine {params.shards:q} --store {params.store:q} {params.repo:q}"
        " 2>&1 | tee {log:q}"
