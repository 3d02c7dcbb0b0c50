"""What the first call of a session costs, and what compiling does."""

import hashlib
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import modules
from .calls import WORKS, definition, function_name
from .rounds import interleaved
from .section import Figure, Goal, Options, Row, Section
from .server import BENCH, LANGUAGES, TOP, Server, function_definition

# title -> bytes
SIZES = {"200 bytes": 200, "500 kB": 500_000, "10 MB": 10_000_000}
# contestant -> its library; the others are measured beside wasm
LIBRARIES = {"PL/pgSQL": "plpgsql", "PL/Python": "plpython3", "PL/Perl": "plperl", "PL/Tcl": "pltcl"}
NOTHING = "no function"
ADD = next(work for work in WORKS if work.name == "add_bigint")

MEGABYTE = 1 << 20
FIRST_LIMIT, PRELOADED_LIMIT, OVER_ENGINE = 1.5, 0.6, 0.5


@dataclass(frozen=True)
class Compiled:
    """A module in the cache: milliseconds to create it, of which compiling, and its artifact."""

    created: Figure
    compiling: Figure
    artifact: Path
    bytes: int


# figures of first and of second calls, by contestant
Pair = tuple[dict[str, Figure], dict[str, Figure]]


def contestant(title: str) -> str:
    return f"wasm, {title}"


# --- creating modules ---


def create_module(server: Server, name: str, size: int, mark: str) -> tuple[float, float, Path]:
    """Milliseconds to create, of which compiling; and the artifact.

    The mark keeps the cache from knowing the module.
    """
    module = modules.module(size, mark)
    digest = hashlib.sha256(module).hexdigest()
    with server.connect() as connection:
        connection.run("SELECT wasm.version()")
        connection.run("SET wasm.compile_timeout = '10min'")
        statement = f"SELECT wasm.create_module('{name}', '\\x{module.hex()}', replace => true)"
        created = connection.milliseconds(statement)
        compiling = float(connection.value(f"SELECT compile_ms FROM wasm.cache() WHERE sha256 = '{digest}'"))
    return created, compiling, next((server.data / "pgsql_tmp_wasm").glob(f"{digest}-*"))


def compile_all(server: Server, options: Options) -> dict[str, Compiled]:
    rounds = min(options.rounds, options.pick(3, 1))
    samples = {
        title: [create_module(server, f"start_{size}", size, f"round {turn}") for turn in range(rounds)]
        for title, size in SIZES.items()
    }
    compiled = {}
    for title, made in samples.items():
        created, compiling, artifacts = zip(*made)
        compiled[title] = Compiled(
            Figure(created), Figure(compiling), artifacts[-1], artifacts[-1].stat().st_size
        )
    return compiled


def bind(server: Server) -> dict[str, str]:
    """contestant -> its first statement"""
    calls = {NOTHING: "SELECT 3"}
    with server.connect() as connection:
        connection.run("CREATE SCHEMA start; SET search_path = start, public")
        for language in LANGUAGES:
            if language != "wasm":
                connection.run(definition(server, ADD, language))
                calls[language] = f"SELECT start.{function_name(ADD, language)}(1, 2)"
        for title, size in SIZES.items():
            declaration = f"start_add_{size}(bigint, bigint) RETURNS bigint"
            connection.run(function_definition("wasm", declaration, f"public.start_{size}#add"))
            calls[contestant(title)] = f"SELECT start.start_add_{size}(1, 2)"
    return calls


# --- first calls ---


def first_and_second(server: Server, statement: str) -> tuple[float, float]:
    with server.connect() as connection:
        return connection.milliseconds(statement), connection.milliseconds(statement)


def sessions(server: Server, options: Options, calls: dict[str, str]) -> Pair:
    """Milliseconds of the first call and of the second, in fresh sessions."""
    repeats = options.pick(9, 3)
    second: dict[str, list[float]] = {name: [] for name in calls}

    def typical(name: str) -> float:
        pairs = [first_and_second(server, calls[name]) for _ in range(repeats)]
        second[name].append(statistics.median(pair[1] for pair in pairs))
        return statistics.median(pair[0] for pair in pairs)

    with server.connect() as connection:
        # earlier than that, no mark of a verified artifact counts
        connection.run("SELECT pg_sleep_until(pg_postmaster_start_time() + interval '2 s')")
    for statement in calls.values():
        first_and_second(server, statement)
    first = interleaved(options.rounds, {name: (lambda name=name: typical(name)) for name in calls})
    return first, {name: Figure(tuple(values)) for name, values in second.items()}


