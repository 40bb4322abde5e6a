"""The site's scripts against their types: JSDoc, read by TypeScript's compiler."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from convbench.report.pages import TEMPLATES
from convbench.report.scripts import ASSETS, MODULES, script_files

HERE = Path(__file__).parent
SCRIPTS = sorted(ASSETS.glob("*.js"))
needs_compiler = pytest.mark.skipif(
    shutil.which("tsc") is None, reason="Debian's node-typescript is not installed"
)


def checked(project: Path) -> list[str]:
    """Give what the compiler says of a project, line by line."""
    command = ["tsc", "--project", str(project), "--pretty", "false"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or done.stdout, done.stderr
    return done.stdout.splitlines()


@needs_compiler
def test_every_script_passes_the_strict_check() -> None:
    assert checked(HERE) == []


MISTAKES = {
    "TS2769": "CB.load(3);",
    "TS2551": "CB.views.set('why', (query) => query.gett('a'));",
    "TS7006": "const f = (line) => line.x; f(CB);",
    "TS2531": "document.querySelector('h1').textContent = '';",
}


@needs_compiler
def test_the_check_sees_mistakes(tmp_path: Path) -> None:
    files = [str(HERE / "convbench.d.ts")]
    for error, text in MISTAKES.items():
        script = tmp_path / f"{error}.js"
        script.write_text(f'"use strict";\n(() => {{ {text} }})();\n')
        files.append(str(script))
    project = tmp_path / "tsconfig.json"
    settings = {"extends": str(HERE / "tsconfig.json"), "include": [], "files": files}
    project.write_text(json.dumps(settings))

    said = re.findall(r"(TS\d+)\.js.*error (TS\d+)", "\n".join(checked(project)))

    assert sorted(said) == [(error, error) for error in sorted(MISTAKES)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_what_it_is_and_leaves_no_global(script: Path) -> None:
    lines = script.read_text().splitlines()
    code = [line for line in lines if not line.startswith("//")]

    assert lines[0].startswith("// ")
    assert code[0] == '"use strict";'
    # So that two scripts can use one name for two things.
    assert not [line for line in code if re.match(r"(const|let|var|function|class|async)\b", line)]
    assert "@ts-ignore" not in script.read_text()


def test_every_module_is_in_a_script_of_the_document_or_of_a_view() -> None:
    used = {module for modules in MODULES.values() for module in modules}
    sections = "".join(path.read_text() for path in TEMPLATES.glob("*.html.j2"))

    assert sorted([*used, "early"]) == [script.stem for script in SCRIPTS]
    # Those of a view run on its first entry: a reader of the overview never waits for them.
    for view in MODULES.keys() - {"app"}:
        assert f'data-view="{view}"' in sections
    asked = re.findall(r'src="assets/(\w+)\.js"', (TEMPLATES / "index.html.j2").read_text())
    assert asked == ["app"]
    assert MODULES["app"][0] == "app"  # it makes the object that the others use


def test_scripts_are_their_modules_in_order() -> None:
    files = script_files()

    for name, modules in MODULES.items():
        parts = [(ASSETS / f"{module}.js").read_text() for module in modules]
        places = [files[f"assets/{name}.js"].index(part) for part in parts]
        assert places == sorted(places)
        assert len(files[f"assets/{name}.js"]) <= sum(map(len, parts)) + len(parts)
