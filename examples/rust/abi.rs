//! What a guest in Rust needs for text, bytea and arrays of numbers: to be copied.
//!
//! `string` and `list` take an argument; `give` returns a result, and `free` is what
//! its `cabi_post_...` calls.  `report_panics` is for those who want to know.

use std::alloc::{alloc, handle_alloc_error, Layout};

/// A result, as the host reads it.
#[repr(C)]
pub struct List<T> {
    items: *mut T,
    length: usize,
}

/// The host allocates an argument; it never asks to change one.
#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(
    _: *mut u8,
    _: usize,
    alignment: usize,
    size: usize,
) -> *mut u8 {
    if size == 0 {
        return alignment as *mut u8;
    }
    let layout = Layout::from_size_align(size, alignment).expect("a size that fits");
    let address = alloc(layout);
    if address.is_null() {
        handle_alloc_error(layout);
    }
    address
}

/// The argument is the guest's: it goes away with the vector.
pub unsafe fn list<T>(items: *mut T, length: usize) -> Vec<T> {
    Vec::from_raw_parts(items, length, length)
}

/// The host has checked that it is UTF-8.
pub unsafe fn string(bytes: *mut u8, length: usize) -> String {
    String::from_utf8_unchecked(list(bytes, length))
}

/// A string is given as `string.into_bytes()`.
pub fn give<T>(items: Vec<T>) -> *mut List<T> {
    let items = Box::leak(items.into_boxed_slice());
    Box::into_raw(Box::new(List {
        items: items.as_mut_ptr(),
        length: items.len(),
    }))
}

pub unsafe fn free<T>(list: *mut List<T>) {
    let list = Box::from_raw(list);
    drop(Box::from_raw(std::slice::from_raw_parts_mut(
        list.items,
        list.length,
    )));
}

#[link(wasm_import_module = "postgres:host/log@0.1.0")]
extern "C" {
    fn log(level: u32, message: *const u8, length: usize);
}

/// From now on a panic reports its message as a warning, before the trap that ends the
/// call.
pub fn report_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let payload = panic.payload();
            let message = payload
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| payload.downcast_ref::<&str>().copied())
                .unwrap_or("panic");
            let message = match panic.location() {
                Some(place) => format!("{}, {}:{}", message, place.file(), place.line()),
                None => message.to_string(),
            };
            unsafe { log(4, message.as_ptr(), message.len()) }
        }))
    });
}
