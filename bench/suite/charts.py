"""A section as a chart, in SVG."""

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
OTHERS = ["#654ff0", "#a99cf7", "#555555", "#336791", "#e0a020", "#c05030", "#2f9e8f"]


def draw(section: Section, file: Path) -> None:
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=_size(section))
    if section.chart == "lines":
        _lines(section, axes)
    else:
        _bars(section, axes)
    axes.set_title(section.title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _pyplot():
    """Only a run that writes charts needs the library."""
    import matplotlib

    matplotlib.use("svg")
    # the same figures give the same file
    matplotlib.rcParams["svg.hashsalt"] = "wasm"
    from matplotlib import pyplot

    return pyplot


def _size(section: Section) -> tuple[float, float]:
    if section.chart == "lines":
        return 8, 4
    bars = sum(len(row.figures) for row in section.rows) + len(section.rows)
    return 8, max(2.0, 0.8 + 0.16 * bars)


def _colour(section: Section, contestant: str) -> str:
    return COLOURS.get(contestant) or OTHERS[section.contestants.index(contestant) % len(OTHERS)]


def _lines(section: Section, axes) -> None:
    names = [row.name for row in section.rows]
    for contestant in section.contestants:
        medians = [row.figures[contestant].median for row in section.rows]
        axes.plot(names, medians, marker="o", label=contestant, color=_colour(section, contestant))
    axes.set_ylabel(section.unit)
    axes.set_ylim(bottom=0)


def _bars(section: Section, axes) -> None:
    """Groups of horizontal bars, one group a row, the first on top."""
    ratios = section.chart == "ratios"
    position = 0.0
    ticks, labelled = [], set()
    for row in section.rows:
        present = [name for name in section.contestants if name in row.figures]
        ticks.append(position + (len(present) - 1) / 2)
        for contestant in present:
            value = row.ratio(contestant, section.base) if ratios else row.figures[contestant].median
            label = None if contestant in labelled else contestant
            labelled.add(contestant)
            axes.barh(position, value, color=_colour(section, contestant), label=label)
            position += 1
        position += 1
    axes.set_yticks(ticks, [row.name for row in section.rows])
    axes.invert_yaxis()
    if section.logarithmic:
        axes.set_xscale("log")
    if ratios:
        axes.axvline(1, color="#000000", linewidth=0.8)
    axes.set_xlabel(f"multiples of {section.base}" if ratios else section.unit)
