//! Runs one file: each directive by SQL, and in the harness as a control; what
//! SQL cannot reach counts by the harness alone.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use postgres::Config;

use crate::harness::{Harness, Start};
use crate::outcome::{Outcome, Trap};
use crate::script::{Action, ActionKind, Directive, Script, Source, Step};
use crate::sql::{Module, Refusal, Session};
use crate::value::{Pattern, Value, all_accepted};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Module,
    Invoke,
    Return,
    Trap,
    Exhaustion,
    Invalid,
    Malformed,
    Unlinkable,
    Other,
}

pub enum By {
    Sql,
    /// With the reason why not by SQL
    Harness(String),
    /// With the reason
    NotEnabled(String),
}

pub struct Entry {
    pub line: usize,
    pub kind: Kind,
    pub by: By,
    pub problem: Option<String>,
}

#[derive(Default)]
pub struct Report {
    pub entries: Vec<Entry>,
    pub texts: usize,
    pub binaries: usize,
    pub replayed: usize,
    /// How often modules were refused with which SQLSTATE
    pub refusals: BTreeMap<String, usize>,
}

struct Ready {
    sql: Module,
    instance: usize,
    /// Why its state is no longer the one that SQL has
    diverged: Option<String>,
}

enum Loaded {
    Ready(Box<Ready>),
    NotEnabled(String),
    Broken(String),
}

enum Expected<'a> {
    Values(&'a [Pattern]),
    AnyValues,
    Trap(&'a str),
}

struct Runner<'a> {
    script: &'a Script,
    session: Session,
    harness: Harness,
    loaded: Vec<Loaded>,
    by_id: HashMap<String, usize>,
    current: Option<usize>,
    registered: HashMap<String, usize>,
    definitions: HashMap<Option<String>, Source>,
    line: usize,
    report: Report,
}

pub fn run(script: &Script, config: &Config, schema: &str, program: &Path) -> Result<Report, String> {
    let steps = script.steps()?;
    let mut runner = Runner {
        script,
        session: Session::open(config, schema)
            .map_err(|r| format!("cannot connect: {}: {}", r.sqlstate, r.message))?,
        harness: Harness::new(program).map_err(|e| format!("cannot start the harness: {e}"))?,
        loaded: Vec::new(),
        by_id: HashMap::new(),
        current: None,
        registered: HashMap::new(),
        definitions: HashMap::new(),
        line: 0,
        report: Report::default(),
    };
    for step in steps {
        runner.step(step);
    }
    runner.report.replayed = runner.session.replayed;
    Ok(runner.report)
}

