//! One module through SQL and through the engine alone; the two must agree.

use std::collections::BTreeMap;

use crate::engine::{Answer, Bits, Died, Ending, Engine, Export, Kind, Type, Verdict};
use crate::random::Random;
use crate::server::{Function, Listed, Lost, Session, SqlError};

/// What a refused text may get beside what a binary may: a syntax error, or bytes
/// that are not UTF-8.
const TEXT_REFUSALS: [&str; 2] = ["42601", "22021"];

/// What a refused binary may get: invalid, unsupported, too large.
const REFUSALS: [&str; 3] = ["22P03", "0A000", "54000"];

const FUNCTIONS_MAX: usize = 8;
const ARGUMENT_SETS: usize = 3;

/// Of a hundred refused modules, how many are given to wasm.validate too.
const VALIDATED: usize = 25;

const PG_ARGUMENTS_MAX: usize = 100;
const PG_NAME_MAX: usize = 63;

/// The trap code of a guest that was stopped.
const INTERRUPT: u32 = 10;

/// What a trial counted.
#[derive(Default)]
pub struct Counts {
    pub accepted: u64,
    pub instantiated: u64,
    pub importing: u64,
    pub exports: u64,
    pub functions: u64,
    pub results: u64,
    pub failures: BTreeMap<String, u64>,
    pub refusals: BTreeMap<String, u64>,
    pub timeouts: u64,
    pub engine_deaths: u64,
    /// Where the two disagree.
    pub mismatch: Option<String>,
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.accepted += other.accepted;
        self.instantiated += other.instantiated;
        self.importing += other.importing;
        self.exports += other.exports;
        self.functions += other.functions;
        self.results += other.results;
        self.timeouts += other.timeouts;
        self.engine_deaths += other.engine_deaths;
        for (mine, others) in [
            (&mut self.failures, &other.failures),
            (&mut self.refusals, &other.refusals),
        ] {
            for (key, count) in others {
                *mine.entry(key.clone()).or_default() += count;
            }
        }
    }
}

/// Why a trial stops before its end.
enum Stop {
    Lost,
    Mismatch(String),
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Stop {
        Stop::Lost
    }
}

fn mismatch<T>(text: String) -> Result<T, Stop> {
    Err(Stop::Mismatch(text))
}

/// One who tries modules: a session of the server and an engine.
pub struct Trier {
    pub session: Session,
    pub engine: Engine,
    number: usize,
    previous: Vec<u8>,
    /// The engine alone has aborted in this trial.
    pub engine_died: bool,
}

impl Trier {
    pub fn new(session: Session, engine: Engine, number: usize) -> Trier {
        Trier {
            session,
            engine,
            number,
            previous: Vec::new(),
            engine_died: false,
        }
    }

    pub fn reopen(&mut self) -> Result<(), postgres::Error> {
        self.session.reopen(self.number)
    }

    pub fn try_module(&mut self, bytes: &[u8], random: &mut Random) -> Result<Counts, Lost> {
        self.engine_died = false;
        let mut trial = Trial {
            trier: self,
            random,
            counts: Counts::default(),
        };
        match trial.run(bytes) {
            Ok(()) => Ok(trial.counts),
            Err(Stop::Lost) => Err(Lost),
            Err(Stop::Mismatch(text)) => {
                let mut counts = trial.counts;
                counts.mismatch = Some(text);
                // whatever is left would be in the next one's way
                let _ = self.session.drop_module()?;
                Ok(counts)
            }
        }
    }
}

struct Trial<'a> {
    trier: &'a mut Trier,
    random: &'a mut Random,
    counts: Counts,
}

