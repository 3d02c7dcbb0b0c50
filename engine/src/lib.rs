//! Gathers Wasmtime's C API into a static library, with or without the compiler.

pub use wasmtime_c_api::*;
