"""What it costs to pass values and get them back: a number, texts, a row, and what a query finds."""

from dataclasses import dataclass

from .section import Figure, Goal, Options, Row, Section
from .server import LANGUAGES, PURE, Server, check_same, function_definition, time_processor

# what passes no value at all: the query without a function
QUERY = "no function"
COMPONENT = "wasm, component"
STABLE = "STABLE STRICT COST 1"
# nanoseconds that a call of a component may take
CALL_LIMIT = 400
TEXT_LIMIT = 1000
NATIVE = ("C", "wasm", COMPONENT)

# A heap that is empty again after each call, as much of the ABI as there is to echo
# (pointer, length), and to echo a row (integer, pointer, length).
MEMORY = """
    (memory (export "memory") 4)
    (global $heap (export "heap") (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
        (global.get $heap)
        (global.set $heap (i32.add (global.get $heap) (local.get 3))))"""
ECHO = """
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "text") (param i32 i32) (result i32)
        (i32.store (i32.const 0) (local.get 0))
        (i32.store (i32.const 4) (local.get 1))
        (i32.const 0))
    (func (export "row") (param i32 i32 i32) (result i32)
        (i32.store (i32.const 0) (local.get 0))
        (i32.store (i32.const 4) (local.get 1))
        (i32.store (i32.const 8) (local.get 2))
        (i32.const 0))
    (func (export "cabi_post_text") (param i32) (global.set $heap (i32.const 4096)))
    (func (export "cabi_post_row") (param i32) (global.set $heap (i32.const 4096)))
    (func (export "cabi_post_find") (param i32) (global.set $heap (i32.const 4096)))"""

# One parameter, an int; the result is the text of the first value of the first row.
SQL = "SELECT t FROM found WHERE n = $1"
FIND = f"""
    (data (i32.const 1024) "{SQL}")
    (func (export "find") (param i32) (result i32)
        (i32.store8 (i32.const 2048) (i32.const 2))
        (i64.store (i32.const 2056) (i64.extend_i32_s (local.get 0)))
        (call $query (i32.const 1024) (i32.const {len(SQL)}) (i32.const 2048) (i32.const 1) (i32.const 16))
        (i32.add (i32.load (i32.load (i32.const 16))) (i32.const 8)))"""
QUERY_IMPORT = "postgres:host/query@0.1.0"
QUERY_TYPE = "(func $query (param i32 i32 i32 i32 i32))"

LIFT = """(canon lift (core func $i "{name}") (memory (core memory $m "memory"))
        (realloc (core func $m "cabi_realloc")) (post-return (core func $i "cabi_post_{name}")))"""

CORE_WAT = f"""(module (import "{QUERY_IMPORT}" "query" {QUERY_TYPE}) {MEMORY} {ECHO} {FIND})"""
COMPONENT_WAT = f"""(component
    (import "{QUERY_IMPORT}" (instance $host
        (type $value' (variant (case "null") (case "boolean" bool) (case "int" s64) (case "float" f64)
            (case "text" string) (case "bytes" (list u8))))
        (export "value" (type $value (eq $value')))
        (export "query" (func (param "sql" string) (param "params" (list $value)) (result (list (list $value)))))))
    (core module $memory {MEMORY})
    (core instance $m (instantiate $memory))
    (core func $query (canon lower (func $host "query") (memory (core memory $m "memory"))
        (realloc (core func $m "cabi_realloc"))))
    (core module $guest
        (import "host" "query" {QUERY_TYPE})
        (import "m" "memory" (memory 4))
        (import "m" "heap" (global $heap (mut i32)))
        {ECHO} {FIND})
    (core instance $i (instantiate $guest
        (with "host" (instance (export "query" (func $query)))) (with "m" (instance $m))))
    (type $pair' (record (field "n" s32) (field "t" string)))
    (export $pair "pair" (type $pair'))
    (func (export "add") (param "a" s32) (param "b" s32) (result s32) (canon lift (core func $i "add")))
    (func (export "text") (param "t" string) (result string) {LIFT.format(name="text")})
    (func (export "row") (param "r" $pair) (result $pair) {LIFT.format(name="row")})
    (func (export "find") (param "n" s32) (result string) {LIFT.format(name="find")}))"""

PREPARATION = """
    CREATE TYPE pair AS (n integer, t text);
    CREATE TABLE found AS SELECT n, 'number ' || n AS t FROM generate_series(1, 1000) n;
    CREATE UNIQUE INDEX ON found (n);
    ANALYZE found;"""


@dataclass(frozen=True)
class Work:
    """bodies are those of languages other than wasm."""

    export: str
    arguments: str
    result: str
    bodies: dict[str, str]


