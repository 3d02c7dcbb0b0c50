"""What it costs to pass a text and get it back."""

from .calls import NATIVE
from .section import Figure, Options, Row, Section
from .server import LANGUAGES, PURE, Server, check_same, function_definition, time_queries

# what passes no text at all: the query without a function
QUERY = "no function"
# bytes -> calls in a query
SIZES = {10: 200_000, 1_000: 100_000, 100_000: 2_000}

# Returns the text where it has got it; cabi_post_echo makes the memory free.
WAT = """(module
    (memory (export "memory") 4)
    (global $heap (mut i32) (i32.const 16))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $heap)
        (global.set $heap (i32.add (global.get $heap) (local.get 3))))
    (func (export "echo") (param i32 i32) (result i32)
        (i32.store (i32.const 0) (local.get 0))
        (i32.store (i32.const 4) (local.get 1))
        (i32.const 0))
    (func (export "cabi_post_echo") (param i32) (global.set $heap (i32.const 16))))"""

BODIES = {
    "C": "echo",
    "wasm": f";; export: echo\n{WAT}",
    "PL/pgSQL": "BEGIN RETURN t; END",
    "PL/Python": "return t",
    "PL/Perl": "return $_[0];",
    "PL/Tcl": "return $1",
}


def query(function: str, size: int, calls: int) -> str:
    """The text is made once; OFFSET keeps the planner from making a constant of it."""
    text = f"(SELECT repeat('x', {size}) AS t OFFSET 0) s"
    return f"SELECT sum(octet_length({function}(t))) FROM generate_series(1, {calls}) i, {text}"


def measure(server: Server, options: Options) -> list[Section]:
    contestants = NATIVE if options.native else list(BODIES)
    with server.connect() as connection:
        names = {QUERY: ""}
        for contestant in contestants:
            name = names[contestant] = f"echo_{LANGUAGES[contestant]}"
            library = server.c_library() if contestant == "C" else None
            declaration = f"{name}(t text) RETURNS text"
            connection.run(function_definition(contestant, declaration, BODIES[contestant], PURE, library))
        rows = []
        for size, most in SIZES.items():
            calls = options.pick(most, most // 50)
            queries = {contestant: query(name, size, calls) for contestant, name in names.items()}
            check_same(connection, queries)
            times = time_queries(connection, options.rounds, queries)
            rows.append(Row(f"{size} bytes", net_of_query(times, 1e6 / calls)))
    section = Section(
        "texts", "A text in and out", "nanoseconds a call", contestants, rows, heading="text", logarithmic=True
    )
    section.notes = [
        "A function that returns its argument, over generate_series; what the query takes without a function is "
        "taken off, round by round. In wasm the text is copied into the guest's memory and out of it.",
    ]
    return [section]


def net_of_query(times: dict[str, Figure], factor: float) -> dict[str, Figure]:
    base = times[QUERY].samples
    return {
        contestant: Figure(tuple(factor * (sample - without) for sample, without in zip(figure.samples, base)))
        for contestant, figure in times.items()
        if contestant != QUERY
    }
