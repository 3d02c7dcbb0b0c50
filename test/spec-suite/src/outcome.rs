//! How a call ends, in the words of the specification, of SQL and of the harness.

use std::fmt::{Display, Formatter, Result};

use crate::value::Value;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trap {
    Unreachable,
    Memory,
    Table,
    Uninitialized,
    Signature,
    Division,
    Overflow,
    Conversion,
    Exhausted,
}

pub enum Outcome {
    Values(Vec<Value>),
    Trap(Trap),
    /// Anything else, which no assertion expects
    Error(String),
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Outcome::Values(values) => write!(f, "{values:?}"),
            Outcome::Trap(trap) => write!(f, "trap {trap:?}"),
            Outcome::Error(message) => write!(f, "error {message}"),
        }
    }
}

/// Each trap: words of the suite, by their beginning; SQLSTATE and message; the
/// harness's word.
const TRAPS: &[(Trap, &[&str], &str, &str, &str)] = &[
    (
        Trap::Unreachable,
        &["unreachable"],
        "38000",
        "WebAssembly trap: unreachable instruction executed",
        "unreachable",
    ),
    (
        Trap::Memory,
        &["out of bounds memory access"],
        "38000",
        "WebAssembly trap: out of bounds memory access",
        "memory",
    ),
    (
        Trap::Table,
        &["out of bounds table access", "undefined element"],
        "38000",
        "WebAssembly trap: out of bounds table access",
        "table",
    ),
    (
        Trap::Uninitialized,
        &["uninitialized element"],
        "38000",
        "WebAssembly trap: uninitialized table element",
        "uninitialized",
    ),
    (
        Trap::Signature,
        &["indirect call type mismatch", "indirect call"],
        "38000",
        "WebAssembly trap: indirect call type mismatch",
        "signature",
    ),
    (
        Trap::Division,
        &["integer divide by zero"],
        "22012",
        "WebAssembly trap: integer division by zero",
        "division",
    ),
    (
        Trap::Overflow,
        &["integer overflow"],
        "22003",
        "WebAssembly trap: integer overflow",
        "overflow",
    ),
    (
        Trap::Conversion,
        &["invalid conversion to integer"],
        "22003",
        "WebAssembly trap: invalid conversion to integer",
        "conversion",
    ),
    (
        Trap::Exhausted,
        &["call stack exhausted"],
        "54001",
        "WebAssembly stack exhausted",
        "exhausted",
    ),
];

impl Trap {
    pub fn of_suite(message: &str) -> Option<Trap> {
        TRAPS
            .iter()
            .find(|(_, beginnings, ..)| beginnings.iter().any(|b| message.starts_with(b)))
            .map(|(trap, ..)| *trap)
    }

    pub fn of_sql(sqlstate: &str, message: &str) -> Option<Trap> {
        TRAPS
            .iter()
            .find(|(_, _, state, text, _)| *state == sqlstate && *text == message)
            .map(|(trap, ..)| *trap)
    }

    pub fn of_harness(word: &str) -> Option<Trap> {
        TRAPS.iter().find(|(.., name)| *name == word).map(|(trap, ..)| *trap)
    }
}
