"""What a section of the suite gives: figures in rows, with notes and goals."""

import statistics
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """rounds: how often everything is measured; quick: only see that it works; native: C and wasm alone."""

    rounds: int
    quick: bool
    native: bool = False

    def pick(self, full: int, quick: int) -> int:
        return quick if self.quick else full


@dataclass(frozen=True)
class Figure:
    """What was measured, once a round, in the unit of the section."""

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def minimum(self) -> float:
        return min(self.samples)

    @property
    def spread(self) -> float:
        """Between the first and the third quartile."""
        if len(self.samples) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.samples, n=4, method="inclusive")
        return third - first

    def percentile(self, percent: float) -> float:
        """The smallest sample that so many percent of them do not exceed."""
        ordered = sorted(self.samples)
        position = -(-len(ordered) * percent // 100)
        return ordered[max(int(position), 1) - 1]

    def __sub__(self, other: "Figure") -> "Figure":
        """Round by round: what a round adds to both is not in it."""
        return Figure(tuple(a - b for a, b in zip(self.samples, other.samples, strict=True)))

    def __truediv__(self, other: "Figure") -> "Figure":
        """Round by round: what a round slows both by is not in it."""
        return Figure(tuple(a / b for a, b in zip(self.samples, other.samples, strict=True)))

    def scaled(self, factor: float) -> "Figure":
        return Figure(tuple(sample * factor for sample in self.samples))


@dataclass(frozen=True)
class Row:
    """One piece of work; not every contestant need have a figure for it."""

    name: str
    figures: dict[str, Figure]

    def ratio(self, contestant: str, base: str = "C") -> float | None:
        """Of medians; nothing where one of the two has no figure."""
        if contestant not in self.figures or base not in self.figures:
            return None
        return self.figures[contestant].median / self.figures[base].median


@dataclass(frozen=True)
class Goal:
    text: str
    target: str
    measured: str
    met: bool


@dataclass
class Section:
    """name is that of the files; base the contestant that ratios refer to; heading what the rows are."""

    name: str
    title: str
    unit: str
    contestants: list[str]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    base: str = "C"
    heading: str = ""
    chart: str = "bars"  # bars, lines, or ratios: of the contestants to the base
    logarithmic: bool = False

    def row(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)
