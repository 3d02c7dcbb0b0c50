"""Results as Markdown, JSON and charts."""

import json
from dataclasses import dataclass
from pathlib import Path

from . import charts
from .charts import number
from .rounds import STOLEN_SHARE
from .section import Figure, Goal, Options, Row, Section


@dataclass(frozen=True)
class Run:
    machine: dict[str, str]
    options: Options
    sections: list[Section]


def write(run: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(_as_json(run), indent=1, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text(markdown(run, with_charts=True))
    for section in run.sections:
        charts.draw(section, folder / f"{section.name}.svg")
    charts.draw_overview(run.sections, folder / "overview.svg")


# --- Markdown ---


def markdown(run: Run, with_charts: bool = False) -> str:
    parts = ["# Results\n", _machine_table(run), _goals_table(run)]
    parts += [_section(section, with_charts) for section in run.sections]
    return "\n".join(part for part in parts if part)


def _machine_table(run: Run) -> str:
    lines = [f"| {name} | {value} |" for name, value in run.machine.items()]
    quick = " These figures come from a quick run, which is no measurement." if run.options.quick else ""
    text = (
        f"Medians of {run.options.rounds} interleaved rounds, unless a note says otherwise. Rounds in which the host of a "
        f"virtual machine took more than {100 * STOLEN_SHARE:.0f} % of its processors away are repeated, within limits.{quick}"
    )
    return "\n".join(["| | |", "|---|---|", *lines, "", text, ""])


def _goals_table(run: Run) -> str:
    goals = [goal for section in run.sections for goal in section.goals]
    if not goals:
        return ""
    lines = [
        f"| {goal.text} | {goal.target} | {goal.measured} | {'yes' if goal.met else 'no'} |" for goal in goals
    ]
    return "\n".join(["## Goals", "", "| | goal | measured | met |", "|---|---|---|---|", *lines, ""])


def _section(section: Section, with_charts: bool) -> str:
    columns = " | ".join(section.contestants)
    lines = [f"## {section.title}", ""]
    if with_charts:
        lines += [f"![{section.title}]({section.name}.svg)", ""]
    lines += [f"In {section.unit}{_explained(section)}.", ""]
    lines += [f"| {section.heading} | {columns} |", "|---|" + "---:|" * len(section.contestants)]
    lines += [_row(section, row) for row in section.rows]
    lines += [""] + [f"- {note}" for note in section.notes] + [""] * bool(section.notes)
    return "\n".join(lines)


def _explained(section: Section) -> str:
    has_ratios = any(row.ratio(name, section.base) for row in section.rows for name in section.contestants)
    return f"; in parentheses as a multiple of {section.base}" if has_ratios else ""


def _row(section: Section, row: Row) -> str:
    cells = [_cell(section, row, contestant) for contestant in section.contestants]
    return f"| {row.name} | " + " | ".join(cells) + " |"


def _cell(section: Section, row: Row, contestant: str) -> str:
    if contestant not in row.figures:
        return ""
    text = number(row.figures[contestant].median)
    ratio = row.ratio(contestant, section.base)
    if contestant == section.base or ratio is None:
        return text
    return f"{text} ({multiple(ratio)}×)"


def multiple(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else number(ratio)


# --- JSON ---


def _as_json(run: Run) -> dict:
    return {
        "machine": run.machine,
        "rounds": run.options.rounds,
        "quick": run.options.quick,
        "goals": [_goal_as_json(goal) for section in run.sections for goal in section.goals],
        "sections": [_section_as_json(section) for section in run.sections],
    }


def _goal_as_json(goal: Goal) -> dict:
    return {"text": goal.text, "target": goal.target, "measured": goal.measured, "met": goal.met}


def _section_as_json(section: Section) -> dict:
    return {
        "name": section.name,
        "title": section.title,
        "unit": section.unit,
        "base": section.base,
        "notes": section.notes,
        "rows": [_row_as_json(section, row) for row in section.rows],
    }


def _row_as_json(section: Section, row: Row) -> dict:
    return {
        "name": row.name,
        "figures": {
            name: _figure_as_json(figure, row.ratio(name, section.base))
            for name, figure in row.figures.items()
        },
    }


def _figure_as_json(figure: Figure, ratio: float | None) -> dict:
    values = {
        "median": figure.median,
        "minimum": figure.minimum,
        "interquartile_spread": figure.spread,
        "samples": len(figure.samples),
    }
    if ratio is not None:
        values["ratio"] = ratio
    return {name: float(f"{value:.5g}") for name, value in values.items()}
