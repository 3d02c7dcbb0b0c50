"""Instructions of a warm call, counted: a figure that other work on the machine does not touch.

A server in single-user mode runs the same query over N and over 2 N rows under
callgrind, after both have been run once; what the second counts more is N rows.
It has a cluster of its own, since code must be compiled for the processor that
valgrind emulates.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .calls import WORKS, Work, definition, query, table_definition
from .section import Figure, Options, Row, Section
from .server import Server

NOTHING = "no function"
NATIVE = ("C", "wasm")
COUNTED = [work for work in WORKS if work.name in ("add_integer", "add_bigint", "add_8")]

# without limits of its own, which valgrind would not survive
WRAPPER = """#!/bin/sh
LD_PRELOAD={folder}/unlimited.so exec valgrind --tool=none --quiet --log-file=/dev/null {folder}/wasm-compile "$@"
"""


def table_name(type_name: str, rows: int) -> str:
    return f"{type_name}_{rows}"


@contextmanager
def emulated_compiler(server: Server, folder: Path) -> Iterator[None]:
    """Compiles modules under valgrind, hence for its processor."""
    helper = server.library_folder() / "wasm-compile"
    real = folder / "wasm-compile"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", folder / "unlimited.so", "-x", "c", "-"],
        input="int setrlimit(void) { return 0; }",
        text=True,
        check=True,
    )
    shutil.copy(helper, real)
    replace(helper, WRAPPER.format(folder=folder).encode())
    try:
        yield
    finally:
        replace(helper, real.read_bytes())


def replace(program: Path, content: bytes) -> None:
    program.unlink()
    program.write_bytes(content)
    program.chmod(0o755)


def make_cluster(server: Server, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    server.give(data)
    initdb = [
        server.bin / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-N",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    server.run_as_server(initdb, stdout=subprocess.DEVNULL)


def single_user(server: Server, folder: Path, statements: list[str], *wrapper: str) -> str:
    """Runs statements, of one line each, in a server that is one process; gives what it says on stderr."""
    command = [*wrapper, server.bin / "postgres", "--single", "-D", folder / "data", "postgres"]
    done = server.run_as_server(command, input="\n".join(statements) + "\n", text=True, capture_output=True)
    if re.search(r"^(.* )?(ERROR|FATAL):", done.stderr, re.MULTILINE):
        raise RuntimeError(done.stderr)
    return done.stderr


def counted(server: Server, folder: Path, statements: list[str]) -> int:
    said = single_user(
        server, folder, statements, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"
    )
    return int(re.search(r"Collected : (\d+)", said).group(1))


def a_row(server: Server, folder: Path, rows: int, queries: dict[int, str]) -> float:
    """Instructions a row, from queries over so many rows and twice as many."""
    few, many = queries[rows], queries[2 * rows]
    once = counted(server, folder, [few, many, few])
    twice = counted(server, folder, [few, many, many])
    return (twice - once) / rows


def queries_of(work: Work, contestant: str, rows: int) -> dict[int, str]:
    tables = {count: table_name(work.type, count) for count in (rows, 2 * rows)}
    if contestant == NOTHING:
        return {count: f"SELECT sum(a) FROM {table}" for count, table in tables.items()}
    return {count: query(work, contestant, table) for count, table in tables.items()}


def set_up(server: Server, folder: Path, works: list[Work], rows: int) -> None:
    types = {work.type for work in works}
    tables = [
        table_definition(table_name(name, count), name, count) for name in types for count in (rows, 2 * rows)
    ]
    functions = [definition(server, work, contestant) for work in works for contestant in NATIVE]
    statements = ["CREATE EXTENSION wasm", *functions, *tables, "VACUUM (FREEZE, ANALYZE)"]
    single_user(server, folder, [statement.replace("\n", " ") for statement in statements])


def measure(server: Server, options: Options) -> list[Section]:
    rows = options.pick(10_000, 1_000)
    works = COUNTED[:1] if options.quick else COUNTED
    folder = server.scratch / "instructions"
    make_cluster(server, folder)
    measured = []
    with emulated_compiler(server, folder):
        set_up(server, folder, works, rows)
        for work in works:
            counts = {
                name: a_row(server, folder, rows, queries_of(work, name, rows)) for name in (NOTHING, *NATIVE)
            }
            measured.append(Row(work.title, {name: Figure((count,)) for name, count in counts.items()}))
    section = Section(
        "instructions", "Instructions of a call", "instructions a row", [NOTHING, *NATIVE], measured
    )
    section.notes = [
        "Counted by callgrind, once: the figures do not vary. The whole query, as in the section on calls; "
        "“no function” is sum(a)."
    ]
    return [section]
