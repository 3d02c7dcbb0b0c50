//! What a component imports and exports, as bytes for C.
//!
//! `src/engine/wit.c` of the extension reads them.  A number is a byte or four,
//! little-endian; a string is its length in bytes and these, in UTF-8; a list is its
//! length and its members.  The whole is the list of imports and then that of
//! exports:
//!
//! ```text
//! extern  = from:string name:string ('f' function | 't' type | 'r' | 'o')
//! function = async:byte params:list<name:string type> results:list<type>
//! type    = kind:byte, see [`Kind`], and what that says
//! ```
//!
//! A record, variant, enumeration or flags has a name where the component exports
//! the type under one.

use wasmtime::component::Component;
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};

/// Kinds of types; the numbers are those of PgwWitKind in C.
#[repr(u8)]
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    Float32,
    Float64,
    Char,
    String,
    /// the element's type
    List,
    /// the type of the value
    Option,
    /// two optional types: 0, or 1 and the type
    Result,
    /// a list of types
    Tuple,
    /// a name, and a list of names and types
    Record,
    /// a name, and a list of names and optional types
    Variant,
    /// a name, and a list of names
    Enum,
    /// a name, and a list of names
    Flags,
    /// the types of a key and of its value
    Map,
    Own,
    Borrow,
    /// one that the extension does not know
    Other,
}

/// Types share parts, and names are repeated: written out in full they may be very large.
/// A session keeps some hundred bytes for each of a description.
const DESCRIPTION_MAX: usize = 512 * 1024;

/// So many names of types are known; what is of a type with another one is shown instead.
const NAMES_MAX: usize = 1000;

/// Takes no more than a little beyond DESCRIPTION_MAX.
struct Writer {
    bytes: Vec<u8>,
    /// types that the component exports under a name
    names: Vec<(String, Type)>,
}

impl Writer {
    fn is_full(&self) -> bool {
        self.bytes.len() > DESCRIPTION_MAX
    }

