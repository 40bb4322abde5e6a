"""One name, one machine: which processor each source says a machine has.

Two machines that share a name would make one history of two. A source says it twice: in the host
facts of a run, and in asv's ``machine.json``. Like is compared with like, since the two count and
name in their own ways; the host facts decide where both sides have them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from convbench.results.manifest import SourceRecord

# A processor's name is some fifty characters; a longer one would push the advice out of a message.
_SHOWN = 50


@dataclass(frozen=True)
class Processor:
    """A CPU model and the number of logical CPUs, as text; empty where it is not said."""

    model: str = ""
    cpus: str = ""

    @classmethod
    def of(cls, model: object, cpus: object) -> "Processor":
        """Take a processor from what a file says of it; blanks don't make another one."""
        told = ("" if said is None else str(said) for said in (model, cpus))
        return cls(*(" ".join(text.split()) for text in told))

    def differs(self, other: "Processor") -> bool:
        """Whether both say what they are and it is not the same."""
        if not self.model or not other.model:
            return False
        counts = {self.cpus, other.cpus} - {""}
        return self.model != other.model or len(counts) > 1

    def __str__(self) -> str:
        """Write a processor for a message."""
        count = f" ({self.cpus[:_SHOWN]} CPUs)" if self.cpus else ""
        return f"{self.model[:_SHOWN]}{count}"


@dataclass(frozen=True)
class Statement:
    """What one source says of one machine's processor."""

    host: Processor = Processor()
    asv: Processor = Processor()

    @classmethod
    def of(cls, host: Mapping[str, Any], machine_file: Mapping[str, str]) -> "Statement":
        """Read a run's host facts and asv's machine file; either may be empty."""
        return cls(
            host=Processor.of(host.get("cpu"), host.get("cpus")),
            asv=Processor.of(machine_file.get("cpu"), machine_file.get("num_cpu")),
        )

    def contradiction(self, other: "Statement") -> tuple[Processor, Processor] | None:
        """Return the two processors that are not one, or None."""
        pairs = [(self.host, other.host), (self.asv, other.asv)]
        # The first kind of statement that both sides make decides.
        said = next((pair for pair in pairs if all(one.model for one in pair)), None)
        return said if said and said[0].differs(said[1]) else None

    def as_entry(self) -> dict[str, list[str]]:
        """Write the statement for the manifest."""
        return {"host": list(astuple(self.host)), "asv": list(astuple(self.asv))}

    @classmethod
    def from_entry(cls, entry: Mapping[str, list[str]]) -> "Statement":
        """Read it back."""
        return cls(**{name: Processor(*said) for name, said in entry.items()})


class Processors:
    """What the sources of a store say of its machines."""

    def __init__(self, sources: Mapping[str, SourceRecord]) -> None:
        # Sources agree, so a machine has few statements, whatever the number of its runs.
        self._said: dict[tuple[str, str], dict[Statement, set[str]]] = defaultdict(dict)
        for source, record in sources.items():
            self.add(source, record)

    def add(self, source: str, record: SourceRecord) -> None:
        """Take in what a source says."""
        for machine, entry in record.machines.items():
            known = self._said[record.project, machine]
            known.setdefault(Statement.from_entry(entry), set()).add(source)

    def refusal(self, source: str, project: str, machine: str, statement: Statement) -> str | None:
        """Say why a source's rows must not be stored under a machine's name; None if they may."""
        for known, sources in self._said[project, machine].items():
            found = known.contradiction(statement)
            if found and sources - {source}:
                return (
                    f"machine {machine[:_SHOWN]} is {found[0]} in the store but {found[1]} here; "
                    "measure with --machine OTHER"
                )
        return None
