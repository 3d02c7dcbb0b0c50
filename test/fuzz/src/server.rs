//! One session of the server, and what its log says of sessions that died.

use std::error::Error;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use postgres::types::{FromSql, IsNull, ToSql, Type as SqlType, private::BytesMut, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use crate::engine::{Bits, Type};

/// How long a call may take when nothing is wrong, in milliseconds.
const PATIENCE: u32 = 30_000;

/// How long a restart of the server may take.
const RESTART: Duration = Duration::from_secs(120);

/// The session has ended.
#[derive(Debug)]
pub struct Lost;

#[derive(Debug)]
pub struct SqlError {
    pub state: String,
    pub message: String,
}

/// What a statement gave, unless the session ended.
pub type Reply<T> = Result<Result<T, SqlError>, Lost>;

/// A row of wasm.exports.
pub struct Listed {
    pub name: Option<String>,
    pub kind: String,
    pub signature: String,
    pub declared: bool,
}

/// A value as the binary protocol has it.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl ToSql for Raw {
    fn to_sql(
        &self,
        _: &SqlType,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &SqlType) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &SqlType, raw: &'a [u8]) -> Result<Raw, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw.to_vec()))
    }

    fn accepts(_: &SqlType) -> bool {
        true
    }
}

/// How the values of an export cross: v128 as one of two types.
#[derive(Clone)]
pub struct Function {
    pub name: String,
    pub params: Vec<Type>,
    pub results: Vec<Type>,
    pub v128_as_uuid: bool,
}

impl Function {
    fn sql_type(&self, of: Type) -> SqlType {
        match of {
            Type::I32 => SqlType::INT4,
            Type::I64 => SqlType::INT8,
            Type::F32 => SqlType::FLOAT4,
            Type::F64 => SqlType::FLOAT8,
            Type::V128 if self.v128_as_uuid => SqlType::UUID,
            Type::V128 => SqlType::BYTEA,
            Type::FuncRef | Type::ExternRef => unreachable!("references are not bound"),
        }
    }

    /// The command that binds the function to an export.
    fn declaration(&self, module: &str, export: &str) -> String {
        let mut columns: Vec<String> = self
            .params
            .iter()
            .map(|&t| self.sql_type(t).to_string())
            .collect();
        let returns = match self.results[..] {
            [] => " RETURNS void".to_string(),
            [only] => format!(" RETURNS {}", self.sql_type(only)),
            _ => {
                for (i, &t) in self.results.iter().enumerate() {
                    columns.push(format!("OUT r{i} {}", self.sql_type(t)));
                }
                String::new()
            }
        };
        format!(
            "CREATE FUNCTION {}({}){returns} LANGUAGE wasm STRICT AS '{module}#{}';\n",
            self.name,
            columns.join(", "),
            export.replace('\'', "''")
        )
    }

    fn call(&self) -> String {
        let args: Vec<String> = (1..=self.params.len()).map(|i| format!("${i}")).collect();
        let verb = if self.results.len() > 1 {
            "SELECT * FROM"
        } else {
            "SELECT"
        };
        format!("{verb} {}({})", self.name, args.join(","))
    }
}

/// Numbers travel in network order, v128 as it is in memory.
fn to_wire(of: Type, bits: &Bits) -> Raw {
    let mut bytes = bits[..of.width()].to_vec();
    if of != Type::V128 {
        bytes.reverse();
    }
    Raw(bytes)
}

fn from_wire(of: Type, raw: Raw) -> Bits {
    let mut bytes = raw.0;
    if of != Type::V128 {
        bytes.reverse();
    }
    let mut bits = [0; 16];
    bits[..bytes.len()].copy_from_slice(&bytes);
    bits
}

/// A session with one module, which every trial replaces.
pub struct Session {
    socket: String,
    client: Client,
    create: Statement,
    exports: Statement,
    validate: Statement,
    module: String,
    /// The process that serves it.
    pub pid: i32,
}

impl Session {
    pub fn open(socket: &str, number: usize) -> Result<Session, postgres::Error> {
        let module = format!("m{number}");
        let mut client = Config::new()
            .host_path(socket)
            .user("postgres")
            .dbname("postgres")
            .connect(NoTls)?;
        client.batch_execute(&format!(
            "SET client_min_messages = error; SET statement_timeout = {PATIENCE};
             DROP FUNCTION IF EXISTS {module}() CASCADE"
        ))?;
        Ok(Session {
            socket: socket.to_string(),
            create: client.prepare(&format!(
                "SELECT wasm.create_module('{module}', $1, true)::oid"
            ))?,
            exports: client.prepare(&format!(
                "SELECT name, kind, type, declaration IS NOT NULL FROM wasm.exports('{module}')"
            ))?,
            validate: client.prepare("SELECT wasm.validate($1)")?,
            pid: client.query_one("SELECT pg_backend_pid()", &[])?.get(0),
            module,
            client,
        })
    }

