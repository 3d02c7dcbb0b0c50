//! Modules as SQL objects, and calls of their exports by SQL.

use std::collections::HashMap;
use std::error::Error;

use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use crate::facts::Facts;
use crate::outcome::{Outcome, Trap};
use crate::value::Value;

/// Settings that a test may exhaust are as high as they go.
const RAISE_LIMITS: &str = "
    LOAD 'wasm';
    SELECT set_config(name, max_val, false) FROM pg_settings
    WHERE name IN ('wasm.memory_limit', 'wasm.session_memory_limit')";

/// One connection, with a schema of its own.
pub struct Session {
    client: Client,
    schema: String,
    create: Statement,
    created: usize,
    pub replayed: usize,
}

/// A module as the object `schema.mN`, its exports as functions `schema.mN_fM`.
///
/// The server gives an instance up when a call ends with an error, while for
/// the specification its state lives on.  So the calls that have succeeded, of
/// functions that may change state, are kept, and made again, in their order,
/// before the first call after an error.  What the failed call itself had
/// changed is not restored: a test that depends on it fails.
pub struct Module {
    name: String,
    /// The names of modules that it imports from
    pub imports: Vec<String>,
    functions: Vec<Function>,
    by_export: HashMap<String, Binding>,
    facts: Facts,
    history: Vec<(usize, Vec<Value>)>,
    stale: bool,
}

enum Binding {
    Function(usize),
    /// Why SQL cannot call it
    Obstacle(String),
}

struct Function {
    name: String,
    params: Vec<SqlType>,
    results: Vec<SqlType>,
    statement: Option<Statement>,
}

/// The SQL type that stands for a WebAssembly type.
#[derive(Clone, Copy)]
struct SqlType {
    zero: fn() -> Value,
    name: &'static str,
    sql: fn() -> Type,
    read: fn(&[u8]) -> Option<Value>,
}

/// The SQLSTATE and message with which a module was refused.
#[derive(Debug)]
pub struct Refusal {
    pub sqlstate: String,
    pub message: String,
}

