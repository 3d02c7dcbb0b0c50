//! Values of WebAssembly by their bits, and what the suite expects of them.

use std::fmt::{Debug, Display, Formatter, Result};

use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};
use wast::{WastArg, WastRet};

#[derive(Clone, PartialEq)]
pub enum Value {
    I32(u32),
    I64(u64),
    F32(u32),
    F64(u64),
    /// In the order of memory
    V128([u8; 16]),
    NullFunc,
    /// One that is not null
    Func,
    NullExtern,
    Extern(u32),
    /// Of a type that the enabled proposals do not have
    Foreign,
}

impl Value {
    pub fn from_wast(arg: WastArg) -> Value {
        let WastArg::Core(arg) = arg else { return Value::Foreign };
        match arg {
            WastArgCore::I32(x) => Value::I32(x as u32),
            WastArgCore::I64(x) => Value::I64(x as u64),
            WastArgCore::F32(x) => Value::F32(x.bits),
            WastArgCore::F64(x) => Value::F64(x.bits),
            WastArgCore::V128(x) => Value::V128(x.to_le_bytes()),
            WastArgCore::RefNull(heap) => match abstract_type(&heap) {
                Some(AbstractHeapType::Func) => Value::NullFunc,
                Some(AbstractHeapType::Extern) => Value::NullExtern,
                _ => Value::Foreign,
            },
            WastArgCore::RefExtern(x) => Value::Extern(x),
            WastArgCore::RefHost(_) => Value::Foreign,
        }
    }

    /// As the harness writes it.
    pub fn parse(text: &str) -> Option<Value> {
        let (kind, content) = text.split_once(':')?;
        let bits = || u64::from_str_radix(content, 16).ok();
        Some(match (kind, content) {
            ("i32", _) => Value::I32(bits()? as u32),
            ("i64", _) => Value::I64(bits()?),
            ("f32", _) => Value::F32(bits()? as u32),
            ("f64", _) => Value::F64(bits()?),
            ("v128", _) => Value::V128(u128::from_str_radix(content, 16).ok()?.to_be_bytes()),
            ("funcref", "null") => Value::NullFunc,
            ("funcref", _) => Value::Func,
            ("externref", "null") => Value::NullExtern,
            ("externref", _) => Value::Extern(content.parse().ok()?),
            _ => return None,
        })
    }
}

/// As the harness reads it.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter) -> Result {
        match self {
            Value::I32(x) => write!(f, "i32:{x:08x}"),
            Value::I64(x) => write!(f, "i64:{x:016x}"),
            Value::F32(x) => write!(f, "f32:{x:08x}"),
            Value::F64(x) => write!(f, "f64:{x:016x}"),
            Value::V128(x) => write!(f, "v128:{:032x}", u128::from_be_bytes(*x)),
            Value::NullFunc => write!(f, "funcref:null"),
            Value::Func => write!(f, "funcref:func"),
            Value::NullExtern => write!(f, "externref:null"),
            Value::Extern(x) => write!(f, "externref:{x}"),
            Value::Foreign => write!(f, "foreign"),
        }
    }
}

impl Debug for Value {
    fn fmt(&self, f: &mut Formatter) -> Result {
        Display::fmt(self, f)
    }
}

#[derive(Debug, Clone)]
pub enum Pattern {
    Exactly(Value),
    F32(Lane),
    F64(Lane),
    F32x4([Lane; 4]),
    F64x2([Lane; 2]),
    AnyNull,
    AnyExtern,
    OneOf(Vec<Pattern>),
    Foreign,
}

/// What is expected of a float, by its bits.
#[derive(Debug, Clone, Copy)]
pub enum Lane {
    Bits(u64),
    CanonicalNan,
    ArithmeticNan,
}

impl Pattern {
    pub fn from_wast(expected: WastRet) -> Pattern {
        match expected {
            WastRet::Core(expected) => Pattern::from_core(expected),
            _ => Pattern::Foreign,
        }
    }

