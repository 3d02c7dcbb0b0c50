//! Puts the engine's C headers where the build of the extension finds them:
//! `include` beside the static library.

use std::path::Path;
use std::{env, fs};

fn main() {
    let headers = env::var("DEP_WASMTIME_C_API_INCLUDE").expect("headers of the C API");
    let out_dir = env::var("OUT_DIR").unwrap();
    let profile_dir = Path::new(&out_dir).ancestors().nth(3).unwrap();
    copy(Path::new(&headers), &profile_dir.join("include"));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
