//! The example of the README, in Rust.
//!
//! rustc --target wasm32-unknown-unknown -O --crate-type cdylib simple.rs

#[unsafe(no_mangle)]
pub extern "C" fn sum(a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}