    fn append(&mut self, bytes: &[u8]) {
        if !self.is_full() {
            let room = DESCRIPTION_MAX + 1 - self.bytes.len();
            self.bytes
                .extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.append(&[byte]);
    }

    fn number(&mut self, number: usize) {
        self.append(&(number as u32).to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        self.number(text.len());
        self.append(text.as_bytes());
    }

    fn kind(&mut self, kind: Kind) {
        self.byte(kind as u8);
    }

    fn named(&mut self, kind: Kind, ty: &Type) {
        self.kind(kind);
        let found = self.names.iter().find(|(_, known)| known == ty);
        let name = found.map(|(name, _)| name.clone()).unwrap_or_default();
        self.string(&name);
    }

    fn optional(&mut self, ty: Option<Type>) {
        self.byte(ty.is_some().into());
        if let Some(ty) = ty {
            self.ty(&ty);
        }
    }

    fn names<'a>(&mut self, names: impl ExactSizeIterator<Item = &'a str>) {
        self.number(names.len());
        for name in names {
            self.string(name);
        }
    }

    fn ty(&mut self, ty: &Type) {
        match ty {
            // nobody will read it
            _ if self.is_full() => (),
            Type::Bool => self.kind(Kind::Bool),
            Type::S8 => self.kind(Kind::S8),
            Type::U8 => self.kind(Kind::U8),
            Type::S16 => self.kind(Kind::S16),
            Type::U16 => self.kind(Kind::U16),
            Type::S32 => self.kind(Kind::S32),
            Type::U32 => self.kind(Kind::U32),
            Type::S64 => self.kind(Kind::S64),
            Type::U64 => self.kind(Kind::U64),
            Type::Float32 => self.kind(Kind::Float32),
            Type::Float64 => self.kind(Kind::Float64),
            Type::Char => self.kind(Kind::Char),
            Type::String => self.kind(Kind::String),
            Type::List(list) => {
                self.kind(Kind::List);
                self.ty(&list.ty());
            }
            Type::Option(option) => {
                self.kind(Kind::Option);
                self.ty(&option.ty());
            }
            Type::Result(result) => {
                self.kind(Kind::Result);
                self.optional(result.ok());
                self.optional(result.err());
            }
            Type::Tuple(tuple) => {
                self.kind(Kind::Tuple);
                self.number(tuple.types().len());
                for ty in tuple.types() {
                    self.ty(&ty);
                }
            }
            Type::Record(record) => {
                self.named(Kind::Record, ty);
                self.number(record.fields().len());
                for field in record.fields() {
                    self.string(field.name);
                    self.ty(&field.ty);
                }
            }
            Type::Variant(variant) => {
                self.named(Kind::Variant, ty);
                self.number(variant.cases().len());
                for case in variant.cases() {
                    self.string(case.name);
                    self.optional(case.ty);
                }
            }
            Type::Enum(names) => {
                self.named(Kind::Enum, ty);
                self.names(names.names());
            }
            Type::Flags(names) => {
                self.named(Kind::Flags, ty);
                self.names(names.names());
            }
            Type::Map(map) => {
                self.kind(Kind::Map);
                self.ty(&map.key());
                self.ty(&map.value());
            }
            Type::Own(_) => self.kind(Kind::Own),
            Type::Borrow(_) => self.kind(Kind::Borrow),
            _ => self.kind(Kind::Other),
        }
    }

    fn function(&mut self, function: &ComponentFunc) {
        self.byte(function.async_().into());
        self.number(function.params().len());
        for (name, ty) in function.params() {
            self.string(name);
            self.ty(&ty);
        }
        self.number(function.results().len());
        for ty in function.results() {
            self.ty(&ty);
        }
    }

    fn item(&mut self, from: &str, name: &str, item: &ComponentItem) {
        self.string(from);
        self.string(name);
        match item {
            ComponentItem::ComponentFunc(function) => {
                self.byte(b'f');
                self.function(function);
            }
            ComponentItem::Type(ty) => {
                self.byte(b't');
                self.ty(ty);
            }
            ComponentItem::Resource(_) => self.byte(b'r'),
            _ => self.byte(b'o'),
        }
    }
}

/// Items by the instance that they are in, "" for none, and their own name.
fn flattened<'a>(
    component: &'a Component,
    items: impl Iterator<Item = (&'a str, ComponentItem)>,
) -> Vec<(&'a str, String, ComponentItem)> {
    let engine = component.engine();
    let mut found = Vec::new();
    for (name, item) in items {
        if let ComponentItem::ComponentInstance(instance) = &item {
            for (inner, item) in instance.exports(engine) {
                found.push((name, inner.to_string(), item.ty));
            }
        } else {
            found.push(("", name.to_string(), item));
        }
    }
    found
}

/// None where it would be too long.
pub fn describe(component: &Component) -> Option<Vec<u8>> {
    let engine = component.engine();
    let ty = component.component_type();
    let imports = flattened(
        component,
        ty.imports(engine).map(|(name, item)| (name, item.ty)),
    );
    let exports = flattened(
        component,
        ty.exports(engine).map(|(name, item)| (name, item.ty)),
    );
    let names = exports
        .iter()
        .chain(&imports)
        .filter_map(|(_, name, item)| match item {
            ComponentItem::Type(ty) => Some((name.to_string(), ty.clone())),
            _ => None,
        })
        .take(NAMES_MAX);
    let mut writer = Writer {
        bytes: Vec::new(),
        names: names.collect(),
    };
    for items in [&imports, &exports] {
        writer.number(items.len());
        for (from, name, item) in items {
            writer.item(from, name, item);
        }
    }
    (!writer.is_full()).then_some(writer.bytes)
}

/// How many values types take on the stack of a core module.
pub fn flat_count(types: impl Iterator<Item = Type>) -> usize {
    types.map(|ty| flat_count_of(&ty)).sum()
}

fn flat_count_of(ty: &Type) -> usize {
    let optional = |ty: Option<Type>| ty.map_or(0, |ty| flat_count_of(&ty));
    match ty {
        Type::String | Type::List(_) | Type::Map(_) => 2,
        Type::Option(option) => 1 + flat_count_of(&option.ty()),
        Type::Result(result) => 1 + optional(result.ok()).max(optional(result.err())),
        Type::Tuple(tuple) => flat_count(tuple.types()),
        Type::Record(record) => flat_count(record.fields().map(|field| field.ty)),
        Type::Variant(variant) => {
            1 + variant
                .cases()
                .map(|case| optional(case.ty))
                .max()
                .unwrap_or(0)
        }
        Type::Flags(flags) => flags.names().len().div_ceil(32),
        _ => 1,
    }
}