impl Runner<'_> {
    fn step(&mut self, step: Step) {
        self.line = step.line;
        match step.directive {
            Directive::Module { id, source } => self.instantiate(id, &source),
            Directive::Definition { id, source } => self.define(id, source),
            Directive::Instance { id, definition } => match self.definitions.remove(&definition) {
                Some(source) => {
                    self.instantiate(id, &source);
                    self.definitions.insert(definition, source);
                }
                None => self.set_current(id, Loaded::NotEnabled("its definition is not enabled".into())),
            },
            Directive::Register { name, module } => self.register(name, module.as_deref()),
            Directive::Invoke(action) => self.act(Kind::Invoke, &action, Expected::AnyValues),
            Directive::Return { action, expected } => {
                self.act(Kind::Return, &action, Expected::Values(&expected));
            }
            Directive::Trap { action, message } => {
                self.act(Kind::Trap, &action, Expected::Trap(&message));
            }
            Directive::Exhaustion { action, message } => {
                self.act(Kind::Exhaustion, &action, Expected::Trap(&message));
            }
            Directive::TrapModule { source, message } => self.trap_module(&source, &message),
            Directive::Invalid { source } => self.refuse(Kind::Invalid, &source),
            Directive::Malformed { source } => self.refuse(Kind::Malformed, &source),
            Directive::Unlinkable { source } => self.unlinkable(&source),
            Directive::Foreign(what) => {
                self.record(Kind::Other, By::NotEnabled(what.to_string()), None);
            }
        }
    }

    fn record(&mut self, kind: Kind, by: By, problem: Option<String>) {
        self.report.entries.push(Entry { line: self.line, kind, by, problem });
    }

    fn count_source(&mut self, source: &Source) {
        if source.is_text {
            self.report.texts += 1;
        } else {
            self.report.binaries += 1;
        }
    }

    /// A refusal for want of a proposal, where the suite has such.  The engine
    /// knows no constant expression that is allowed only by garbage collection.
    fn is_not_enabled(&self, refusal: &Refusal) -> bool {
        let unsupported = "unsupported WebAssembly module: ";
        let of_gc = "constant expression required: global.get of locally defined global";
        !self.script.all_enabled
            && (refusal.message.starts_with(unsupported) || refusal.message.contains(of_gc))
    }

    // --- modules ---

    fn define(&mut self, id: Option<String>, source: Source) {
        self.count_source(&source);
        match self.session.create(&source.code) {
            Ok(_) => {
                self.record(Kind::Module, By::Sql, None);
                self.definitions.insert(None, source.clone());
                self.definitions.insert(id, source);
            }
            Err(refusal) if self.is_not_enabled(&refusal) => {
                self.definitions.remove(&None);
                self.record(Kind::Module, By::NotEnabled(refusal.message), None);
            }
            Err(refusal) => {
                self.definitions.remove(&None);
                self.record(Kind::Module, By::Sql, Some(refused(&refusal)));
            }
        }
    }

    fn instantiate(&mut self, id: Option<String>, source: &Source) {
        self.count_source(source);
        let loaded = self.load(source);
        self.set_current(id, loaded);
    }

    fn set_current(&mut self, id: Option<String>, loaded: Loaded) {
        match &loaded {
            Loaded::Ready(ready) => {
                let imports = ready.sql.imports.clone();
                self.record(Kind::Module, By::Sql, None);
                if let Some(from) = imports.first() {
                    self.record(Kind::Module, By::Harness(importing(from)), None);
                }
                self.share(&imports);
            }
            Loaded::NotEnabled(reason) => {
                self.record(Kind::Module, By::NotEnabled(reason.clone()), None);
            }
            Loaded::Broken(problem) => {
                self.record(Kind::Module, By::Sql, Some(problem.clone()));
            }
        }
        self.loaded.push(loaded);
        self.current = Some(self.loaded.len() - 1);
        if let Some(id) = id {
            self.by_id.insert(id, self.loaded.len() - 1);
        }
    }

    fn load(&mut self, source: &Source) -> Loaded {
        let binary = match &source.binary {
            Ok(binary) => binary,
            Err(problem) => return Loaded::Broken(format!("it has no binary form: {problem}")),
        };
        let sql = match self.session.load(&source.code, binary) {
            Ok(module) => module,
            Err(refusal) if self.is_not_enabled(&refusal) => {
                return Loaded::NotEnabled(refusal.message);
            }
            Err(refusal) => return Loaded::Broken(refused(&refusal)),
        };
        for from in &sql.imports {
            if let Some(Loaded::NotEnabled(_)) = self.registered.get(from).map(|i| &self.loaded[*i]) {
                return Loaded::NotEnabled(format!("imports from \"{from}\", which is not enabled"));
            }
        }
        match self.harness.instantiate(binary) {
            (instance, Start::Ready) => {
                Loaded::Ready(Box::new(Ready { sql, instance, diverged: None }))
            }
            (_, start) => Loaded::Broken(format!("the harness cannot instantiate it: {start}")),
        }
    }

    /// From now on, importers may change the state of the modules they import from.
    fn share(&mut self, imports: &[String]) {
        let line = self.line;
        for from in imports {
            if let Some(i) = self.registered.get(from)
                && let Loaded::Ready(ready) = &mut self.loaded[*i]
                && ready.sql.has_state()
            {
                ready.diverged.get_or_insert(format!("state shared with the module of line {line}"));
            }
        }
    }

    fn find(&self, id: Option<&str>) -> Option<usize> {
        match id {
            Some(id) => self.by_id.get(id).copied(),
            None => self.current,
        }
    }

    fn register(&mut self, name: String, id: Option<&str>) {
        let Some(i) = self.find(id) else { return };
        if let Loaded::Ready(ready) = &self.loaded[i]
            && let Err(problem) = self.harness.register(ready.instance, &name)
        {
            let problem = format!("the harness cannot register \"{name}\": {problem}");
            self.record(Kind::Other, By::Harness("register".to_string()), Some(problem));
        }
        self.registered.insert(name, i);
    }

    // --- modules that must be refused ---

    fn refuse(&mut self, kind: Kind, source: &Source) {
        self.count_source(source);
        match self.session.create(&source.code) {
            Ok(_) => self.record(kind, By::Sql, Some("the module was accepted".to_string())),
            Err(refusal) => {
                *self.report.refusals.entry(refusal.sqlstate.clone()).or_default() += 1;
                // text is parsed first, and must be valid in its encoding before
                let fits = match refusal.sqlstate.as_str() {
                    "22P03" | "0A000" => true,
                    "42601" | "22021" => source.is_text,
                    "54000" => refusal.message.contains("too many locals"),
                    _ => false,
                };
                if self.is_not_enabled(&refusal) {
                    self.record(kind, By::NotEnabled(refusal.message), None);
                } else {
                    self.record(kind, By::Sql, (!fits).then(|| refused(&refusal)));
                }
            }
        }
    }

    /// The module itself is valid: SQL keeps it, and only linking fails.
    fn unlinkable(&mut self, source: &Source) {
        self.count_source(source);
        let by = By::Harness("linking".to_string());
        let problem = match (self.session.create(&source.code), &source.binary) {
            (Err(refusal), _) if self.is_not_enabled(&refusal) => {
                return self.record(Kind::Unlinkable, By::NotEnabled(refusal.message), None);
            }
            (Err(refusal), _) => Some(refused(&refusal)),
            (Ok(_), Err(problem)) => Some(format!("it has no binary form: {problem}")),
            (Ok(_), Ok(binary)) => match self.harness.instantiate(binary).1 {
                Start::Unlinkable(_) => None,
                start => Some(format!("the harness says {start}")),
            },
        };
        self.record(Kind::Unlinkable, by, problem);
    }

    /// A start function or a segment traps.
    fn trap_module(&mut self, source: &Source, message: &str) {
        self.count_source(source);
        let expected = Expected::Trap(message);
        let Ok(binary) = &source.binary else {
            let problem = Some("it has no binary form".to_string());
            return self.record(Kind::Trap, By::Sql, problem);
        };
        let mut module = match self.session.load(&source.code, binary) {
            Ok(module) => module,
            Err(refusal) if self.is_not_enabled(&refusal) => {
                return self.record(Kind::Trap, By::NotEnabled(refusal.message), None);
            }
            Err(refusal) => return self.record(Kind::Trap, By::Sql, Some(refused(&refusal))),
        };
        let control = match self.harness.instantiate(binary).1 {
            Start::Trap(trap) => Outcome::Trap(trap),
            start => Outcome::Error(format!("{start}")),
        };
        self.share(&module.imports);
        let control = unmet(&expected, &control).map(|problem| format!("harness: {problem}"));
        if let Some(from) = module.imports.first() {
            return self.record(Kind::Trap, By::Harness(importing(from)), control);
        }
        match self.session.start(&mut module) {
            Some(outcome) => {
                self.record(Kind::Trap, By::Sql, unmet(&expected, &outcome).or(control));
            }
            None => {
                let reason = "start of a module without a function that SQL can call".to_string();
                self.record(Kind::Trap, By::Harness(reason), control);
            }
        }
    }

    // --- actions ---

    fn act(&mut self, kind: Kind, action: &Action, expected: Expected) {
        let line = self.line;
        let Some(i) = self.find(action.module.as_deref()) else {
            return self.record(kind, By::Sql, Some("there is no such module".to_string()));
        };
        let ready = match &mut self.loaded[i] {
            Loaded::Ready(ready) => ready,
            Loaded::NotEnabled(reason) => {
                let reason = reason.clone();
                return self.record(kind, By::NotEnabled(reason), None);
            }
            Loaded::Broken(_) => {
                return self.record(kind, By::Sql, Some("its module is not there".to_string()));
            }
        };
        if is_foreign(action, &expected) {
            let reason = "a value of a type that is not enabled".to_string();
            return self.record(kind, By::NotEnabled(reason), None);
        }
        let control = self.harness.act(ready.instance, &action.kind);
        let control = unmet(&expected, &control).map(|problem| format!("harness: {problem}"));
        let obstacle = obstacle(ready, action);
        match &action.kind {
            ActionKind::Invoke { export, args } if obstacle.is_none() => {
                let outcome = self.session.call(&mut ready.sql, export, args);
                self.record(kind, By::Sql, unmet(&expected, &outcome).or(control));
            }
            ActionKind::Invoke { export, .. } if ready.sql.changes_state(export) => {
                ready.diverged.get_or_insert(format!("state after line {line}, which SQL cannot run"));
                self.record(kind, By::Harness(obstacle.unwrap_or_default()), control);
            }
            _ => self.record(kind, By::Harness(obstacle.unwrap_or_default()), control),
        }
    }
}