ADD = Work(
    "add",
    "a integer, b integer",
    "integer",
    {
        "C": "add_integer",
        "PL/pgSQL": "BEGIN RETURN a + b; END",
        "PL/Python": "return a + b",
        "PL/Perl": "return $_[0] + $_[1];",
        "PL/Tcl": "return [expr {$1 + $2}]",
    },
)
TEXT = Work(
    "text",
    "t text",
    "text",
    {
        "C": "echo",
        "PL/pgSQL": "BEGIN RETURN t; END",
        "PL/Python": "return t",
        "PL/Perl": "return $_[0];",
        "PL/Tcl": "return $1",
    },
)
ROW = Work(
    "row",
    "r pair",
    "pair",
    {"C": "echo_row", "PL/pgSQL": "BEGIN RETURN r; END", "PL/Python": "return r", "PL/Perl": "return $_[0];"},
)
FOUND = Work(
    "find",
    "a integer",
    "text",
    {
        "C": "find",
        "PL/pgSQL": "BEGIN RETURN (SELECT t FROM found WHERE n = a); END",
        "PL/Python": f"""if 'plan' not in SD:
    SD['plan'] = plpy.prepare('{SQL}', ['integer'])
return plpy.execute(SD['plan'], [a])[0]['t']""",
    },
)


@dataclass(frozen=True)
class Line:
    name: str
    work: Work
    calls: int
    select: str
    size: int = 10


# {0} is the function, or nothing
LINES = [
    Line("integer", ADD, 400_000, "sum({0}(i))"),
    Line("10 bytes", TEXT, 200_000, "sum(octet_length({0}(t)))"),
    Line("1000 bytes", TEXT, 100_000, "sum(octet_length({0}(t)))", 1_000),
    Line("100000 bytes", TEXT, 2_000, "sum(octet_length({0}(t)))", 100_000),
    Line("row", ROW, 100_000, "count(({0}(r)).t)"),
    Line("query by key", FOUND, 40_000, "sum(octet_length({0}(i % 1000 + 1)))"),
]


def query(line: Line, function: str, calls: int) -> str:
    """Values are made once; OFFSET keeps the planner from making constants of them."""
    value = f"repeat('x', {line.size})"
    select = line.select.format(function)
    if line.work is ADD:
        select = select.replace("(i)", "(i, 0)") if function else "sum(i)"
    if line.work is FOUND and not function:
        select = "sum(octet_length('number ' || (i % 1000 + 1)))"
    values = f"(SELECT {value} AS t, ROW(1, {value})::pair AS r OFFSET 0) s"
    return f"SELECT {select} FROM generate_series(1, {calls}) i, {values}"


def define(server: Server, work: Work, contestant: str) -> tuple[str, str]:
    """The name of a function, and the statement that makes it."""
    name = f"{work.export}_{contestant}".replace("wasm, ", "").replace("PL/", "pl").lower()
    if contestant == "wasm":
        body, library = f"core_values#{work.export}", None
    elif contestant == COMPONENT:
        body, library = f"component_values#{work.export}", None
    else:
        body, library = work.bodies[contestant], server.c_library() if contestant == "C" else None
    declaration = f"{name}({work.arguments}) RETURNS {work.result}"
    return name, function_definition(contestant, declaration, body, STABLE if work is FOUND else PURE, library)


def measure(server: Server, options: Options) -> list[Section]:
    contestants = list(NATIVE if options.native else (*NATIVE, *(n for n in LANGUAGES if n in TEXT.bodies and n != "C")))
    with server.together(), server.connect() as connection:
        connection.run(PREPARATION)
        for name, wat in (("core_values", CORE_WAT), ("component_values", COMPONENT_WAT)):
            connection.run(f"CREATE FUNCTION {name}() RETURNS wasm.module LANGUAGE wasm AS $wat${wat}$wat$")
        functions: dict[tuple[str, str], str] = {}
        for work in (ADD, TEXT, ROW, FOUND):
            for contestant in contestants:
                if contestant.startswith("wasm") or contestant in work.bodies:
                    functions[work.export, contestant], statement = define(server, work, contestant)
                    connection.run(statement)
        rows = []
        for line in LINES:
            calls = options.pick(line.calls, line.calls // 50)
            queries = {QUERY: query(line, "", calls)}
            for contestant in contestants:
                if (line.work.export, contestant) in functions:
                    queries[contestant] = query(line, functions[line.work.export, contestant], calls)
            check_same(connection, queries)
            times = time_processor(connection, options.rounds, queries)
            rows.append(Row(line.name, net_of_query(times, 1e6 / calls)))
    unit = "nanoseconds of processor time a call"
    section = Section("values", "Values in and out", unit, contestants, rows, heading="value", logarithmic=True)
    section.notes = [
        "A sum of two integers, and functions that return their argument, a text or a row of an integer and a text, "
        "over generate_series; what the query takes without a function is taken off, round by round. In wasm a text "
        "is copied into the guest's memory and out of it. The last line is a function that runs a prepared query "
        "which finds one row of a thousand, and returns a text of it.",
    ]
    section.goals = [goal(section.row("integer"), section.row("1000 bytes"))]
    return [section]


def goal(call: Row, text: Row) -> Goal:
    took = [row.figures[COMPONENT].median for row in (call, text)]
    return Goal(
        "a call of a component: sum of two integers; a text of 1 kB in and out",
        "≤ 0.4 µs; ≤ 1 µs",
        f"{took[0] / 1000:.2f} µs; {took[1] / 1000:.2f} µs",
        took[0] <= CALL_LIMIT and took[1] <= TEXT_LIMIT,
    )


def net_of_query(times: dict[str, Figure], factor: float) -> dict[str, Figure]:
    base = times[QUERY].samples
    return {
        contestant: Figure(tuple(factor * (sample - without) for sample, without in zip(figure.samples, base)))
        for contestant, figure in times.items()
        if contestant != QUERY
    }