impl Session {
    pub fn open(config: &Config, schema: &str) -> Result<Session, Refusal> {
        let mut client = config.connect(NoTls).map_err(refusal)?;
        client.batch_execute(RAISE_LIMITS).map_err(refusal)?;
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).map_err(refusal)?;
        let create = client
            .prepare_typed("SELECT wasm.create_module($1, $2)", &[Type::TEXT, Type::BYTEA])
            .map_err(refusal)?;
        Ok(Session { client, schema: schema.to_string(), create, created: 0, replayed: 0 })
    }

    /// Creates a module without binding anything; returns its qualified name.
    pub fn create(&mut self, code: &[u8]) -> Result<String, Refusal> {
        let name = format!("{}.m{}", self.schema, self.created);
        self.created += 1;
        self.client.query(&self.create, &[&name, &code]).map_err(refusal)?;
        Ok(name)
    }

    /// Creates a module and binds a function to each export that SQL can call.
    pub fn load(&mut self, code: &[u8], binary: &[u8]) -> Result<Module, Refusal> {
        let mut module = Module {
            name: self.create(code)?,
            imports: Vec::new(),
            functions: Vec::new(),
            by_export: HashMap::new(),
            facts: Facts::of(binary),
            history: Vec::new(),
            stale: false,
        };
        if module.facts.has_imports {
            let query = "SELECT DISTINCT \"from\" FROM wasm.imports($1) ORDER BY 1";
            let rows = self.client.query(query, &[&module.name]).map_err(refusal)?;
            module.imports = rows.iter().map(|row| row.get(0)).collect();
        }
        if module.facts.has_exports && module.imports.is_empty() {
            self.bind(&mut module)?;
        }
        Ok(module)
    }

    fn bind(&mut self, module: &mut Module) -> Result<(), Refusal> {
        let query = "SELECT name, type FROM wasm.exports($1) WHERE kind = 'function'";
        let rows = self.client.query(query, &[&module.name]).map_err(refusal)?;
        let mut commands = String::new();
        for row in rows {
            let (export, text): (Option<String>, String) = (row.get(0), row.get(1));
            // a name that no SQL text can hold is no name in a body either
            let Some(export) = export else { continue };
            let number = module.functions.len();
            let binding = match types_of(&text, number) {
                _ if export.ends_with([' ', '\t', '\r', '\n', '\x0c', '\x0b']) => {
                    Binding::Obstacle("export whose name ends in white space".to_string())
                }
                None => Binding::Obstacle(format!("export of type {text}")),
                Some((params, results)) => {
                    let name = format!("{}_f{number}", module.name);
                    commands.push_str(&declaration(&name, &params, &results, &module.name, &export));
                    module.functions.push(Function { name, params, results, statement: None });
                    Binding::Function(number)
                }
            };
            module.by_export.insert(export, binding);
        }
        self.client.batch_execute(&commands).map_err(refusal)
    }

    /// Calls an export that has no obstacle.
    pub fn call(&mut self, module: &mut Module, export: &str, args: &[Value]) -> Outcome {
        let Some(Binding::Function(number)) = module.by_export.get(export) else {
            return Outcome::Error(format!("no function is bound to \"{export}\""));
        };
        let number = *number;
        if module.stale
            && let Err(problem) = self.replay(module)
        {
            return Outcome::Error(problem);
        }
        let outcome = self.execute(&mut module.functions[number], args);
        match outcome {
            Outcome::Values(_) if module.changes_state(export) => {
                module.history.push((number, args.to_vec()));
            }
            Outcome::Values(_) => {}
            _ => module.stale = !module.history.is_empty(),
        }
        outcome
    }

    fn replay(&mut self, module: &mut Module) -> Result<(), String> {
        for (number, args) in &module.history {
            let function = &mut module.functions[*number];
            match self.execute(function, args) {
                Outcome::Values(_) => self.replayed += 1,
                outcome => {
                    let name = &function.name;
                    return Err(format!("{name} does not succeed again: {outcome}"));
                }
            }
        }
        module.stale = false;
        Ok(())
    }

    /// Makes the module's instance by a call with zeros, to see it fail; None when
    /// there is no function to call.
    pub fn start(&mut self, module: &mut Module) -> Option<Outcome> {
        let function = module.functions.first_mut()?;
        let zeros: Vec<Value> = function.params.iter().map(|param| (param.zero)()).collect();
        Some(self.execute(function, &zeros))
    }

    fn execute(&mut self, function: &mut Function, args: &[Value]) -> Outcome {
        match self.query(function, args) {
            Ok(Some(values)) => Outcome::Values(values),
            Ok(None) => Outcome::Error("a result cannot be read".to_string()),
            Err(error) => {
                let refusal = refusal(error);
                match Trap::of_sql(&refusal.sqlstate, &refusal.message) {
                    Some(trap) => Outcome::Trap(trap),
                    None => Outcome::Error(format!("{}: {}", refusal.sqlstate, refusal.message)),
                }
            }
        }
    }

    fn query(
        &mut self,
        function: &mut Function,
        args: &[Value],
    ) -> Result<Option<Vec<Value>>, postgres::Error> {
        if function.statement.is_none() {
            let types: Vec<Type> = function.params.iter().map(|param| (param.sql)()).collect();
            function.statement = Some(self.client.prepare_typed(&function.query(), &types)?);
        }
        let params: Vec<&(dyn ToSql + Sync)> =
            args.iter().map(|arg| arg as &(dyn ToSql + Sync)).collect();
        let row = self.client.query_one(function.statement.as_ref().unwrap(), &params)?;
        let read = |(i, result): (usize, &SqlType)| (result.read)(row.get::<_, Raw>(i).0);
        Ok(function.results.iter().enumerate().map(read).collect())
    }
}

impl Module {
    pub fn has_state(&self) -> bool {
        self.facts.has_state
    }

    /// Whether a call of that export may change the instance's state.
    pub fn changes_state(&self, export: &str) -> bool {
        self.facts.changing.contains(export)
    }

