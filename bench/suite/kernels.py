"""Kernels, each from one C source that is compiled both ways."""

import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .calls import NATIVE
from .libpq import Connection
from .rounds import in_quiet_rounds
from .section import Figure, Goal, Options, Row, Section
from .server import BENCH, PURE, Server, check_same, quoted, time_processor

# The compiled ones are quick: many rounds, and what else the machine does matters less.
ROUNDS_FACTOR = 27
QUICK_FACTOR = 10
SLOW = {"PL/pgSQL": "plpgsql", "PL/Python": "plpython"}
MEAN_GOAL = 1.15
WORST_GOAL = 1.6


@dataclass(frozen=True)
class Kernel:
    """slow: repetitions for PL/pgSQL and PL/Python, where the kernel exists there."""

    name: str
    title: str
    size: int
    repetitions: int
    slow: int = 0
    result: str = "bigint"

    def repeated(self, options: Options) -> int:
        return max(self.repetitions // options.pick(1, QUICK_FACTOR), 1)

    def query(self, prefix: str, repetitions: int) -> str:
        return f"SELECT {prefix}_{self.name}({self.size}, {repetitions})"


KERNELS = [
    Kernel("sieve", "sieve", 100_000, 40, slow=1),
    Kernel("crc32", "CRC-32", 4_000, 800, slow=20),
    Kernel("matrix", "matrix product", 96, 10, slow=1, result="float8"),
    Kernel("matrix_simd", "matrix product, SIMD", 128, 20, result="float8"),
    Kernel("nbody", "n-body", 32, 1_500, slow=30, result="float8"),
    Kernel("edit_distance", "edit distance", 300, 60, slow=2),
    Kernel("sha256", "SHA-256", 100_000, 16),
    Kernel("tokenizer", "tokenizer", 200_000, 24),
    Kernel("base64", "base 64", 100_000, 30),
    Kernel("quicksort", "quicksort", 10_000, 16, slow=1),
    Kernel("mandelbrot", "Mandelbrot", 128, 8, slow=1),
]


def build(server: Server) -> Path:
    folder = server.scratch / "kernels"
    subprocess.run([BENCH / "kernels/build", folder], check=True)
    os.chmod(folder, 0o755)
    return folder


def create_module(connection: Connection, folder: Path, kernel: str) -> None:
    """As the function module_<kernel>."""
    module = (folder / f"{kernel}.wasm").read_bytes().hex()
    connection.run(f"CREATE FUNCTION module_{kernel}() RETURNS wasm.module LANGUAGE wasm AS '\\x{module}'")


def guest_compiler() -> str:
    command = [BENCH / "kernels/build", "--print-compiler"]
    return subprocess.check_output(command, text=True).strip()


def create_all(connection: Connection, folder: Path) -> None:
    for kernel in KERNELS:
        declaration = f"{kernel.name}(integer, integer) RETURNS {kernel.result}"
        library = quoted(str(folder / "kernels.so"))
        connection.run(f"CREATE FUNCTION c_{declaration} LANGUAGE c {PURE} AS {library}")
        create_module(connection, folder, kernel.name)
        export = f"module_{kernel.name}#{kernel.name}"
        connection.run(f"CREATE FUNCTION wasm_{declaration} LANGUAGE wasm {PURE} AS {quoted(export)}")
    for prefix in SLOW.values():
        connection.run((BENCH / f"kernels/{prefix}.sql").read_text())


def compiled(connection: Connection, options: Options) -> dict[Kernel, dict[str, Figure]]:
    """Each round has all kernels; of each, the quiet rounds count."""
    queries = {}
    for kernel in KERNELS:
        pair = {name: kernel.query(name.lower(), kernel.repeated(options)) for name in NATIVE}
        check_same(connection, pair)
        queries |= {(kernel, name): query for name, query in pair.items()}
    figures = time_processor(connection, options.rounds * options.pick(ROUNDS_FACTOR, 1), queries)
    return {kernel: in_quiet_rounds({name: figures[kernel, name] for name in NATIVE}) for kernel in KERNELS}


def interpreted(connection: Connection, kernel: Kernel, options: Options) -> dict[str, Figure]:
    """Measured with fewer repetitions than the others, and given for as many."""
    if kernel.slow == 0:
        return {}
    queries = {name: kernel.query(prefix, kernel.slow) for name, prefix in SLOW.items()}
    check_same(connection, {**queries, "C": kernel.query("c", kernel.slow)})
    factor = kernel.repeated(options) / kernel.slow
    figures = time_processor(connection, options.rounds, queries)
    return {name: figure.scaled(factor) for name, figure in figures.items()}


def goals(rows: list[Row]) -> list[Goal]:
    ratios = {row.name: row.ratio("wasm") for row in rows}
    mean = statistics.geometric_mean(ratios.values())
    worst = max(ratios, key=ratios.get)
    return [
        Goal(
            "geometric mean of the kernels, wasm over C",
            f"≤ {MEAN_GOAL}",
            f"{mean:.2f}",
            mean <= MEAN_GOAL,
        ),
        Goal(
            "worst kernel, wasm over C",
            f"≤ {WORST_GOAL}",
            f"{ratios[worst]:.2f} ({worst})",
            ratios[worst] <= WORST_GOAL,
        ),
    ]


def notes(rows: list[Row]) -> list[str]:
    means = []
    for contestant in ("wasm", *SLOW):
        ratios = [ratio for row in rows if (ratio := row.ratio(contestant)) is not None]
        means.append(f"{contestant} {statistics.geometric_mean(ratios):.3g}")
    return [
        f"Geometric means of the ratios to C: {', '.join(means)}; "
        "those of PL/pgSQL and PL/Python are of the kernels that they have.",
        f"C: gcc -O2. wasm: {guest_compiler()} -O2 with SIMD, from the same source.",
        f"C and wasm: {ROUNDS_FACTOR} times as many rounds, of all kernels; of each kernel the quarter counts in which "
        "the two took least.",
        "PL/pgSQL and PL/Python do the same steps without any library; their times are scaled from fewer repetitions.",
        "Every result is the same in all languages.",
    ]


def measure(server: Server, options: Options) -> list[Section]:
    folder = build(server)
    rows = []
    with server.together(), server.connect() as connection:
        create_all(connection, folder)
        figures = compiled(connection, options)
        for kernel in KERNELS:
            rows.append(Row(kernel.title, figures[kernel] | interpreted(connection, kernel, options)))
    section = Section(
        name="kernels",
        title="Kernels",
        unit="ms of processor time",
        contestants=["C", "wasm", *SLOW],
        rows=rows,
        notes=notes(rows),
        goals=goals(rows),
        chart="ratios",
        logarithmic=True,
    )
    return [section]