impl Trial<'_> {
    fn run(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        // an instance would live on where the module's bytes stay the same
        if self.trier.previous == bytes {
            let _ = self.trier.session.drop_module()?;
        }
        self.trier.previous = bytes.to_vec();

        let verdict = match self.trier.engine.module(bytes) {
            Ok(verdict) => Some(verdict),
            Err(Died) => {
                self.engine_died()?;
                None
            }
        };
        let by_command = self.random.percent(30);
        let created = self.trier.session.create(bytes, by_command)?;
        match (verdict, created) {
            (Some(Verdict::Accepted { imports, exports }), Ok(())) => {
                self.counts.accepted = 1;
                self.use_module(imports, &exports)
            }
            (Some(Verdict::Refused(reason)), Err(error)) => self.refused(bytes, &error, &reason),
            (Some(Verdict::Accepted { .. }), Err(error)) => mismatch(format!(
                "the engine accepts the module, the server does not: {} {}",
                error.state, error.message
            )),
            (Some(Verdict::Refused(reason)), Ok(())) => mismatch(format!(
                "the server accepts the module, the engine does not: {reason}"
            )),
            // the server may compile where an abort does no harm
            (None, Err(error)) => self.refused(bytes, &error, ""),
            (None, Ok(())) => mismatch(
                "the engine aborted when it compiled the module, the server did not".into(),
            ),
        }
    }

    /// Counts it, with another engine for what follows.
    fn engine_died(&mut self) -> Result<(), Stop> {
        self.counts.engine_deaths += 1;
        self.trier.engine_died = true;
        match self.trier.engine.restart() {
            Ok(_) => Ok(()),
            Err(error) => mismatch(format!("the engine's program cannot be started: {error}")),
        }
    }

    fn refused(&mut self, bytes: &[u8], error: &SqlError, reason: &str) -> Result<(), Stop> {
        *self.counts.refusals.entry(error.state.clone()).or_default() += 1;
        if !may_refuse(&error.state, reason) && !is_component(bytes) {
            return mismatch(format!(
                "refused with {} {}\n  engine {reason}",
                error.state, error.message
            ));
        }
        if !self.random.percent(VALIDATED) {
            return Ok(());
        }
        match self.trier.session.validate(bytes)? {
            Ok(false) => Ok(()),
            Ok(true) => mismatch(format!(
                "wasm.validate is true, but refused: {}",
                error.message
            )),
            Err(other) if may_refuse(&other.state, reason) => Ok(()),
            Err(other) => mismatch(format!("wasm.validate: {} {}", other.state, other.message)),
        }
    }

    fn use_module(&mut self, imports: usize, exports: &[Export]) -> Result<(), Stop> {
        self.compare_exports(exports)?;
        let functions = self.functions(exports);
        if functions.is_empty() {
            return Ok(());
        }
        let bound: Vec<(Function, String)> = functions
            .iter()
            .map(|(_, f, name)| (f.clone(), name.clone()))
            .collect();
        match self.trier.session.bind(&bound)? {
            Err(error) if imports > 0 && error.state == "42P13" => {
                self.counts.importing = 1;
                return Ok(());
            }
            Err(error) => return mismatch(format!("binding: {} {}", error.state, error.message)),
            Ok(()) if imports > 0 => return mismatch("bound in spite of imports".into()),
            Ok(()) => (),
        }
        self.counts.functions += bound.len() as u64;
        for (place, function, _) in &functions {
            self.call_function(*place, function)?;
        }
        match self.trier.session.unbind(&bound)? {
            Ok(()) => Ok(()),
            Err(error) => mismatch(format!("dropping: {} {}", error.state, error.message)),
        }
    }

    /// wasm.exports must list what the engine lists, and declare what can be bound.
    fn compare_exports(&mut self, exports: &[Export]) -> Result<(), Stop> {
        let listed = match self.trier.session.exports()? {
            Ok(listed) => listed,
            Err(error) => return mismatch(format!("exports: {} {}", error.state, error.message)),
        };
        self.counts.exports += exports.len() as u64;
        if listed.len() != exports.len() {
            return mismatch(format!("{} exports, not {}", listed.len(), exports.len()));
        }
        for (theirs, ours) in listed.iter().zip(exports) {
            if !same_export(theirs, ours) {
                return mismatch(format!(
                    "export {:?} is listed as {:?} {} {}, declared {}",
                    String::from_utf8_lossy(&ours.name),
                    theirs.name,
                    theirs.kind,
                    theirs.signature,
                    theirs.declared
                ));
            }
        }
        Ok(())
    }

    /// Those that can be bound: place among the exports, function, name of the export.
    fn functions(&self, exports: &[Export]) -> Vec<(usize, Function, String)> {
        let number = self.trier.number;
        exports
            .iter()
            .enumerate()
            .filter(|(_, export)| can_be_bound(export))
            .take(FUNCTIONS_MAX)
            .map(|(place, export)| {
                let function = Function {
                    name: format!("f{number}_{place}"),
                    params: export.params.clone(),
                    results: export.results.clone(),
                    v128_as_uuid: place % 2 == 0,
                };
                (
                    place,
                    function,
                    String::from_utf8_lossy(&export.name).into_owned(),
                )
            })
            .collect()
    }

    fn call_function(&mut self, place: usize, function: &Function) -> Result<(), Stop> {
        for set in 0..ARGUMENT_SETS {
            let args: Vec<Bits> = function
                .params
                .iter()
                .map(|&t| argument(t, set, self.random))
                .collect();
            if !self.call(place, function, &args)? {
                break;
            }
        }
        Ok(())
    }

    /// False when further calls of the function are not worth their time.
    fn call(&mut self, place: usize, function: &Function, args: &[Bits]) -> Result<bool, Stop> {
        let Ok(answer) = self.trier.engine.call(place, args) else {
            self.engine_died()?;
            let reply = self.trier.session.call(function, args)?;
            return mismatch(format!(
                "the engine aborted in a call, the server did not: {reply:?}"
            ));
        };
        if let Ending::Trap(INTERRUPT) = answer.ending {
            return match self.trier.session.call_briefly(function, args)? {
                Err(error) if error.state == "57014" => {
                    self.counts.timeouts += 1;
                    Ok(false)
                }
                reply => mismatch(describe(function, args, &answer, &reply)),
            };
        }
        let reply = self.trier.session.call(function, args)?;
        if !same_outcome(&answer.ending, &reply) {
            return mismatch(describe(function, args, &answer, &reply));
        }
        if answer.instantiated {
            self.counts.instantiated = 1;
        }
        match &reply {
            Ok(_) => self.counts.results += 1,
            Err(error) => {
                let kind = format!("{} {}", error.state, without_numbers(&error.message));
                *self.counts.failures.entry(kind).or_default() += 1;
            }
        }
        Ok(true)
    }
}

