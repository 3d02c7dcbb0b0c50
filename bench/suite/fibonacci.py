"""The table of wasmer-postgres: Fibonacci numbers, against PL/pgSQL.

There PL/pgSQL computes in exact decimals and WebAssembly in 64 bits, so that
results part from n = 94 on.  That table is reproduced, and beside it stands a
fair pair: both in 64 bits, modulo a prime.  C and WebAssembly are compiled from
one source, as the kernels are.
"""

import re
import statistics
from collections.abc import Iterator

from . import kernels
from .libpq import Connection
from .rounds import in_quiet_rounds, in_rounds, interleaved, rotated
from .section import Figure, Goal, Options, Row, Section
from .server import Server, check_same, function_definition

NUMBERS = (50, 500, 5000)
LAST_EQUAL = 93
MODULUS = 1_000_000_007
WARM_UP = 1
# in a session all take turns so often
PARTS = 10
ROUNDS_FACTOR = 8

TRIP = "empty round trip"
EMPTY = "C, empty function"
AS_ORIGINAL = "PL/pgSQL, decimals"
FAIR = "PL/pgSQL, modulo"

# Two variables are assigned at once by SELECT INTO, as in the original.
PLPGSQL_DECIMALS = """
DECLARE
    a decimal := 0;
    b decimal := 1;
    i bigint := 1;
BEGIN
    WHILE i <= n LOOP
        i := i + 1;
        SELECT b, a + b INTO a, b;
    END LOOP;
    RETURN a;
END"""

PLPGSQL_MODULO = f"""
DECLARE
    a bigint := 0;
    b bigint := 1;
    next bigint;
BEGIN
    FOR i IN 1 .. n LOOP
        next := (a + b) % {MODULUS};
        a := b;
        b := next;
    END LOOP;
    RETURN a;
END"""

# contestant -> (language, declaration, body)
FUNCTIONS = {
    "C": ("C", "fib_c(n integer) RETURNS bigint", "c_fibonacci"),
    EMPTY: ("C", "fib_empty(n integer) RETURNS integer", "same"),
    "wasm": ("wasm", "fib_wasm(n integer) RETURNS bigint", "module_fibonacci#fibonacci"),
    AS_ORIGINAL: ("PL/pgSQL", "fib_decimals(n integer) RETURNS decimal", PLPGSQL_DECIMALS),
    "C, modulo": ("C", "fib_modulo_c(n integer) RETURNS bigint", "c_fibonacci_modulo"),
    "wasm, modulo": (
        "wasm",
        "fib_modulo_wasm(n integer) RETURNS bigint",
        "module_fibonacci#fibonacci_modulo",
    ),
    FAIR: ("PL/pgSQL", "fib_modulo_plpgsql(n integer) RETURNS bigint", PLPGSQL_MODULO),
}

# sessions of one language: a library is loaded where it is used
QUICK = [[TRIP, "wasm", "wasm, modulo"], ["C", EMPTY, "C, modulo"]]
SLOW = [[AS_ORIGINAL, FAIR]]


def name_of(contestant: str) -> str:
    return FUNCTIONS[contestant][1].split("(")[0]


def is_slow(contestant: str) -> bool:
    return any(contestant in names for names in SLOW)


def create(server: Server, connection: Connection) -> None:
    folder = kernels.build(server)
    kernels.create_module(connection, folder, "fibonacci")
    for name, (language, declaration, body) in FUNCTIONS.items():
        library = None
        if language == "C":
            library = server.c_library() if name == EMPTY else folder / "kernels.so"
        connection.run(function_definition(language, declaration, body, library=library))


def check(connection: Connection) -> None:
    for n in (0, 1, 2, 50, 92):
        check_same(connection, {c: f"SELECT {name_of(c)}({n})" for c in ("C", "wasm", AS_ORIGINAL)})
    for n in (93, LAST_EQUAL + 1, 500, 5000):
        check_same(connection, {c: f"SELECT {name_of(c)}({n})" for c in ("C", "wasm")})
    for n in (0, 1, 2, *NUMBERS):
        check_same(connection, {c: f"SELECT {name_of(c)}({n})" for c in ("C, modulo", "wasm, modulo", FAIR)})


# --- as a user runs it ---


def statements(server: Server, options: Options, n: int) -> dict[str, Figure]:
    """The quick ones in many sessions, of which the quiet ones count; the slow ones in few."""
    with server.apart():
        quick = in_sessions(server, options, n, QUICK, options.rounds * options.pick(ROUNDS_FACTOR, 1))
        return in_quiet_rounds(quick) | in_sessions(server, options, n, SLOW, options.rounds)


def in_sessions(
    server: Server, options: Options, n: int, groups: list[list[str]], rounds: int
) -> dict[str, Figure]:
    """Each group has sessions of its own."""

    def measure(turn: int) -> dict[str, float]:
        samples = {}
        for names in groups:
            samples |= one_session(server, options, n, rotated(names, turn))
        return samples

    return in_rounds(rounds, measure)