def preloaded_sessions(server: Server, options: Options, calls: dict[str, str]) -> Pair:
    """Each with its own library alone: a process with more mapped takes longer to fork and to touch."""
    first, second = {}, {}
    for library in ("wasm", *LIBRARIES.values()):
        server.configure({"shared_preload_libraries": library})
        chosen = {name: call for name, call in calls.items() if LIBRARIES.get(name, "wasm") == library}
        for all_figures, figures in zip((first, second), sessions(server, options, chosen)):
            all_figures.update(figures)
    server.configure({"shared_preload_libraries": None})
    return first, second


# --- the engine alone ---


def build_deserialize(server: Server) -> Path:
    engine = Path(os.environ["engine"])
    runtime = engine / "lib/libwasmtime-runtime.a"
    library = "wasmtime-runtime" if runtime.exists() else "wasmtime"
    program = server.scratch / "deserialize"
    sources = [BENCH / "suite/deserialize.c", TOP / "src/engine/config.c"]
    command = ["gcc", "-O2", f"-I{TOP}/src", f"-I{engine}/include", "-o", program, *sources]
    command += [
        f"-L{engine}/lib",
        f"-Wl,-rpath,{engine}/lib",
        f"-l{library}",
        "-lm",
        "-lpthread",
        "-ldl",
        "-lrt",
    ]
    subprocess.run([str(word) for word in command], check=True)
    return program


def engine_alone(server: Server, options: Options, compiled: dict[str, Compiled]) -> dict[str, Figure]:
    program = build_deserialize(server)

    def load(artifact: Path) -> float:
        return float(subprocess.check_output([program, artifact], text=True))

    loads = {title: (lambda artifact=module.artifact: load(artifact)) for title, module in compiled.items()}
    return interleaved(options.rounds * 3, loads)


# --- results ---


def limits(module: Compiled, engine: float) -> tuple[float, float]:
    """Not preloaded and preloaded, in milliseconds."""
    if module.bytes <= MEGABYTE:
        return FIRST_LIMIT, PRELOADED_LIMIT
    return max(FIRST_LIMIT, engine + OVER_ENGINE), max(PRELOADED_LIMIT, engine + OVER_ENGINE)


def goal(compiled: dict[str, Compiled], engine: dict[str, Figure], cold: Row, preloaded: Row) -> Goal:
    measured, met = [], True
    for title, module in compiled.items():
        took = [row.figures[contestant(title)].median for row in (cold, preloaded)]
        allowed = limits(module, engine[title].median)
        met = met and all(time <= limit for time, limit in zip(took, allowed))
        measured.append(
            f"artifact of {module.bytes / MEGABYTE:.2f} MB: {took[0]:.2f} / {took[1]:.2f} ms "
            f"(at most {allowed[0]:.2f} / {allowed[1]:.2f})"
        )
    return Goal(
        "first call in a fresh session, warm cache, not preloaded / preloaded",
        "≤ 1.5 ms / ≤ 0.6 ms for artifacts up to 1 MB; above, the engine's own deserialisation time + 0.5 ms",
        "; ".join(measured),
        met,
    )


def first_calls_section(options: Options, rows: list[Row], calls: dict[str, str]) -> Section:
    section = Section(
        "start", "First call in a fresh session", "milliseconds", list(calls), rows, logarithmic=True
    )
    section.notes = [
        "The first statement of a new connection, without the time to connect; compiled modules are in the cache. "
        f"A round is the median of {options.pick(9, 3)} sessions.",
        "Preloaded: the language's library, alone, is in `shared_preload_libraries`; for C and SQL that of wasm.",
        "What a session's first statement costs in any case is the column “no function”.",
    ]
    return section


def compile_section(compiled: dict[str, Compiled], engine: dict[str, Figure]) -> Section:
    rows = [
        Row(
            f"{title} (artifact {module.bytes / MEGABYTE:.2f} MB)",
            {
                "creating the module": module.created,
                "of that, compiling": module.compiling,
                "loading the artifact, engine alone": engine[title],
            },
        )
        for title, module in compiled.items()
    ]
    section = Section(
        "compile", "Compiling a module", "milliseconds", list(rows[0].figures), rows, logarithmic=True
    )
    section.notes = [
        "`wasm.create_module` with bytes that the cache does not know: sent, compiled, stored. "
        "Each figure is the median of at most 3 rounds.",
        "The engine alone: `wasmtime_module_deserialize_file` in a fresh process.",
    ]
    return section


def measure(server: Server, options: Options) -> list[Section]:
    compiled = compile_all(server, options)
    calls = bind(server)
    engine = engine_alone(server, options, compiled)
    first, second = sessions(server, options, calls)
    first_preloaded, second_preloaded = preloaded_sessions(server, options, calls)
    rows = [
        Row("first call", first),
        Row("first call, preloaded", first_preloaded),
        Row("second call", second),
        Row("second call, preloaded", second_preloaded),
    ]
    section = first_calls_section(options, rows, calls)
    section.goals = [goal(compiled, engine, rows[0], rows[1])]
    return [section, compile_section(compiled, engine)]
