//! Gathers Wasmtime's C API into a static library, with or without the compiler,
//! and adds to it what it does not have: components (see `component`), which the
//! C API would offer only together with asynchronous calls.

mod component;
mod describe;
mod files;
mod host;
mod wasi;

pub use component::*;
pub use wasmtime_c_api::*;
