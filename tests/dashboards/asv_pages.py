"""asv's own pages of a project, with the libraries that they load from elsewhere beside them."""

import re
import shutil
import subprocess
from pathlib import Path

# Address that asv 0.6.6 asks for -> package of npm and file in it. stupidtable 1.0.1 is not there
# any more; 1.1.3 does the same. flot 0.8.3 comes without its minified files.
LIBRARIES = {
    "jquery-3.3.1.min.js": ("jquery@3.3.1", "dist/jquery.min.js"),
    "jquery.flot.min.js": ("flot@0.8.3", "jquery.flot.js"),
    "jquery.flot.time.min.js": ("flot@0.8.3", "jquery.flot.time.js"),
    "jquery.flot.selection.min.js": ("flot@0.8.3", "jquery.flot.selection.js"),
    "jquery.flot.categories.min.js": ("flot@0.8.3", "jquery.flot.categories.js"),
    "jquery.flot.orderBars.js": ("flot-orderbars@1.0.0", "js/jquery.flot.orderBars.js"),
    "stupidtable.min.js": ("stupid-table-plugin@1.1.3", "stupidtable.min.js"),
    "md5.min.js": ("blueimp-md5@2.19.0", "js/md5.min.js"),
    "bootstrap.min.js": ("bootstrap@3.1.1", "dist/js/bootstrap.min.js"),
    "bootstrap.min.css": ("bootstrap@3.1.1", "dist/css/bootstrap.min.css"),
}


class NotReached(Exception):
    """npm, or its registry, is not there."""


def fetch_libraries(folder: Path) -> Path:
    """Install asv's libraries from npm, once; returns the folder of packages."""
    modules = folder / "node_modules"
    packages = sorted({package for package, _ in LIBRARIES.values()})
    if all((modules / package.split("@")[0]).is_dir() for package in packages):
        return modules
    folder.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    command += ["--prefix", str(folder), *packages]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotReached(f"asv's libraries cannot be fetched from npm: {error}") from error
    return modules


def lay_beside(html: Path, modules: Path, output: Path) -> Path:
    """Copy published pages so that they load nothing from elsewhere.

    That favours asv: its pages need three hosts, and here they need one.
    """
    shutil.copytree(html, output)
    (output / "lib").mkdir()
    index = (output / "index.html").read_text()
    index = re.sub(r' (integrity|crossorigin|referrerpolicy)="[^"]*"', "", index)
    for name, (package, file) in LIBRARIES.items():
        shutil.copyfile(modules / package.split("@")[0] / file, output / "lib" / name)
        index, found = re.subn(rf'"https://[^"]*/{re.escape(name)}"', f'"lib/{name}"', index)
        assert found == 1, f"asv's index does not load {name} any more"
    (output / "index.html").write_text(index)
    return output