/// So that errors which differ in a size are counted together.
fn without_numbers(message: &str) -> String {
    let words = message.split(' ');
    let is_number = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit());
    words
        .map(|w| if is_number(w) { "N" } else { w })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The engine calls those invalid, the extension unsupported.
fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(6..8) == Some(&[1, 0])
}

/// Whether that is the SQLSTATE for what the engine says of a module; when it says
/// nothing, since it aborted, for any.
fn may_refuse(state: &str, reason: &str) -> bool {
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| reason.contains(phrase));
    if reason.is_empty() {
        REFUSALS.contains(&state) || TEXT_REFUSALS.contains(&state)
    } else if says(&["--> ", "input was not valid utf-8"]) {
        TEXT_REFUSALS.contains(&state)
    } else if says(&[
        "exceeds limit",
        "exceeds the limit",
        "mplementation limit",
        "too many locals",
    ]) {
        state == "54000"
    } else if says(&[
        "enabled",
        "disabled",
        "required for",
        "require the",
        "not supported",
        "multiple memories",
    ]) {
        state == "0A000"
    } else {
        state == "22P03"
    }
}

fn describe(
    function: &Function,
    args: &[Bits],
    answer: &Answer,
    reply: &Result<Vec<Bits>, SqlError>,
) -> String {
    format!(
        "{} {:?} -> {:?}\n  arguments {args:02x?}\n  engine {answer:02x?}\n  server {reply:02x?}",
        function.name, function.params, function.results
    )
}

/// An export without an SQL function: see wasm.exports in doc/reference.md.
fn can_be_bound(export: &Export) -> bool {
    let name = &export.name;
    let is_reference = |t: &Type| matches!(t, Type::FuncRef | Type::ExternRef);
    export.kind == Kind::Function
        && !name.is_empty()
        && name.len() <= PG_NAME_MAX
        && !name.contains(&0)
        && !name.ends_with(&[0x0b])
        && !name[name.len() - 1].is_ascii_whitespace()
        && export.params.len() <= PG_ARGUMENTS_MAX
        && !export
            .params
            .iter()
            .chain(&export.results)
            .any(is_reference)
}

fn same_export(theirs: &Listed, ours: &Export) -> bool {
    let name = String::from_utf8_lossy(&ours.name);
    let same_name = match &theirs.name {
        Some(listed) => *listed == name,
        None => ours.name.contains(&0),
    };
    let kind = match ours.kind {
        Kind::Function => "function",
        Kind::Global => "global",
        Kind::Table => "table",
        Kind::Memory => "memory",
    };
    let same_type = ours.kind != Kind::Function || theirs.signature == signature(ours);
    same_name && theirs.kind == kind && same_type && theirs.declared == can_be_bound(ours)
}