    /// After the session was lost: waits until the server takes another.
    pub fn reopen(&mut self, number: usize) -> Result<(), postgres::Error> {
        let start = Instant::now();
        loop {
            match Session::open(&self.socket, number) {
                Ok(session) => {
                    *self = session;
                    return Ok(());
                }
                Err(error) if start.elapsed() > RESTART => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    /// Creates the module or replaces it, by a function or by the language's command.
    pub fn create(&mut self, bytes: &[u8], by_command: bool) -> Reply<()> {
        if by_command {
            let digits: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            let command = format!(
                "CREATE OR REPLACE FUNCTION {}() RETURNS wasm.module LANGUAGE wasm AS '\\x{digits}'",
                self.module
            );
            return reply(self.client.batch_execute(&command));
        }
        reply(self.client.execute(&self.create, &[&bytes]).map(|_| ()))
    }

    pub fn drop_module(&mut self) -> Reply<()> {
        reply(self.client.batch_execute(&format!(
            "DROP FUNCTION IF EXISTS {}() CASCADE",
            self.module
        )))
    }

    pub fn validate(&mut self, bytes: &[u8]) -> Reply<bool> {
        reply(
            self.client
                .query_one(&self.validate, &[&bytes])
                .map(|row| row.get(0)),
        )
    }

    pub fn exports(&mut self) -> Reply<Vec<Listed>> {
        let rows = self.client.query(&self.exports, &[]);
        reply(rows.map(|rows| {
            rows.iter()
                .map(|row| Listed {
                    name: row.get(0),
                    kind: row.get(1),
                    signature: row.get(2),
                    declared: row.get(3),
                })
                .collect()
        }))
    }

    /// Binds functions to exports, all or none.
    pub fn bind(&mut self, functions: &[(Function, String)]) -> Reply<()> {
        let commands: String = functions
            .iter()
            .map(|(f, export)| f.declaration(&self.module, export))
            .collect();
        reply(self.client.batch_execute(&commands))
    }

    pub fn unbind(&mut self, functions: &[(Function, String)]) -> Reply<()> {
        let names: Vec<&str> = functions.iter().map(|(f, _)| f.name.as_str()).collect();
        reply(
            self.client
                .batch_execute(&format!("DROP FUNCTION {}", names.join(", "))),
        )
    }

    pub fn call(&mut self, function: &Function, args: &[Bits]) -> Reply<Vec<Bits>> {
        let raws: Vec<Raw> = function
            .params
            .iter()
            .zip(args)
            .map(|(&t, bits)| to_wire(t, bits))
            .collect();
        let params: Vec<(&(dyn ToSql + Sync), SqlType)> = raws
            .iter()
            .zip(&function.params)
            .map(|(raw, &t)| (raw as &(dyn ToSql + Sync), function.sql_type(t)))
            .collect();
        let rows = self.client.query_typed(&function.call(), &params);
        reply(rows.map(|rows| {
            let types = function.results.iter().enumerate();
            types
                .map(|(i, &t)| from_wire(t, rows[0].get::<_, Raw>(i)))
                .collect()
        }))
    }

    /// A call that is not expected to end: it gets little time.
    pub fn call_briefly(&mut self, function: &Function, args: &[Bits]) -> Reply<Vec<Bits>> {
        let _ = reply(self.client.batch_execute("SET statement_timeout = 200"))?;
        let result = self.call(function, args)?;
        let _ = reply(
            self.client
                .batch_execute(&format!("SET statement_timeout = {PATIENCE}")),
        )?;
        Ok(result)
    }
}

/// Tells errors of a statement from the end of a session.
fn reply<T>(result: Result<T, postgres::Error>) -> Reply<T> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => error,
    };
    match error.as_db_error() {
        Some(e) if !e.code().code().starts_with("57P") => Ok(Err(SqlError {
            state: e.code().code().to_string(),
            message: e.message().to_string(),
        })),
        _ => Err(Lost),
    }
}

pub struct Log(pub String);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.0).unwrap_or_default()).into_owned()
    }

    /// The number of processes that crashed.
    pub fn crashes(&self) -> usize {
        self.text().matches(" was terminated by signal ").count()
    }

    /// Lines that no module may cause.
    pub fn faults(&self) -> Vec<String> {
        let marks = ["PANIC:", "TRAP:"];
        let is_fault = |line: &&str| marks.iter().any(|mark| line.contains(mark));
        self.text()
            .lines()
            .filter(is_fault)
            .map(str::to_string)
            .collect()
    }

    /// How a process crashed, if it did.
    pub fn death_of(&self, pid: i32) -> Option<String> {
        let text = self.text();
        let mark = format!("(PID {pid}) was ");
        let line = text.lines().find(|line| line.contains(&mark))?;
        line.split(&mark).last().map(str::to_string)
    }
}
