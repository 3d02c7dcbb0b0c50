"""A section as a chart, in SVG; and the picture of all in one."""

import math
import statistics
from pathlib import Path

from .section import Section

COLOURS = {
    "C": "#555555",
    "wasm": "#654ff0",
    "SQL": "#2f9e8f",
    "PL/pgSQL": "#336791",
    "PL/Python": "#e0a020",
    "PL/Perl": "#39a0ca",
    "PL/Tcl": "#c05030",
}
NEUTRAL = ["#bbbbbb", "#888888", "#dddddd"]
BAR_INCHES = 0.17


def draw(section: Section, file: Path) -> None:
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=_size(section))
    if section.chart == "lines":
        _lines(section, axes)
    else:
        _bars(section, axes)
    axes.set_title(section.title, loc="left", fontsize=11)
    if len(section.contestants) > 1:
        axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1))
    _finish(figure, [axes], file)


def draw_overview(sections: list[Section], file: Path) -> None:
    """Calls in every language and kernels in wasm, as multiples of C; nothing unless both were measured."""
    by_name = {section.name: section for section in sections}
    if not {"calls", "kernels"} <= by_name.keys():
        return
    calls = by_name["calls"].row("2 bigint")
    kernels = {row.name: row.ratio("wasm") for row in by_name["kernels"].rows}
    kernels = {name: ratio for name, ratio in kernels.items() if ratio is not None}
    kernels["geometric mean"] = statistics.geometric_mean(kernels.values())
    figure, (left, right) = _pyplot().subplots(1, 2, figsize=(10, 3.6))
    languages = list(calls.figures)
    _simple_bars(left, {name: calls.ratio(name) for name in languages}, [COLOURS[name] for name in languages])
    left.set_title("One call a row, the whole query", loc="left", fontsize=11)
    _simple_bars(right, kernels, [COLOURS["wasm"]] * len(kernels))
    right.set_title("Kernels in wasm", loc="left", fontsize=11)
    for axes in (left, right):
        axes.axvline(1, color="#000000", linewidth=0.8)
        axes.set_xlabel("time, as a multiple of C")
    _finish(figure, [left, right], file)


def number(value: float) -> str:
    """Three digits that count, or all before the point."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    if abs(value) >= 1:
        return f"{value:.2f}"
    return f"{value:.3g}"


def _pyplot():
    """Only a run that writes charts needs the library."""
    import matplotlib

    matplotlib.use("svg")
    # the same figures give the same file
    matplotlib.rcParams["svg.hashsalt"] = "wasm"
    from matplotlib import pyplot

    return pyplot


def _finish(figure, all_axes: list, file: Path) -> None:
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    metadata = {"Date": None} if file.suffix == ".svg" else None
    figure.savefig(file, metadata=metadata)
    _pyplot().close(figure)


def _size(section: Section) -> tuple[float, float]:
    if section.chart == "lines":
        return 9, 4
    bars = sum(len(row.figures) for row in section.rows) + len(section.rows)
    return 9, max(2.2, 0.9 + BAR_INCHES * bars)


def _colour(section: Section, contestant: str) -> str:
    """That of the language; variants of one are lighter."""
    language = contestant.split(",")[0]
    family = [name for name in section.contestants if name.split(",")[0] == language]
    if language in COLOURS:
        return _lighter(COLOURS[language], 0.3 * family.index(contestant))
    neutral = [name for name in section.contestants if name.split(",")[0] not in COLOURS]
    return NEUTRAL[neutral.index(contestant) % len(NEUTRAL)]


def _lighter(colour: str, share: float) -> str:
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * min(share, 0.8)):02x}" for part in parts)


def _lines(section: Section, axes) -> None:
    names = [row.name for row in section.rows]
    for contestant in section.contestants:
        medians = [row.figures[contestant].median for row in section.rows]
        axes.plot(names, medians, marker="o", label=contestant, color=_colour(section, contestant))
    axes.set_xlabel(section.heading)
    axes.set_ylabel(section.unit)
    axes.set_ylim(bottom=0)


def _bars(section: Section, axes) -> None:
    """Groups of horizontal bars, one group a row, the first on top."""
    ratios = section.chart == "ratios"
    position = 0
    ticks, labelled, values = [], set(), []
    for row in section.rows:
        present = [name for name in section.contestants if name in row.figures]
        ticks.append(position + (len(present) - 1) / 2)
        for contestant in present:
            value = row.ratio(contestant, section.base) if ratios else row.figures[contestant].median
            values.append(value)
            label = None if contestant in labelled else contestant
            labelled.add(contestant)
            bar = axes.barh(position, value, color=_colour(section, contestant), label=label)
            axes.bar_label(bar, [number(value)], padding=2, fontsize=6)
            position += 1
        position += 1
    axes.set_yticks(ticks, [row.name for row in section.rows])
    axes.margins(x=0.08, y=0.02)
    axes.invert_yaxis()
    if section.logarithmic:
        _logarithmic(axes, values)
    if ratios:
        axes.axvline(1, color="#000000", linewidth=0.8)
    axes.set_xlabel(f"multiples of {section.base}" if ratios else section.unit)


def _logarithmic(axes, values: list[float]) -> None:
    """From the power of ten below the least."""
    axes.set_xscale("log")
    positive = [value for value in values if value > 0]
    axes.set_xlim(left=10 ** math.floor(math.log10(min(positive))), right=2 * max(positive))


def _simple_bars(axes, values: dict[str, float], colours: list[str]) -> None:
    bars = axes.barh(list(values), list(values.values()), color=colours)
    axes.bar_label(bars, [number(value) for value in values.values()], padding=2, fontsize=8)
    axes.margins(x=0.1)
    axes.invert_yaxis()