    /// Why SQL cannot call that export.
    pub fn obstacle(&self, export: &str) -> Option<String> {
        match self.by_export.get(export) {
            Some(Binding::Obstacle(obstacle)) => Some(obstacle.clone()),
            None if export.contains('\0') => Some("export whose name holds a NUL".to_string()),
            _ => None,
        }
    }
}

impl Function {
    fn query(&self) -> String {
        let params: Vec<String> = (1..=self.params.len()).map(|i| format!("${i}")).collect();
        let call = format!("{}({})", self.name, params.join(", "));
        match self.results.len() {
            0 | 1 => format!("SELECT {call}"),
            _ => format!("SELECT * FROM {call}"),
        }
    }
}

fn declaration(
    name: &str,
    params: &[SqlType],
    results: &[SqlType],
    module: &str,
    export: &str,
) -> String {
    let mut arguments: Vec<String> = params.iter().map(|param| param.name.to_string()).collect();
    if results.len() > 1 {
        let outs = results.iter().enumerate().map(|(i, result)| format!("OUT r{i} {}", result.name));
        arguments.extend(outs);
    }
    let returns = match results {
        [] => "RETURNS void".to_string(),
        [result] => format!("RETURNS {}", result.name),
        _ => String::new(),
    };
    let body = format!("{module}#{export}").replace('\'', "''");
    format!("CREATE FUNCTION {name}({}) {returns} LANGUAGE wasm AS '{body}';\n", arguments.join(", "))
}

/// The SQL types for a type "(func (param i32) (result i32))"; None when there is
/// none for one of them.  A v128 is a uuid in one function, a bytea in the next.
fn types_of(text: &str, number: usize) -> Option<(Vec<SqlType>, Vec<SqlType>)> {
    let list = |keyword: &str| -> Option<Vec<SqlType>> {
        let Some((_, rest)) = text.split_once(keyword) else { return Some(Vec::new()) };
        let (names, _) = rest.split_once(')')?;
        names.split_whitespace().map(|name| SqlType::of(name, number)).collect()
    };
    Some((list("(param ")?, list("(result ")?))
}

impl SqlType {
    fn of(name: &str, number: usize) -> Option<SqlType> {
        Some(match name {
            "i32" => SqlType {
                zero: || Value::I32(0),
                name: "integer",
                sql: || Type::INT4,
                read: |raw| Some(Value::I32(u32::from_be_bytes(raw.try_into().ok()?))),
            },
            "i64" => SqlType {
                zero: || Value::I64(0),
                name: "bigint",
                sql: || Type::INT8,
                read: |raw| Some(Value::I64(u64::from_be_bytes(raw.try_into().ok()?))),
            },
            "f32" => SqlType {
                zero: || Value::F32(0),
                name: "real",
                sql: || Type::FLOAT4,
                read: |raw| Some(Value::F32(u32::from_be_bytes(raw.try_into().ok()?))),
            },
            "f64" => SqlType {
                zero: || Value::F64(0),
                name: "double precision",
                sql: || Type::FLOAT8,
                read: |raw| Some(Value::F64(u64::from_be_bytes(raw.try_into().ok()?))),
            },
            "v128" => SqlType {
                zero: || Value::V128([0; 16]),
                name: if number % 2 == 0 { "uuid" } else { "bytea" },
                sql: if number % 2 == 0 { || Type::UUID } else { || Type::BYTEA },
                read: |raw| Some(Value::V128(raw.try_into().ok()?)),
            },
            _ => return None,
        })
    }
}

/// The bits as they are: nothing on the way may quieten a NaN.
impl ToSql for Value {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::I32(x) | Value::F32(x) => out.extend_from_slice(&x.to_be_bytes()),
            Value::I64(x) | Value::F64(x) => out.extend_from_slice(&x.to_be_bytes()),
            Value::V128(x) => out.extend_from_slice(x),
            other => return Err(format!("{other} cannot be passed").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::UUID, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn refusal(error: postgres::Error) -> Refusal {
    match error.as_db_error() {
        Some(db) => Refusal {
            sqlstate: db.code().code().to_string(),
            message: db.message().to_string(),
        },
        None => Refusal { sqlstate: "-----".to_string(), message: error.to_string() },
    }
}
