"""A figure: what was measured, what it is compared with, and what we aim at."""

import json
from dataclasses import asdict, dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` and `reference` are medians of the samples, in `unit`; `ratio` is their quotient.

    `aim` is for the ratio. Each sample holds the values that the medians were taken from.
    """

    name: str
    value: float
    unit: str
    reference: float | None
    ratio: float | None
    aim: float | None
    samples: list[dict[str, float]]

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def __str__(self) -> str:
        against = ""
        if self.ratio is not None and self.reference is not None:
            against = f" against {self.reference:,.1f}: ratio {self.ratio:.2f}"
        aim = f", aim {self.aim:g}" if self.aim is not None else ""
        return f"{self.name}: {self.value:,.1f} {self.unit}{against}{aim}"


def compared(
    name: str,
    unit: str,
    values: list[float],
    references: list[float],
    *,
    aim: float | None = None,
) -> Figure:
    """The figure of values measured in turns with their references."""
    value, reference = median(values), median(references)
    samples = [
        {"value": round(one, 3), "reference": round(other, 3)}
        for one, other in zip(values, references, strict=False)
    ]
    return Figure(
        name, round(value, 3), unit, round(reference, 3), round(value / reference, 3), aim, samples
    )
