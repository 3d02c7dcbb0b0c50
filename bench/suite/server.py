"""The scratch server: connections, functions in each language, restarts."""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .libpq import Connection
from .rounds import TRIES, Name, interleaved
from .section import Figure

BENCH = Path(__file__).resolve().parent.parent
TOP = BENCH.parent
DATABASE = "bench"

# contestant -> language
LANGUAGES = {
    "C": "c",
    "wasm": "wasm",
    "SQL": "sql",
    "PL/pgSQL": "plpgsql",
    "PL/Python": "plpython3u",
    "PL/Perl": "plperl",
    "PL/Tcl": "pltcl",
}

PURE = "IMMUTABLE STRICT PARALLEL SAFE COST 1"

# For every session: nothing but the functions shall differ.
SESSION = {"jit": "off", "max_parallel_workers_per_gather": "0"}


class Server:
    """The cluster that bench/run has started."""

    def __init__(self) -> None:
        lines = subprocess.check_output([TOP / "tools/scratch", "env"], text=True)
        env = dict(word.split("=", 1) for word in shlex.split(lines))
        self.scratch = Path(env["scratch"])
        self.data = self.scratch / "data"
        self.bin = Path(env["private_bin"])
        self.socket = env["socket"]
        self.user = env["user"]
        self._library: Path | None = None

    def connect(self, database: str = DATABASE) -> Connection:
        """A fresh session."""
        return Connection(f"host={self.socket} user=postgres dbname={database}")

    def prepare(self) -> None:
        """Makes the database, with all languages, and the settings of the suite."""
        self.configure({"shared_buffers": "2GB", "max_wal_size": "4GB", "autovacuum": "off"})
        with self.connect("postgres") as connection:
            connection.run(f"CREATE DATABASE {DATABASE}")
            for name, value in SESSION.items():
                connection.run(f"ALTER DATABASE {DATABASE} SET {name} = {value}")
        with self.connect() as connection:
            connection.run("CREATE EXTENSION wasm")
            for extension in ("plpython3u", "plperl", "pltcl"):
                connection.run(f"CREATE EXTENSION {extension}")

    def configure(self, settings: dict[str, str | None]) -> None:
        """Sets settings of the cluster, None for the default, lists with commas, and restarts it."""
        with self.connect("postgres") as connection:
            for name, value in settings.items():
                if value is None:
                    connection.run(f"ALTER SYSTEM RESET {name}")
                else:
                    items = ", ".join(quoted(item.strip()) for item in value.split(","))
                    connection.run(f"ALTER SYSTEM SET {name} = {items}")
        self.restart()

    def restart(self) -> None:
        pg_ctl = [
            self.bin / "pg_ctl",
            "-D",
            self.data,
            "-l",
            self.scratch / "log",
            "-m",
            "fast",
            "-w",
            "restart",
        ]
        self.run_as_server(pg_ctl, stdout=subprocess.DEVNULL)

    def psql(self, script: str) -> str:
        """What psql prints for a script; its statements must succeed."""
        command = [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", self.socket, "-U", "postgres", "-d", DATABASE]
        return subprocess.run(command, input=script, check=True, text=True, stdout=subprocess.PIPE).stdout

    @contextmanager
    def apart(self) -> Iterator[None]:
        """This program, and what it runs, has a processor of its own; new sessions run on others, if there are."""
        every = os.sched_getaffinity(0)
        first = {min(every)}
        with on_processors(self.postmaster(), every - first or every), on_processors(0, first):
            yield

    @contextmanager
    def here(self) -> Iterator[None]:
        """New sessions run where this program runs."""
        with on_processors(self.postmaster(), os.sched_getaffinity(0)):
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """This program and new sessions share one processor: while the one runs, the others do not."""
        with on_processors(0, {min(os.sched_getaffinity(0))}), self.here():
            yield

    def postmaster(self) -> int:
        """Its process."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def run_as_server(self, command: Iterable, **options) -> subprocess.CompletedProcess:
        """Runs a program as the user that runs the server; it must succeed."""
        words = [str(word) for word in command]
        if os.geteuid() == 0:
            words = ["runuser", "-u", self.user, "--", *words]
        return subprocess.run(words, cwd=self.scratch, check=True, **options)

    def give(self, path: Path) -> None:
        """To the user that runs the server."""
        if os.geteuid() == 0:
            shutil.chown(path, self.user)

    def library_folder(self) -> Path:
        """Where the scratch server has its libraries, and the program that compiles modules."""
        folder = subprocess.check_output([pg_config(), "--pkglibdir"], text=True).strip()
        return Path(f"{self.scratch}/root{folder}")

    def compile_library(self, name: str, sources: list[Path], flags: Iterable[str] = ()) -> Path:
        """Compiles C with the server's headers, gcc -O2, into a library for LANGUAGE c."""
        library = self.scratch / f"{name}.so"
        includes = subprocess.check_output([pg_config(), "--includedir-server"], text=True).strip()
        command = [
            "gcc",
            "-O2",
            "-Wall",
            "-fPIC",
            "-shared",
            f"-I{includes}",
            *flags,
            "-o",
            library,
            *sources,
        ]
        subprocess.run([str(word) for word in command], check=True)
        library.chmod(0o755)
        return library

    def c_library(self) -> Path:
        """functions.c, compiled once."""
        if self._library is None:
            self._library = self.compile_library("functions", [BENCH / "suite/functions.c"])
        return self._library


@contextmanager
def on_processors(process: int, processors: set[int]) -> Iterator[None]:
    """A process, 0 is this one, runs on these, as do the processes that it starts meanwhile."""
    before = os.sched_getaffinity(process)
    os.sched_setaffinity(process, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(process, before)


def pg_config() -> str:
    return os.environ.get("pg_config", "pg_config")


def quoted(text: str) -> str:
    """An SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def function_definition(
    contestant: str, declaration: str, body: str, attributes: str = PURE, library: Path | None = None
) -> str:
    """The statement that makes a function.

    contestant: a language, and perhaps a variant of it after a comma. declaration: name,
    arguments and result. In C, body is the symbol in the library.
    """
    language = LANGUAGES[contestant.split(",")[0]]
    source = quoted(body) if library is None else f"{quoted(str(library))}, {quoted(body)}"
    return f"CREATE FUNCTION {declaration} LANGUAGE {language} {attributes} AS {source}"


def check_same(connection: Connection, queries: dict[str, str]) -> None:
    """All queries must have the same result: only equal work is compared."""
    results = {name: connection.rows(query) for name, query in queries.items()}
    distinct = {str(rows) for rows in results.values()}
    if len(distinct) > 1:
        raise AssertionError(f"results differ: {results}")


def time_queries(connection: Connection, rounds: int, queries: dict[str, str]) -> dict[str, Figure]:
    """Milliseconds of each query, in interleaved rounds."""
    measures: dict[str, Callable[[], float]] = {
        name: (lambda query=query: connection.milliseconds(query)) for name, query in queries.items()
    }
    return interleaved(rounds, measures)


def processor_time(process: int) -> int:
    """What a process has taken so far, in nanoseconds.

    Of one that runs meanwhile, what it has taken since the last tick of the clock is left out.
    """
    # the clock of clock_getcpuclockid(3)
    return time.clock_gettime_ns(~process << 3 | 2)


def time_processor(
    connection: Connection, rounds: int, queries: dict[Name, str], tries: int = TRIES
) -> dict[Name, Figure]:
    """Milliseconds of the backend's processor time for each query, in interleaved rounds.

    For work that only computes: others may compute as well. The session shares its processor
    with this program (Server.together), and has been switched out when it has answered.
    """

    def milliseconds(query: str) -> float:
        start = processor_time(connection.pid)
        connection.run(query)
        return (processor_time(connection.pid) - start) / 1e6

    measures = {name: lambda query=query: milliseconds(query) for name, query in queries.items()}
    return interleaved(rounds, measures, tries)
