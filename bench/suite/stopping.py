"""How soon a function that would run forever ends when it is cancelled."""

import os
import random
import signal
import time

from .libpq import Connection, Error
from .rounds import DISTURBED, interleaved, undisturbed
from .section import Figure, Goal, Options, Row, Section
from .server import Server, function_definition, processor_time

CANCELLED = "57014"
LIMIT = 2.0
# of pg_stat_activity
LOOPING = "state = 'active' AND wait_event IS NULL AND query LIKE '%forever%'"
WAITING = "wait_event = 'ClientRead'"

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


def wait_until(other: Connection, pid: int, condition: str) -> None:
    state = f"SELECT {condition} FROM pg_stat_activity WHERE pid = {pid}"
    while other.value(state) != "t":
        pass


def cancel_once(victim: Connection, other: Connection, statement: str, pause: float) -> tuple[float, float]:
    """Milliseconds from sending the signal to having the error; and those that the processors were elsewhere.

    The loop keeps its processor busy from the statement to the error, and this program its own from
    the signal on: what their clocks lack by the clock on the wall, others had.
    """
    begin, victim_begin = time.perf_counter_ns(), processor_time(victim.pid)
    victim.send(statement)
    wait_until(other, victim.pid, LOOPING)
    # the instant within the loop shall be any
    time.sleep(pause)
    own_begin, start = time.thread_time_ns(), time.perf_counter_ns()
    # what pg_cancel_backend() does
    os.kill(victim.pid, signal.SIGINT)
    victim.watch()
    end, own_end = time.perf_counter_ns(), time.thread_time_ns()
    check_cancelled(victim)
    wait_until(other, victim.pid, WAITING)
    lost = end - begin - (processor_time(victim.pid) - victim_begin) + end - start - (own_end - own_begin)
    return (end - start) / 1e6, lost / 1e6


def check_cancelled(victim: Connection) -> None:
    try:
        victim.receive()
    except Error as error:
        if error.sqlstate != CANCELLED:
            raise
        return
    raise AssertionError("the statement ended")


def observer(server: Server) -> Connection:
    """Who looks whether the loop runs does not wait for the processor of the loop."""
    with server.here():
        return server.connect()


def measure(server: Server, options: Options) -> list[Section]:
    rounds = options.pick(1000, 10)
    pauses = random.Random(1)
    with server.apart(), server.connect() as victim, server.connect() as polling, observer(server) as other:
        statements = create_all(server, other)
        polling.run("LOAD 'wasm'; SET wasm.interruption = 'epoch'")

        def latency(name: str) -> float:
            session = polling if name == POLLING else victim
            return undisturbed(lambda: cancel_once(session, other, statements[name], pauses.uniform(0.001, 0.005)))

        figures = interleaved(rounds, {name: (lambda name=name: latency(name)) for name in statements}, tries=1)
    rows = [percentile_row(figures, percent) for percent in (50, 99)]
    section = Section("stopping", "Stopping an endless loop", "milliseconds", list(figures), rows)
    section.notes = [
        "From the signal that pg_cancel_backend() sends to having the error on the client's connection; "
        f"{rounds} times each, interleaved. The loop has a processor of its own.",
        f"A cancel is repeated where the processors were given to others for more than {DISTURBED} ms, "
        "from the start of the loop to the error.",
        "“Memory”: the loop stores. “Epoch”: `wasm.interruption = 'epoch'`.",
    ]
    worst = max(figures[name].percentile(99) for name in ("wasm", BUSY))
    section.goals = [Goal("cancel of a running loop", "p99 ≤ 2 ms", f"{worst:.2f} ms", worst <= LIMIT)]
    return [section]


def percentile_row(figures: dict[str, Figure], percent: int) -> Row:
    return Row(
        f"p{percent}", {name: Figure((figure.percentile(percent),)) for name, figure in figures.items()}
    )
