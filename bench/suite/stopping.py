"""How soon a function that would run forever ends when it is cancelled."""

import random
import time

from .libpq import Connection, Error
from .rounds import interleaved
from .section import Figure, Goal, Options, Row, Section
from .server import Server, function_definition

CANCELLED = "57014"
# in a round each is cancelled so often: what the host steals is counted in ticks of 10 ms
BLOCK = 10
TRIES = 3
LIMIT = 2.0

FUNCTIONS = {
    "C": "forever",
    "wasm": '(module (func (export "f") (loop (br 0))))',
    "PL/pgSQL": "BEGIN LOOP END LOOP; END",
}
# what is at work in the loop's body: no loop of a real guest is empty
BUSY = "wasm, memory"
POLLING = "wasm, memory, epoch"
BUSY_BODY = """(module (memory 1) (func (export "f") (local $i i32)
    (loop $again
        (i32.store (i32.and (local.get $i) (i32.const 0xfffc)) (local.get $i))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br $again))))"""


def create_all(server: Server, connection: Connection) -> dict[str, str]:
    """contestant -> the statement that runs forever"""
    statements: dict[str, str] = {}
    for number, (name, body) in enumerate({**FUNCTIONS, BUSY: BUSY_BODY}.items()):
        language = name.split(",")[0]
        library = server.c_library() if language == "C" else None
        connection.run(
            function_definition(language, f"forever_{number}() RETURNS void", body, "VOLATILE", library)
        )
        statements[name] = f"SELECT forever_{number}()"
    statements[POLLING] = statements[BUSY]
    return statements


def wait_until_active(other: Connection, pid: int) -> None:
    condition = "state = 'active' AND wait_event IS NULL AND query LIKE '%forever%'"
    state = f"SELECT {condition} FROM pg_stat_activity WHERE pid = {pid}"
    while other.value(state) != "t":
        pass


def cancel_once(victim: Connection, other: Connection, statement: str, pause: float) -> float:
    """Milliseconds from sending pg_cancel_backend to having the error."""
    victim.send(statement)
    wait_until_active(other, victim.pid)
    # the instant within the loop shall be any
    time.sleep(pause)
    start = time.perf_counter_ns()
    other.run(f"SELECT pg_cancel_backend({victim.pid})")
    try:
        victim.receive()
    except Error as error:
        if error.sqlstate != CANCELLED:
            raise
        return (time.perf_counter_ns() - start) / 1e6
    raise AssertionError("the statement ended")


def canceller(server: Server) -> Connection:
    """Who cancels does not wait for the processor of the loop."""
    with server.here():
        return server.connect()


def measure(server: Server, options: Options) -> list[Section]:
    rounds = options.pick(100, 1)
    pauses = random.Random(1)
    with server.apart(), server.connect() as victim, server.connect() as polling, canceller(server) as other:
        statements = create_all(server, other)
        polling.run("LOAD 'wasm'; SET wasm.interruption = 'epoch'")

        def latency(name: str) -> float:
            session = polling if name == POLLING else victim
            return cancel_once(session, other, statements[name], pauses.uniform(0.005, 0.015))

        measures = {(name, i): (lambda name=name: latency(name)) for i in range(BLOCK) for name in statements}
        latencies = interleaved(rounds, measures, TRIES)
    figures = {
        name: Figure(tuple(sample for i in range(BLOCK) for sample in latencies[name, i].samples)) for name in statements
    }
    rows = [percentile_row(figures, percent) for percent in (50, 99)]
    section = Section("stopping", "Stopping an endless loop", "milliseconds", list(figures), rows)
    section.notes = [
        f"From sending pg_cancel_backend on another connection to having the error; {rounds * BLOCK} times each, interleaved. "
        "The loop has a processor of its own.",
        "“Memory”: the loop stores. “Epoch”: `wasm.interruption = 'epoch'`.",
    ]
    worst = max(figures[name].percentile(99) for name in ("wasm", BUSY))
    section.goals = [Goal("cancel of a running loop", "p99 ≤ 2 ms", f"{worst:.2f} ms", worst <= LIMIT)]
    return [section]


def percentile_row(figures: dict[str, Figure], percent: int) -> Row:
    return Row(
        f"p{percent}", {name: Figure((figure.percentile(percent),)) for name, figure in figures.items()}
    )
