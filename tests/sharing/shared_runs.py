"""Small runs and growing directories to share, and what a store says of them."""

from pathlib import Path

from asv_tree import benchmark, facts, result_file, row, write_source

from convbench.results import collect, load
from convbench.sharing.places import Place


def write_run(runs: Path, number: int, machine: str = "m", rows: int = 3) -> Path:
    """A measuring run as `convbench measure` publishes it."""
    name = f"{machine}-{number:04d}"
    file = result_file(
        {"a": row([float(number)] * rows, [[str(i) for i in range(rows)]])},
        commit_hash=f"{number:040x}",
        params={"machine": machine},
    )
    run = write_source(
        runs / name,
        {f"{machine}/{number:08d}-py.json": file},
        benchmark("a", ["n"]),
        facts=facts(run=name, machine=machine, commit=f"{number:040x}", environments={}),
    )
    (run / "asv.log").write_text(f"measured {name}\n")
    return run


def write_results(folder: Path, machine: str, numbers: dict[int, float]) -> Path:
    """A plain asv results directory: a file for each number, with one value."""
    files = {
        f"{machine}/{number:08d}-py.json": result_file(
            {"a": row([value])}, commit_hash=f"{number:040x}", params={"machine": machine}
        )
        for number, value in numbers.items()
    }
    return write_source(folder, files, benchmark("a", []))


def files_below(folder: Path) -> dict[str, bytes]:
    """Contents by path, without what is hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(folder).parts)
    }


def rows_in(results: Path, store: Path) -> list[tuple[str, str, float]]:
    """Machine, commit and value of every row that `collect` makes of results."""
    collect(results, store)
    values = load(store)
    return sorted(zip(values["machine"], values["commit"], values["value"], strict=True))


class Counting:
    """A place that counts what is read of it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self.reads: list[str] = []
        self.bytes = 0

    shown = "a place"
    readers = 1

    def names(self) -> set[str]:
        return self._place.names()

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        raw = self._place.read(bundle, path, limit)
        self.reads.append(f"{bundle}/{path}")
        self.bytes += len(raw)
        return raw

    def add(self, bundles) -> None:
        self._place.add(bundles)


class MemoryPlace:
    """A place without a disk: all that pushing and pulling need."""

    shown = "memory"
    readers = 1

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}

    def names(self) -> set[str]:
        return set(self.files)

    def read(self, bundle: str, path: str, limit: int) -> bytes:
        raw = self.files[bundle][path]
        assert len(raw) <= limit
        return raw

    def add(self, bundles) -> None:
        for bundle in bundles:
            files = {path: bundle.read(path) for path in bundle.manifest.files}
            self.files[bundle.name] = files | {"manifest.json": bundle.manifest.to_bytes()}
