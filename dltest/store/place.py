"""Where a case happens: on a link, at an RSE, or over more RSEs than a label can name."""

from dataclasses import asdict, dataclass

from dltest.model import Case


@dataclass(frozen=True, slots=True)
class Place:
    """`source` and `destination` for a link, `rse` for one RSE; what does not apply is ''."""

    source: str = ""
    destination: str = ""
    rse: str = ""

    @classmethod
    def of(cls, case: Case) -> "Place":
        """Two targets are a link, in the file's order; of three or more the ends are told."""
        names = list(case.targets.values())
        if len(names) == 1:
            return cls(rse=names[0])
        return cls(source=names[0], destination=names[-1]) if names else cls()

    def columns(self) -> dict[str, str]:
        return asdict(self)
