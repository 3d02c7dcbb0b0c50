"""What a call costs: an aggregate over a call for each row of a table."""

from dataclasses import dataclass

from .libpq import Connection
from .rounds import in_quiet_rounds
from .section import Figure, Goal, Options, Row, Section
from .server import LANGUAGES, PURE, Server, check_same, function_definition, time_processor

NATIVE = ["C", "wasm"]
ROUNDS_FACTOR = 18
# of so many rounds one counts
QUIET = 8
CALL_GOAL = 25
SCRIPTS = ("PL/Python", "PL/Perl", "PL/Tcl")

# type -> columns a and b of row i
TABLES = {
    "integer": ("i::integer", "(i * 3)::integer"),
    "bigint": ("i", "i * 3"),
    "double precision": ("i + 0.5::float8", "i * 0.25::float8"),
}

VALUE_TYPES = {"integer": "i32", "bigint": "i64", "double precision": "f64"}


@dataclass(frozen=True)
class Work:
    """A function in every language; in C, bodies has its symbol. {f} in call is its name."""

    title: str
    name: str
    type: str
    arity: int
    result: str
    bodies: dict[str, str]
    aggregate: str = "sum({f})"


def addition(title: str, name: str, type_name: str, arity: int) -> Work:
    positional = [f"${i}" for i in range(1, arity + 1)]
    named = [f"a{i}" for i in range(1, arity + 1)]
    perl = [f"$_[{i}]" for i in range(arity)]
    bodies = {
        "C": name,
        "wasm": wat_sum(VALUE_TYPES[type_name], arity),
        "SQL": f"SELECT {' + '.join(positional)}",
        "PL/pgSQL": f"BEGIN RETURN {' + '.join(named)}; END",
        "PL/Python": f"return {' + '.join(named)}",
        "PL/Perl": f"return {' + '.join(perl)};",
        "PL/Tcl": f"return [expr {{{' + '.join(positional)}}}]",
    }
    return Work(title, name, type_name, arity, f"RETURNS {type_name}", bodies)


def wat_sum(type_name: str, arity: int) -> str:
    adds = " ".join(f"(local.get {i}) {type_name}.add" for i in range(1, arity))
    return f'(module (func (export "f") (param{f" {type_name}" * arity}) (result {type_name}) (local.get 0) {adds}))'


def nothing() -> Work:
    bodies = {
        "C": "nothing",
        "wasm": '(module (func (export "f") (param i64 i64)))',
        "SQL": "SELECT",
        "PL/pgSQL": "BEGIN END",
        "PL/Python": "pass",
        "PL/Perl": "return;",
        "PL/Tcl": "return",
    }
    # a result of type void may be NULL or not, according to the language
    aggregate = "count({f} IS NULL)"
    return Work("no result (void), 2 bigint", "nothing", "bigint", 2, "RETURNS void", bodies, aggregate)


def two_values() -> Work:
    bodies = {
        "C": "two_values",
        "wasm": """(module (func (export "f") (param i64 i64) (result i64 i64)
            (i64.add (local.get 0) (local.get 1)) (i64.sub (local.get 0) (local.get 1))))""",
        "SQL": "SELECT $1 + $2, $1 - $2",
        "PL/pgSQL": "BEGIN sum := a1 + a2; difference := a1 - a2; END",
        "PL/Python": "return (a1 + a2, a1 - a2)",
        "PL/Perl": "return {sum => $_[0] + $_[1], difference => $_[0] - $_[1]};",
        "PL/Tcl": "return [list sum [expr {$1 + $2}] difference [expr {$1 - $2}]]",
    }
    result = ", OUT sum bigint, OUT difference bigint"
    return Work("2 results, 2 bigint", "two_values", "bigint", 2, result, bodies, "sum(({f}).sum)")


WORKS = [
    addition("2 integer", "add_integer", "integer", 2),
    addition("2 bigint", "add_bigint", "bigint", 2),
    addition("2 double precision", "add_double", "double precision", 2),
    addition("8 bigint", "add_8", "bigint", 8),
    addition("32 bigint", "add_32", "bigint", 32),
    nothing(),
    two_values(),
]


def rows_of(work: Work, options: Options) -> int:
    """Fewer where most languages take long; the figures are those of a row in any case."""
    is_long = work.arity > 2 or work.result != f"RETURNS {work.type}"
    return options.pick(250_000 if is_long else 1_000_000, 20_000)


def table_name(type_name: str, rows: int) -> str:
    return f"calls_{VALUE_TYPES[type_name]}_{rows}"


def function_name(work: Work, contestant: str) -> str:
    return f"{work.name}_{LANGUAGES[contestant]}"


def table_definition(name: str, type_name: str, rows: int) -> str:
    a, b = TABLES[type_name]
    return (
        f"CREATE UNLOGGED TABLE {name} AS SELECT {a} AS a, {b} AS b FROM generate_series(1::bigint, {rows}) i"
    )


def create_table(connection: Connection, name: str, type_name: str, rows: int) -> None:
    """In shared buffers once it has been read."""
    connection.run(table_definition(name, type_name, rows))
    connection.run(f"VACUUM (FREEZE, ANALYZE) {name}")


