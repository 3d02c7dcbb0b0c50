"""What becomes of the figures with more rows, workers, clients and backends."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .calls import NATIVE, WORKS, create_table, definition, query
from .libpq import Connection
from .rounds import interleaved
from .section import Goal, Options, Row, Section
from .server import DATABASE, LANGUAGES, Server, check_same, time_queries

ADD = next(work for work in WORKS if work.name == "add_bigint")
SERVED = ("C", "wasm", "PL/pgSQL")
CLIENTS = (1, 2, 8, 32, 100)
WORKERS = (0, 1, 2)
SCHEMA = "scale"
MEMORY_LIMIT_KB = 2048
# queries of parallel workers are quick
WORKERS_ROUNDS_FACTOR = 3


def connect(server: Server) -> Connection:
    connection = server.connect()
    connection.run(f"SET search_path = {SCHEMA}, public")
    return connection


def create_all(server: Server, options: Options) -> tuple[int, int]:
    """The functions, and two tables; gives their rows."""
    small, large = options.pick(1_000_000, 20_000), options.pick(10_000_000, 200_000)
    with server.connect() as connection:
        connection.run(f"CREATE SCHEMA {SCHEMA}")
    with connect(server) as connection:
        for contestant in LANGUAGES:
            connection.run(definition(server, ADD, contestant))
        create_table(connection, "small", "bigint", small)
        create_table(connection, "large", "bigint", large)
        connection.run("CREATE TABLE account (id integer PRIMARY KEY, balance bigint)")
        connection.run("INSERT INTO account SELECT i, i * 7 FROM generate_series(1, 100000) i")
        connection.run("VACUUM (FREEZE, ANALYZE) account")
    return small, large


# --- rows ---


def rows_section(server: Server, options: Options) -> Section:
    small, large = create_all(server, options)
    sizes = {f"{small} rows": "small", f"{large} rows": "large"}
    measured = []
    with connect(server) as connection:
        for title, table in sizes.items():
            queries = {contestant: query(ADD, contestant, table) for contestant in NATIVE}
            check_same(connection, queries)
            measured.append(Row(title, time_queries(connection, options.rounds, queries)))
    section = Section("rows", "Ten times the rows", "milliseconds", list(NATIVE), measured)
    growth = {name: measured[1].figures[name].median / measured[0].figures[name].median for name in NATIVE}
    more = measured[1].figures["wasm"].median - measured[1].figures["C"].median
    section.notes = [
        "sum(f(a, b)) of two bigint. Ten times the rows take "
        f"{growth['C']:.2f} times the time in C and {growth['wasm']:.2f} times in wasm.",
        f"Over the larger table, a call costs {more * 1e6 / large:.1f} ns more in wasm than in C.",
    ]
    return section


# --- workers ---


def parallel_session(server: Server, workers: int) -> Connection:
    connection = connect(server)
    for setting in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
        connection.run(f"SET {setting} = 0")
    connection.run(f"SET max_parallel_workers_per_gather = {workers}")
    plan = "\n".join(row[0] for row in connection.rows(f"EXPLAIN {query(ADD, 'wasm', 'large')}"))
    planned = re.search(r"Workers Planned: (\d+)", plan)
    if int(planned.group(1) if planned else 0) != workers:
        raise AssertionError(f"{workers} workers were to be planned:\n{plan}")
    return connection


def workers_section(server: Server, options: Options) -> Section:
    with connect(server) as connection:
        connection.run(f"ALTER TABLE large SET (parallel_workers = {max(WORKERS)})")
    sessions = {workers: parallel_session(server, workers) for workers in WORKERS}
    measures = {
        (workers, name): (lambda session=session, sql=query(ADD, name, "large"): session.milliseconds(sql))
        for workers, session in sessions.items()
        for name in NATIVE
    }
    figures = interleaved(options.rounds * options.pick(WORKERS_ROUNDS_FACTOR, 1), measures)
    for session in sessions.values():
        session.close()
    rows = [Row(str(workers), {name: figures[workers, name] for name in NATIVE}) for workers in WORKERS]
    section = Section("workers", "Parallel query", "milliseconds", list(NATIVE), rows, heading="workers")
    gains = {name: rows[0].figures[name] / rows[-1].figures[name] for name in NATIVE}
    section.notes = [
        "The larger table; the workers are besides the session itself. "
        f"Two workers: {gains['C'].median:.2f} times as fast in C, {gains['wasm'].median:.2f} times in wasm."
    ]
    share = (gains["wasm"] / gains["C"]).median
    section.goals = [
        Goal(
            "two parallel workers over none",
            "≥ 95 % of C's own speed-up",
            f"{100 * share:.0f} % ({gains['wasm'].median:.2f} of {gains['C'].median:.2f})",
            share >= 0.95,
        )
    ]
    return section


# --- clients ---


def transactions_per_second(server: Server, script: Path, clients: int, seconds: int) -> float:
    command = [server.bin / "pgbench", "-n", "-M", "prepared", "-h", server.socket, "-U", "postgres"]
    command += ["-c", clients, "-j", min(clients, 2), "-T", seconds, "-f", script, DATABASE]
    output = subprocess.run(
        [str(word) for word in command], check=True, text=True, capture_output=True
    ).stdout
    return float(re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE).group(1))


def client_script(server: Server, contestant: str) -> Path:
    call = f"{SCHEMA}.{ADD.name}_{LANGUAGES[contestant]}(balance, :n)"
    script = server.scratch / f"clients-{LANGUAGES[contestant]}.sql"
    script.write_text(f"\\set n random(1, 100000)\nSELECT {call} FROM {SCHEMA}.account WHERE id = :n;\n")
    return script


def clients_section(server: Server, options: Options) -> Section:
    scripts = {contestant: client_script(server, contestant) for contestant in SERVED}
    seconds, rounds = options.pick(5, 1), min(options.rounds, options.pick(3, 1))
    measured = []
    for clients in CLIENTS:
        measures = {
            name: (lambda script=script: transactions_per_second(server, script, clients, seconds))
            for name, script in scripts.items()
        }
        measured.append(Row(str(clients), interleaved(rounds, measures)))
    section = Section(
        "clients",
        "Clients",
        "transactions a second",
        list(SERVED),
        measured,
        chart="lines",
        heading="clients",
    )
    section.notes = [
        "Clients of pgbench; each transaction is one prepared SELECT of a row by its primary key, with one call. "
        f"{rounds} rounds of {seconds} seconds; pgbench runs on the same machine."
    ]
    return section


# --- memory ---


def private_dirty_kb(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return float(re.search(r"^Private_Dirty:\s*(\d+) kB", text, re.MULTILINE).group(1))


def growth_of_session(server: Server, statement: str) -> float:
    """kB, of a session that has already run a statement."""
    with connect(server) as connection:
        connection.run("SELECT 1")
        before = private_dirty_kb(connection.pid)
        connection.run(statement)
        return private_dirty_kb(connection.pid) - before


def memory_row(server: Server, options: Options, title: str, languages: Iterable[str]) -> Row:
    statements = {name: f"SELECT {ADD.name}_{LANGUAGES[name]}(1, 2)" for name in languages}
    with connect(server) as other:
        # shared memory that only one process has touched would count as private
        for statement in statements.values():
            other.run(statement)
        measures = {
            name: (lambda sql=sql: growth_of_session(server, sql)) for name, sql in statements.items()
        }
        return Row(title, interleaved(options.rounds, measures))


def memory_section(server: Server, options: Options) -> Section:
    rows = [memory_row(server, options, "not preloaded", LANGUAGES)]
    server.configure({"shared_preload_libraries": "wasm"})
    rows.append(memory_row(server, options, "wasm preloaded", NATIVE))
    server.configure({"shared_preload_libraries": None})
    section = Section("memory", "Private memory of a backend", "kB", list(LANGUAGES), rows)
    section.notes = [
        "Private_Dirty in smaps_rollup after the first call of a small function, minus before; the compiled module "
        "is in the cache."
    ]
    most = max(row.figures["wasm"].median for row in rows)
    text = "Private_Dirty of a backend, after minus before the first call of a small module"
    section.goals = [Goal(text, "≤ 2 MB", f"{most / 1024:.2f} MB", most <= MEMORY_LIMIT_KB)]
    return section


def measure(server: Server, options: Options) -> list[Section]:
    return [
        rows_section(server, options),
        workers_section(server, options),
        clients_section(server, options),
        memory_section(server, options),
    ]
