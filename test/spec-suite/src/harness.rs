//! A process of the C harness, which runs one file without PostgreSQL.

use std::fmt::{Display, Formatter};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::outcome::{Outcome, Trap};
use crate::script::ActionKind;
use crate::value::Value;

pub struct Harness {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    instances: usize,
}

/// How an instantiation ends.
pub enum Start {
    Ready,
    Invalid(String),
    Unlinkable(String),
    Trap(Trap),
    Error(String),
}

impl Display for Start {
    fn fmt(&self, f: &mut Formatter) -> std::fmt::Result {
        match self {
            Start::Ready => write!(f, "it is ready"),
            Start::Invalid(message) => write!(f, "it is invalid: {message}"),
            Start::Unlinkable(message) => write!(f, "it cannot be linked: {message}"),
            Start::Trap(trap) => write!(f, "trap {trap:?}"),
            Start::Error(message) => write!(f, "error {message}"),
        }
    }
}

impl Harness {
    pub fn new(program: &Path) -> std::io::Result<Harness> {
        let mut child =
            Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Ok(Harness { child, input, output, instances: 0 })
    }

    /// The line that answers a command, split into its first word and the rest.
    fn ask(&mut self, command: &str) -> (String, String) {
        let mut line = String::new();
        let sent = writeln!(self.input, "{command}").and_then(|()| self.input.flush());
        match sent.and_then(|()| self.output.read_line(&mut line)) {
            Ok(n) if n > 0 => {
                let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
                (word.to_string(), rest.to_string())
            }
            _ => ("error".to_string(), "the harness has ended".to_string()),
        }
    }

    /// Returns the number of the instance, whether it is usable or not.
    pub fn instantiate(&mut self, binary: &[u8]) -> (usize, Start) {
        let (word, rest) = self.ask(&format!("instantiate {}", hex(binary)));
        let start = match (word.as_str(), Trap::of_harness(&rest)) {
            ("ok", _) => Start::Ready,
            ("invalid", _) => Start::Invalid(rest),
            ("unlinkable", _) => Start::Unlinkable(rest),
            ("trap", Some(trap)) => Start::Trap(trap),
            _ => Start::Error(rest),
        };
        self.instances += 1;
        (self.instances - 1, start)
    }

    pub fn register(&mut self, instance: usize, name: &str) -> Result<(), String> {
        match self.ask(&format!("register {instance} {}", hex(name.as_bytes()))) {
            (word, _) if word == "ok" => Ok(()),
            (_, rest) => Err(rest),
        }
    }

    pub fn act(&mut self, instance: usize, action: &ActionKind) -> Outcome {
        let command = match action {
            ActionKind::Get { global } => format!("get {instance} {}", hex(global.as_bytes())),
            ActionKind::Invoke { export, args } => {
                let mut command = format!("invoke {instance} {}", hex(export.as_bytes()));
                for arg in args {
                    command.push_str(&format!(" {arg}"));
                }
                command
            }
        };
        let (word, rest) = self.ask(&command);
        match (word.as_str(), Trap::of_harness(&rest)) {
            ("ok", _) => match rest.split_whitespace().map(Value::parse).collect() {
                Some(values) => Outcome::Values(values),
                None => Outcome::Error(format!("not a list of values: {rest}")),
            },
            ("trap", Some(trap)) => Outcome::Trap(trap),
            _ => Outcome::Error(rest),
        }
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_string();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
