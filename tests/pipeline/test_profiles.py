"""Profiles say where jobs run: of rules that there are, with what the default profile promises."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pipeline_project import ROOT

PROFILES = sorted((ROOT / "workflow/profiles").glob("*/config.yaml"))
SHARED = ("rerun-triggers", "rerun-incomplete", "keep-going", "show-failed-logs")


def read(profile: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(profile.read_text()))


def rules() -> set[str]:
    lines = [
        line
        for file in (ROOT / "workflow/rules").glob("*.smk")
        for line in file.read_text().splitlines()
    ]
    return {line.split()[1].strip(":") for line in lines if line.startswith("rule ")}


@pytest.mark.parametrize("profile", PROFILES, ids=lambda file: file.parent.name)
def test_profiles_name_rules_that_exist(profile: Path) -> None:
    told = read(profile)
    grouped = {group.partition("=")[0] for group in told.get("groups", [])}

    assert grouped | set(told.get("set-resources", {})) <= rules()


@pytest.mark.parametrize("profile", PROFILES, ids=lambda file: file.parent.name)
def test_no_profile_measures_a_history_again_because_a_rule_was_edited(profile: Path) -> None:
    default = read(ROOT / "workflow/profiles/default/config.yaml")

    assert {key: read(profile)[key] for key in SHARED} == {key: default[key] for key in SHARED}


@pytest.mark.parametrize("word", ["slurm", "sbatch", "squeue", "kubectl"])
def test_neither_code_nor_rules_know_where_a_job_runs(word: str) -> None:
    code = [*(ROOT / "src").rglob("*.py"), ROOT / "workflow/Snakefile"]
    code += (ROOT / "workflow/rules").glob("*.smk")

    assert [file for file in code if word in file.read_text().lower()] == []
