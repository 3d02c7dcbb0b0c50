//! What the binary form of a module tells without running it.

use std::collections::HashSet;

use wasmparser::{ExternalKind, Operator, Parser, Payload, TypeRef};

#[derive(Default)]
pub struct Facts {
    pub has_imports: bool,
    pub has_exports: bool,
    /// Whether there is a table, a memory or a global
    pub has_state: bool,
    /// The exported functions that may change state, by themselves or by what they call
    pub changing: HashSet<String>,
}

/// What the code of one function does.
#[derive(Default)]
struct Body {
    changes: bool,
    calls: Vec<u32>,
}

impl Facts {
    /// The binary may be one that is not valid: then what comes after is not seen.
    pub fn of(binary: &[u8]) -> Facts {
        let mut facts = Facts::default();
        let mut exports = Vec::new();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(binary).map_while(Result::ok) {
            match payload {
                Payload::ImportSection(imports) => {
                    facts.has_imports = imports.count() > 0;
                    for import in imports.into_imports().map_while(Result::ok) {
                        if matches!(import.ty, TypeRef::Func(_)) {
                            bodies.push(Body { changes: true, calls: Vec::new() });
                        }
                    }
                }
                Payload::TableSection(_) | Payload::MemorySection(_) | Payload::GlobalSection(_) => {
                    facts.has_state = true;
                }
                Payload::ExportSection(section) => {
                    facts.has_exports = true;
                    exports.extend(section.into_iter().map_while(Result::ok));
                }
                Payload::CodeSectionEntry(code) => {
                    let operators = code.get_operators_reader().into_iter().flatten();
                    bodies.push(body(operators.map_while(Result::ok)));
                }
                _ => {}
            }
        }
        spread(&mut bodies);
        facts.changing = exports
            .into_iter()
            .filter(|export| export.kind == ExternalKind::Func)
            .filter(|export| bodies.get(export.index as usize).is_none_or(|body| body.changes))
            .map(|export| export.name.to_string())
            .collect();
        facts
    }
}

fn body<'a>(operators: impl Iterator<Item = Operator<'a>>) -> Body {
    let mut body = Body::default();
    for operator in operators {
        match operator {
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                body.calls.push(function_index);
            }
            other => body.changes |= may_change(&other),
        }
    }
    body
}

/// An indirect call may call anything.
fn may_change(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::CallIndirect { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::CallRef { .. }
            | Operator::ReturnCallRef { .. }
            | Operator::GlobalSet { .. }
            | Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::MemoryGrow { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::I32Store { .. }
            | Operator::I32Store8 { .. }
            | Operator::I32Store16 { .. }
            | Operator::I64Store { .. }
            | Operator::I64Store8 { .. }
            | Operator::I64Store16 { .. }
            | Operator::I64Store32 { .. }
            | Operator::F32Store { .. }
            | Operator::F64Store { .. }
            | Operator::V128Store { .. }
            | Operator::V128Store8Lane { .. }
            | Operator::V128Store16Lane { .. }
            | Operator::V128Store32Lane { .. }
            | Operator::V128Store64Lane { .. }
    )
}

/// Whoever calls what changes state, changes state.
fn spread(bodies: &mut [Body]) {
    let mut grows = true;
    while grows {
        grows = false;
        for i in 0..bodies.len() {
            let callee_changes = |callee: &u32| bodies.get(*callee as usize).is_none_or(|b| b.changes);
            if !bodies[i].changes && bodies[i].calls.iter().any(callee_changes) {
                bodies[i].changes = true;
                grows = true;
            }
        }
    }
}