    fn from_core(expected: WastRetCore) -> Pattern {
        match expected {
            WastRetCore::I32(x) => Pattern::Exactly(Value::I32(x as u32)),
            WastRetCore::I64(x) => Pattern::Exactly(Value::I64(x as u64)),
            WastRetCore::F32(x) => Pattern::F32(Lane::from_f32(x)),
            WastRetCore::F64(x) => Pattern::F64(Lane::from_f64(x)),
            WastRetCore::V128(x) => Pattern::from_v128(x),
            WastRetCore::RefNull(None) => Pattern::AnyNull,
            WastRetCore::RefNull(Some(heap)) => match abstract_type(&heap) {
                Some(AbstractHeapType::Func) => Pattern::Exactly(Value::NullFunc),
                Some(AbstractHeapType::Extern) => Pattern::Exactly(Value::NullExtern),
                _ => Pattern::Foreign,
            },
            WastRetCore::RefExtern(Some(x)) => Pattern::Exactly(Value::Extern(x)),
            WastRetCore::RefExtern(None) => Pattern::AnyExtern,
            WastRetCore::RefFunc(None) => Pattern::Exactly(Value::Func),
            WastRetCore::Either(cases) => {
                Pattern::OneOf(cases.into_iter().map(Pattern::from_core).collect())
            }
            _ => Pattern::Foreign,
        }
    }

    fn from_v128(expected: V128Pattern) -> Pattern {
        let bytes: Vec<u8> = match expected {
            V128Pattern::I8x16(lanes) => lanes.iter().flat_map(|x| x.to_le_bytes()).collect(),
            V128Pattern::I16x8(lanes) => lanes.iter().flat_map(|x| x.to_le_bytes()).collect(),
            V128Pattern::I32x4(lanes) => lanes.iter().flat_map(|x| x.to_le_bytes()).collect(),
            V128Pattern::I64x2(lanes) => lanes.iter().flat_map(|x| x.to_le_bytes()).collect(),
            V128Pattern::F32x4(lanes) => return Pattern::F32x4(lanes.map(Lane::from_f32)),
            V128Pattern::F64x2(lanes) => return Pattern::F64x2(lanes.map(Lane::from_f64)),
        };
        Pattern::Exactly(Value::V128(bytes.try_into().unwrap()))
    }

    pub fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Pattern::Exactly(expected), value) => expected == value,
            (Pattern::F32(lane), Value::F32(bits)) => lane.accepts_f32(*bits),
            (Pattern::F64(lane), Value::F64(bits)) => lane.accepts_f64(*bits),
            (Pattern::F32x4(lanes), Value::V128(bytes)) => {
                let parts = bytes.chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()));
                lanes.iter().zip(parts).all(|(lane, bits)| lane.accepts_f32(bits))
            }
            (Pattern::F64x2(lanes), Value::V128(bytes)) => {
                let parts = bytes.chunks(8).map(|b| u64::from_le_bytes(b.try_into().unwrap()));
                lanes.iter().zip(parts).all(|(lane, bits)| lane.accepts_f64(bits))
            }
            (Pattern::AnyNull, value) => matches!(value, Value::NullFunc | Value::NullExtern),
            (Pattern::AnyExtern, value) => matches!(value, Value::Extern(_)),
            (Pattern::OneOf(cases), value) => cases.iter().any(|case| case.accepts(value)),
            _ => false,
        }
    }
}

impl Lane {
    fn from_f32(expected: NanPattern<F32>) -> Lane {
        match expected {
            NanPattern::CanonicalNan => Lane::CanonicalNan,
            NanPattern::ArithmeticNan => Lane::ArithmeticNan,
            NanPattern::Value(x) => Lane::Bits(x.bits.into()),
        }
    }

    fn from_f64(expected: NanPattern<F64>) -> Lane {
        match expected {
            NanPattern::CanonicalNan => Lane::CanonicalNan,
            NanPattern::ArithmeticNan => Lane::ArithmeticNan,
            NanPattern::Value(x) => Lane::Bits(x.bits),
        }
    }

    /// The sign of a NaN is free; an arithmetic one has the quiet bit at least.
    fn accepts_f32(self, bits: u32) -> bool {
        match self {
            Lane::Bits(expected) => expected == bits.into(),
            Lane::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
            Lane::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        }
    }

    fn accepts_f64(self, bits: u64) -> bool {
        match self {
            Lane::Bits(expected) => expected == bits,
            Lane::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
            Lane::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        }
    }
}

pub fn all_accepted(expected: &[Pattern], values: &[Value]) -> bool {
    expected.len() == values.len()
        && expected.iter().zip(values).all(|(pattern, value)| pattern.accepts(value))
}

fn abstract_type(heap: &HeapType) -> Option<AbstractHeapType> {
    match heap {
        HeapType::Abstract { shared: false, ty } => Some(*ty),
        _ => None,
    }
}
