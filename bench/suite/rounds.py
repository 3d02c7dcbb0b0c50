"""Rounds of measurements, and which of them count.

The host of a virtual machine takes processors away, for milliseconds and for
minutes; Linux counts it as "steal", see proc(5).  It is no property of what is
measured: rounds that suffered from it are repeated, within limits.
"""

import os
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TypeVar

from .section import Figure

# of what is measured
Name = TypeVar("Name", bound=Hashable)

# The share of processor time that may be stolen in a round, and how often there may be so many rounds
STOLEN_SHARE = 0.01
TRIES = 2

# How many milliseconds a short sample may lack, and how often it is taken at most
DISTURBED = 0.2
SAMPLE_TRIES = 10


def stolen_seconds() -> float:
    """Processor time that the host has given to others since the start; 0 where it is not counted."""
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return 0.0
    total = statistics.read_text().splitlines()[0].split()
    return int(total[8]) / os.sysconf("SC_CLK_TCK")


def in_rounds(rounds: int, measure: Callable[[int], dict[Name, float]], tries: int = TRIES) -> dict[Name, Figure]:
    """What measure gives for the turns 0, 1, ...: so many rounds, those of which least was stolen."""
    taken: list[tuple[float, dict[Name, float]]] = []
    undisturbed = 0
    while undisturbed < rounds and len(taken) < rounds * tries:
        stolen, start = stolen_seconds(), time.monotonic()
        samples = measure(len(taken))
        share = (stolen_seconds() - stolen) / (time.monotonic() - start) / (os.cpu_count() or 1)
        taken.append((share, samples))
        undisturbed += share <= STOLEN_SHARE
    kept = [samples for _, samples in sorted(taken, key=lambda round_: round_[0])[:rounds]]
    return {name: Figure(tuple(samples[name] for samples in kept)) for name in kept[0]}


def rotated(names: list[Name], turn: int) -> list[Name]:
    """Another one first in each turn."""
    first = turn % len(names)
    return names[first:] + names[:first]


def interleaved(
    rounds: int, measures: dict[Name, Callable[[], float]], tries: int = TRIES
) -> dict[Name, Figure]:
    """Each of the measures once a round, in an order that rotates."""
    names = list(measures)

    def measure(turn: int) -> dict[Name, float]:
        samples = {name: measures[name]() for name in rotated(names, turn)}
        return {name: samples[name] for name in names}

    return in_rounds(rounds, measure, tries)


def undisturbed(measure: Callable[[], tuple[float, float]]) -> float:
    """A sample, from what measure gives: that, and the milliseconds that others had the processors meanwhile.

    For samples that are shorter than what the host's account of stolen time resolves.
    """
    taken: list[tuple[float, float]] = []
    while len(taken) < SAMPLE_TRIES:
        sample, lost = measure()
        taken.append((lost, sample))
        if lost <= DISTURBED:
            break
    return min(taken)[1]


def in_quiet_rounds(figures: dict[Name, Figure], share: int = 4) -> dict[Name, Figure]:
    """Only the rounds in which all together took least, one of so many.

    Others use the processor as well, for seconds at a time; then everything takes
    longer, differences too. All that takes part counts alike in the choice.
    """
    columns = [[sample / figure.minimum for sample in figure.samples] for figure in figures.values()]
    totals = [sum(round_) for round_ in zip(*columns)]
    kept = sorted(range(len(totals)), key=totals.__getitem__)[: max(len(totals) // share, 1)]
    return {name: Figure(tuple(figure.samples[i] for i in kept)) for name, figure in figures.items()}