def one_session(server: Server, options: Options, n: int, names: list[str]) -> dict[str, float]:
    """Medians, in microseconds, of many statements of each in one session of psql, by its clock."""
    lines = ["\\timing on"]
    for _ in range(PARTS):
        for name in names:
            repeats = 2 if is_slow(name) and n > NUMBERS[0] else options.pick(30, 3)
            lines += [f"\\echo # {name}"] + [statement(name, n)] * (WARM_UP + repeats)
    times: dict[str, list[float]] = {name: [] for name in names}
    for name, part in timed_parts(server.psql("\n".join(lines) + "\n")):
        times[name] += part
    return {name: 1000 * statistics.median(part) for name, part in times.items()}


def statement(name: str, n: int) -> str:
    return f"SELECT {n};" if name == TRIP else f"SELECT {name_of(name)}({n});"


def timed_parts(output: str) -> Iterator[tuple[str, list[float]]]:
    """The milliseconds that follow each name, without the first."""
    for block in re.split(r"^# ", output, flags=re.MULTILINE)[1:]:
        times = [float(time) for time in re.findall(r"^Time: ([0-9.]+) ms", block, re.MULTILINE)]
        yield block.splitlines()[0], times[WARM_UP:]


def ceiling_goal(rows: list[Row]) -> Goal:
    # pairs of one session: sessions differ by more than the two do
    shares = [(row.figures[TRIP] / row.figures["wasm"]).median for row in rows]
    ceilings = [row.ratio(AS_ORIGINAL, TRIP) for row in rows]
    numbers = ", ".join(map(str, NUMBERS))
    measured = " / ".join(f"{100 * share:.0f} %" for share in shares)
    reached = " / ".join(f"{share * ceiling:.1f} of {ceiling:.1f}" for share, ceiling in zip(shares, ceilings))
    return Goal(
        f"Fibonacci (n = {numbers}) as a user runs it, PL/pgSQL over wasm",
        "≥ 90 % of the ceiling, PL/pgSQL over an empty round trip",
        f"{measured} ({reached})",
        min(shares) >= 0.9,
    )


# --- without the round trip ---


def query(contestant: str, n: int, calls: int) -> str:
    """The argument varies, or the call would be folded into a constant."""
    return f"SELECT sum({name_of(contestant)}({n} + i % 2)) FROM generate_series(1, {calls}) i"


def per_call(connection: Connection, options: Options, n: int) -> dict[str, Figure]:
    measures = {}
    for contestant in FUNCTIONS:
        calls = options.pick(20_000, 1_000) if is_slow(contestant) else options.pick(100_000_000, 500_000)
        calls = min(max(calls // n, 2), 200_000)
        sql = query(contestant, n, calls)
        measures[contestant] = lambda sql=sql, calls=calls: connection.milliseconds(sql) * 1000 / calls
    return interleaved(options.rounds, measures)


def measure(server: Server, options: Options) -> list[Section]:
    with server.connect() as connection:
        create(server, connection)
        check(connection)
        as_run = [Row(f"n = {n}", statements(server, options, n)) for n in NUMBERS]
        calls = [Row(f"n = {n}", per_call(connection, options, n)) for n in NUMBERS]
    user = Section(
        "fibonacci",
        "Fibonacci, as a user runs it",
        "microseconds a statement",
        [TRIP, *FUNCTIONS],
        as_run,
        base="wasm",
        logarithmic=True,
    )
    user.notes = [
        "One statement a round trip, in psql, by its `\\timing`; a round is one session, and its figure the median "
        "of many statements. The empty round trip is `SELECT` of a constant: no function can be faster. Of all but "
        f"PL/pgSQL there are {ROUNDS_FACTOR} times as many rounds; the quarter of them counts in which all "
        "took least. psql runs on one processor and its session on another, as the client of a server does; where "
        "they happen to share one, everything takes a third of the time, but for the work itself.",
        "wasmer-postgres published 0.206, 0.217 and 0.257 ms for itself against 0.431, 2.189 and 18.643 ms "
        "for PL/pgSQL: 2, 10 and 73 times, on another machine.",
        "“PL/pgSQL, decimals” is the original's function: exact decimals, where C and wasm have 64 bits. From "
        "n = 94 on the results differ. “Modulo” is the fair pair: all in bigint, modulo a prime.",
        f"C: gcc -O2. wasm: {kernels.guest_compiler()} -O2, from the same source.",
    ]
    user.goals = [ceiling_goal(as_run)]
    inner = Section(
        "fibonacci-calls",
        "Fibonacci, a call without the round trip",
        "microseconds a call",
        list(FUNCTIONS),
        calls,
        base="wasm",
        logarithmic=True,
    )
    inner.notes = [
        "Many calls in one query over generate_series, which costs most of what the empty function shows; "
        "the argument varies.",
    ]
    return [user, inner]
