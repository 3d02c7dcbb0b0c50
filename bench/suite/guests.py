"""What the first call costs of components that bring an interpreter along: those of the guides."""

import subprocess
from pathlib import Path

from .section import Figure, Goal, Options, Row, Section
from .server import TOP, Server
from .start import sessions

FIRST_LIMIT = 12.0

# contestant -> the script of tools/guests, the parameters of a function and its name, a call of it
GUESTS = {
    "JavaScript": (
        "javascript",
        "(text, text[]) RETURNS text",
        "example:urls/urls#canonical",
        "('https://example.com/a/../b?y=2&x=1', '{}')",
    ),
    "Python": (
        "python",
        "(text, text) RETURNS text",
        "example:similarity/similarity#changes",
        "('one', 'two')",
    ),
}


def build(server: Server, script: str) -> Path:
    component = server.scratch / f"{script}.wasm"
    subprocess.run([TOP / "tools/guests" / script, component], check=True, stdout=subprocess.DEVNULL)
    component.chmod(0o644)
    return component


def create(server: Server, guest: str) -> str:
    """The statement that calls it."""
    script, parameters, export, arguments = GUESTS[guest]
    module = f"guest_{script}"
    with server.connect() as connection:
        connection.run("SELECT wasm.version()")
        connection.run("SET wasm.compile_timeout = '10min'")
        connection.run(f"SELECT wasm.create_module('{module}', pg_read_binary_file('{build(server, script)}'))")
        connection.run(f"ALTER FUNCTION {module}() SET wasm.memory_limit = '192MB'")
        connection.run(f"CREATE FUNCTION {script}_call{parameters} LANGUAGE wasm AS '{module}#{export}'")
    return f"SELECT {script}_call{arguments}"


def goal(first: Row) -> Goal:
    took = {guest: first.figures[guest].median for guest in GUESTS}
    return Goal(
        f"first call of a component in {' and in '.join(GUESTS)}, fresh session, warm cache",
        f"≤ {FIRST_LIMIT:.0f} ms each",
        "; ".join(f"{milliseconds:.1f} ms" for milliseconds in took.values()),
        all(milliseconds <= FIRST_LIMIT for milliseconds in took.values()),
    )


def measure(server: Server, options: Options) -> list[Section]:
    calls = {guest: create(server, guest) for guest in GUESTS}
    first, second = sessions(server, options, calls)
    section = Section(
        "guests",
        "Calls of components with an interpreter",
        "milliseconds",
        list(GUESTS),
        [Row("first call of a session", first), Row("second call", second)],
        base="JavaScript",
        logarithmic=True,
    )
    section.notes = [
        "The components of the guides to these languages, of 12 and 18 MB; compiled, they are in the cache. A round is "
        f"the median of {options.pick(9, 3)} fresh sessions of a server that does not preload the library.",
    ]
    section.goals = [goal(section.rows[0])]
    return [section]
