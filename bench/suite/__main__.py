"""Runs the suite: python3 -m suite, from bench/run, which starts the server."""

import argparse
import sys
import time
from pathlib import Path

from . import calls, fibonacci, guests, instructions, kernels, machine, report, scale, start, stopping, values
from .section import Options, Section
from .server import BENCH, Server

SECTIONS = {
    "calls": calls.measure,
    "values": values.measure,
    "instructions": instructions.measure,
    "fibonacci": fibonacci.measure,
    "kernels": kernels.measure,
    "start": start.measure,
    "guests": guests.measure,
    "scale": scale.measure,
    "stopping": stopping.measure,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench/run", description="Compares languages for functions in PostgreSQL."
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument(
        "--rounds", type=int, help="how often everything is measured; by default 7, or 2 with --quick"
    )
    parser.add_argument("--quick", action="store_true", help="little work, to see that all is in order")
    parser.add_argument("--native", action="store_true", help="calls and kernels in C and wasm alone")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where to write the results of any run")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}")
    if chosen.rounds is not None and chosen.rounds < 1:
        parser.error("at least one round is needed")
    return chosen


def results_folder(chosen: argparse.Namespace) -> Path | None:
    """The committed results are those of a full run."""
    if chosen.results is not None:
        return chosen.results
    if chosen.quick or chosen.native or chosen.sections:
        return None
    return BENCH / "results"


def measured(server: Server, options: Options, chosen: list[str]) -> list[Section]:
    names = [name for name in SECTIONS if not chosen or name in chosen]
    comparison = calls.Comparison(server, options, len(names)) if "calls" in names else None
    sections: dict[str, list[Section]] = {}
    for name in names:
        begin = time.monotonic()
        sections[name] = SECTIONS[name](server, options)
        if comparison is not None:
            comparison.take()
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    if comparison is not None:
        sections["calls"].append(comparison.section())
    return [section for those in sections.values() for section in those]


def main() -> None:
    chosen = arguments()
    rounds = chosen.rounds or (2 if chosen.quick else 7)
    options = Options(rounds, chosen.quick, chosen.native)
    server = Server()
    server.prepare()
    run = report.Run(machine.describe(server), options, measured(server, options, chosen.sections))
    print(report.markdown(run))
    folder = results_folder(chosen)
    if folder is not None:
        report.write(run, folder)


main()