def definition(server: Server, work: Work, contestant: str) -> str:
    inputs = ", ".join(f"a{i} {work.type}" for i in range(1, work.arity + 1))
    declaration = f"{function_name(work, contestant)}({inputs}"
    declaration += f") {work.result}" if work.result.startswith("RETURNS") else f"{work.result})"
    library = server.c_library() if contestant == "C" else None
    return function_definition(contestant, declaration, work.bodies[contestant], PURE, library)


def query(work: Work, contestant: str, table: str) -> str:
    arguments = ", ".join("ab"[i % 2] for i in range(work.arity))
    call = f"{function_name(work, contestant)}({arguments})"
    return f"SELECT {work.aggregate.format(f=call)} FROM {table}"


def contestants(options: Options) -> list[str]:
    return NATIVE if options.native else list(LANGUAGES)


def measure_work(server: Server, connection: Connection, options: Options, work: Work) -> Row:
    rows = rows_of(work, options)
    languages = contestants(options)
    for contestant in languages:
        connection.run(definition(server, work, contestant))
    queries = {contestant: query(work, contestant, table_name(work.type, rows)) for contestant in languages}
    check_same(connection, queries)
    # rounds of all languages are long, and the call itself is measured in others
    times = time_processor(connection, options.rounds, queries, tries=1)
    return Row(work.title, {name: figure.scaled(1e6 / rows) for name, figure in times.items()})


class Comparison:
    """C and wasm alone, in many short rounds.

    Another guest of the host that uses the same core slows calls down for minutes: so the rounds
    are spread over the run, in so many parts, and the quiet ones count.
    """

    def __init__(self, server: Server, options: Options, parts: int):
        self.server = server
        self.options = options
        self.rounds = -(-options.rounds * options.pick(ROUNDS_FACTOR, 1) // parts)
        self.samples: dict[str, dict[str, list[float]]] = {
            work.name: {name: [] for name in NATIVE} for work in WORKS
        }

    def take(self) -> None:
        """A part of the rounds, of the functions and tables that measure() has made."""
        with self.server.together(), self.server.connect() as connection:
            for work in WORKS:
                table = table_name(work.type, rows_of(work, self.options))
                queries = {name: query(work, name, table) for name in NATIVE}
                check_same(connection, queries)
                for name, figure in time_processor(connection, self.rounds, queries).items():
                    self.samples[work.name][name] += figure.samples

    def section(self) -> Section:
        rows = [self.row(work) for work in WORKS]
        unit = "nanoseconds of processor time a row"
        section = Section("call", "A call, C and wasm in turn", unit, NATIVE, rows, heading="arguments")
        section.notes = [
            f"The same queries, {ROUNDS_FACTOR} times as many rounds, some after each section of the suite; "
            f"one of {QUIET} counts, those in which the two took least.",
        ]
        row = section.row("2 bigint")
        more = (row.figures["wasm"] - row.figures["C"]).median
        goal = Goal("two-argument call over C, a row", f"≤ {CALL_GOAL} ns more", f"{more:.1f} ns more", more <= CALL_GOAL)
        section.goals = [goal]
        return section

    def row(self, work: Work) -> Row:
        quiet = in_quiet_rounds({name: Figure(tuple(taken)) for name, taken in self.samples[work.name].items()}, QUIET)
        factor = 1e6 / rows_of(work, self.options)
        return Row(work.title, {name: figure.scaled(factor) for name, figure in quiet.items()})


def goals(row: Row) -> list[Goal]:
    times = [row.ratio(name, "wasm") for name in ("PL/pgSQL", *SCRIPTS)]
    if None in times:
        return []
    plpgsql, scripts = times[0], min(times[1:])
    return [
        Goal(
            "the same query, PL/pgSQL over wasm; the best of PL/Python, PL/Perl and PL/Tcl over wasm",
            "≥ 3.2; ≥ 6",
            f"{plpgsql:.2f}; {scripts:.2f}",
            plpgsql >= 3.2 and scripts >= 6,
        )
    ]


def measure(server: Server, options: Options) -> list[Section]:
    tables = {(work.type, rows_of(work, options)) for work in WORKS}
    with server.together(), server.connect() as connection:
        for type_name, rows in sorted(tables):
            create_table(connection, table_name(type_name, rows), type_name, rows)
        measured = [measure_work(server, connection, options, work) for work in WORKS]
    section = Section(
        "calls",
        "Calls",
        "nanoseconds of processor time a row",
        contestants(options),
        measured,
        heading="arguments",
        logarithmic=True,
    )
    section.notes = [
        "An aggregate over the results of one call a row, "
        f"{rows_of(WORKS[0], options)} rows in shared buffers ({rows_of(WORKS[-1], options)} for all but the first "
        "three): the whole query, "
        "scan and aggregate included. All functions are STRICT; no JIT, no parallel workers.",
        "Functions in SQL are inlined where they can be: no call is left.",
    ]
    section.goals = goals(section.row("2 bigint"))
    return [section]