/// A function's type as text.
fn signature(export: &Export) -> String {
    let list = |word: &str, types: &[Type]| match types {
        [] => String::new(),
        _ => {
            let names: Vec<&str> = types.iter().map(|t| type_name(*t)).collect();
            format!(" ({word} {})", names.join(" "))
        }
    };
    format!(
        "(func{}{})",
        list("param", &export.params),
        list("result", &export.results)
    )
}

fn type_name(of: Type) -> &'static str {
    match of {
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::V128 => "v128",
        Type::FuncRef => "funcref",
        Type::ExternRef => "externref",
    }
}

fn same_outcome(engine: &Ending, server: &Result<Vec<Bits>, SqlError>) -> bool {
    match (engine, server) {
        (Ending::Values(ours), Ok(theirs)) => ours == theirs,
        (Ending::Trap(code), Err(error)) => match trap_report(*code) {
            Some((state, message)) => error.state == state && error.message == message,
            None => false,
        },
        (Ending::Error(text), Err(error)) => {
            let message = error.message.strip_prefix("WebAssembly error: ");
            message.is_some_and(|m| text.contains(m)) && error.state == error_state(text)
        }
        _ => false,
    }
}

/// SQLSTATE and message that doc/reference.md promises for a trap.
fn trap_report(code: u32) -> Option<(&'static str, &'static str)> {
    Some(match code {
        0 => ("54001", "WebAssembly stack exhausted"),
        1 => ("38000", "WebAssembly trap: out of bounds memory access"),
        3 => ("38000", "WebAssembly trap: out of bounds table access"),
        4 => ("38000", "WebAssembly trap: uninitialized table element"),
        5 => ("38000", "WebAssembly trap: indirect call type mismatch"),
        6 => ("22003", "WebAssembly trap: integer overflow"),
        7 => ("22012", "WebAssembly trap: integer division by zero"),
        8 => ("22003", "WebAssembly trap: invalid conversion to integer"),
        9 => (
            "38000",
            "WebAssembly trap: unreachable instruction executed",
        ),
        _ => return None,
    })
}

/// SQLSTATE of an error without a code: limits, and memory that cannot be had.
fn error_state(text: &str) -> &'static str {
    if text.contains("limit") {
        "54000"
    } else if text.contains("allocate") || text.contains("mmap") {
        "53200"
    } else {
        "38000"
    }
}

/// Zeros first, then values at the edges of their types, and random bits.
fn argument(of: Type, set: usize, random: &mut Random) -> Bits {
    const INTEGERS: [u64; 16] = [
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x1_0000,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000,
        u64::MAX,
    ];
    // zeros, ones, bounds of integers, smallest, largest, infinities, quiet and signalling NaNs
    const F32: [u32; 16] = [
        0,
        0x8000_0000,
        0x3f80_0000,
        0xbf80_0000,
        0x4f00_0000,
        0xcf00_0000,
        0x5f00_0000,
        0x0000_0001,
        0x0080_0000,
        0x7f7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0xffc0_0001,
        0x7fa0_0000,
        0xff80_0001,
    ];
    const F64: [u64; 16] = [
        0,
        1 << 63,
        0x3ff0_0000_0000_0000,
        0xbff0_0000_0000_0000,
        0x41e0_0000_0000_0000,
        0xc1e0_0000_0000_0000,
        0x43e0_0000_0000_0000,
        1,
        0x0010_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0xfff0_0000_0000_0000,
        0x7ff8_0000_0000_0000,
        0xfff8_0000_0000_0001,
        0x7ff4_0000_0000_0000,
        0xfff0_0000_0000_0001,
    ];
    if set == 0 {
        return [0; 16];
    }
    let edge = random.percent(70);
    let value: u128 = match of {
        _ if !edge => u128::from(random.next()) << 64 | u128::from(random.next()),
        Type::F32 => u128::from(*random.pick(&F32)),
        Type::F64 => u128::from(*random.pick(&F64)),
        Type::V128 => {
            u128::from(*random.pick(&F64)) << 64
                | u128::from(*random.pick(&F32)) << 32
                | u128::from(*random.pick(&INTEGERS) as u32)
        }
        _ => u128::from(*random.pick(&INTEGERS)),
    };
    let mut bits = value.to_le_bytes();
    bits[of.width()..].fill(0);
    bits
}