/// Why SQL cannot run an action.
fn obstacle(ready: &Ready, action: &Action) -> Option<String> {
    match &action.kind {
        ActionKind::Get { .. } => Some("value of an exported global".to_string()),
        ActionKind::Invoke { export, .. } => ready
            .sql
            .imports
            .first()
            .map(|from| importing(from))
            .or_else(|| ready.sql.obstacle(export))
            .or_else(|| ready.diverged.clone()),
    }
}

fn importing(from: &str) -> String {
    format!("module that imports from \"{from}\"")
}

fn refused(refusal: &Refusal) -> String {
    format!("refused with {}: {}", refusal.sqlstate, refusal.message)
}

fn is_foreign(action: &Action, expected: &Expected) -> bool {
    let args: &[Value] = match &action.kind {
        ActionKind::Invoke { args, .. } => args,
        ActionKind::Get { .. } => &[],
    };
    args.contains(&Value::Foreign)
        || matches!(expected, Expected::Values(patterns)
            if patterns.iter().any(|pattern| matches!(pattern, Pattern::Foreign)))
}

/// What is wrong with an outcome.
fn unmet(expected: &Expected, outcome: &Outcome) -> Option<String> {
    let met = match (expected, outcome) {
        (Expected::Values(patterns), Outcome::Values(values)) => all_accepted(patterns, values),
        (Expected::AnyValues, Outcome::Values(_)) => true,
        (Expected::Trap(message), Outcome::Trap(trap)) => Trap::of_suite(message) == Some(*trap),
        _ => false,
    };
    let wanted = match expected {
        Expected::Values(patterns) => format!("{patterns:?}"),
        Expected::AnyValues => "success".to_string(),
        Expected::Trap(message) => format!("trap \"{message}\""),
    };
    (!met).then(|| format!("{outcome} instead of {wanted}"))
}
