//! The modules of a run: generated ones, and others with some bytes changed.

use std::fs;
use std::io;
use std::path::Path;

use arbitrary::Unstructured;
use wasm_smith::{Config, Module};

use crate::random::Random;

/// How many loops and calls a generated module may make before it traps.
const FUEL: u32 = 1000;

/// Of a hundred modules, how many are mutated.
const MUTATED: usize = 30;

/// Of a hundred modules, how many may ask for more than an instance can have.
const GREEDY: usize = 3;

/// Of a hundred mutated modules, how many begin as a real one, not a generated one.
const REAL: usize = 60;

#[derive(Clone, Copy, PartialEq)]
pub enum Origin {
    Generated,
    Mutated,
}

pub struct Sample {
    pub origin: Origin,
    pub bytes: Vec<u8>,
}

/// Real modules to be mutated: binaries, and texts both as they are and compiled.
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    /// Reads every .wasm and .wat file of some folders, in the order of their names.
    pub fn read(folders: &[String]) -> io::Result<Corpus> {
        let mut modules = Vec::new();
        for folder in folders {
            let mut paths = fs::read_dir(folder)?
                .map(|entry| entry.map(|e| e.path()))
                .collect::<io::Result<Vec<_>>>()?;
            paths.sort();
            for path in paths {
                add_file(&mut modules, &path)?;
            }
        }
        if modules.is_empty() {
            return Err(io::Error::other("no module to mutate"));
        }
        Ok(Corpus(modules))
    }

    /// Module number `item` of the run with that seed.
    pub fn sample(&self, random: &mut Random) -> Sample {
        if !random.percent(MUTATED) {
            let bytes = generate(random);
            return Sample { origin: Origin::Generated, bytes };
        }
        let mut bytes = self.base(random);
        mutate(&mut bytes, self, random);
        Sample { origin: Origin::Mutated, bytes }
    }

    fn base(&self, random: &mut Random) -> Vec<u8> {
        if random.percent(REAL) { random.pick(&self.0).clone() } else { generate(random) }
    }
}

/// A text that cannot be compiled is none of ours, and passed over.
fn add_file(modules: &mut Vec<Vec<u8>>, path: &Path) -> io::Result<()> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("wasm") => modules.push(fs::read(path)?),
        Some("wat") => {
            let text = fs::read(path)?;
            if let Ok(binary) = wat::parse_bytes(&text) {
                modules.push(binary.into_owned());
                modules.push(text);
            }
        }
        _ => (),
    }
    Ok(())
}

/// The proposals that src/engine/config.c enables, and the limits of engine.c.
fn config(random: &mut Random) -> Config {
    let greedy = random.percent(GREEDY);
    Config {
        min_exports: 1,
        export_everything: true,
        min_funcs: 1,
        max_funcs: 8,
        max_imports: 0,
        max_instructions: 40 + random.below(200),
        max_memories: 1,
        max_memory32_bytes: if greedy { 1 << 32 } else { 64 << 20 },
        max_tables: if greedy { 8 } else { 4 },
        max_table_elements: if greedy { 10_000_000 } else { 100_000 },
        max_data_segments: 8,
        max_element_segments: 8,
        max_globals: 8,
        disallow_traps: random.percent(50),
        allow_start_export: true,
        generate_custom_sections: random.percent(10),
        bulk_memory_enabled: true,
        extended_const_enabled: true,
        multi_value_enabled: true,
        reference_types_enabled: true,
        saturating_float_to_int_enabled: true,
        sign_extension_ops_enabled: true,
        simd_enabled: true,
        tail_call_enabled: true,
        custom_descriptors_enabled: false,
        custom_page_sizes_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..Config::default()
    }
}

/// A valid module without imports whose calls end.
fn generate(random: &mut Random) -> Vec<u8> {
    loop {
        let length = 200 + random.below(4000);
        let bytes = random.bytes(length);
        let config = config(random);
        if let Ok(mut module) = Module::new(config, &mut Unstructured::new(&bytes)) {
            module.ensure_termination(FUEL).expect("every body was generated");
            return module.to_bytes();
        }
    }
}

/// Changes a few bytes, mostly near the end, where the code is.
fn mutate(bytes: &mut Vec<u8>, corpus: &Corpus, random: &mut Random) {
    if random.percent(5) {
        let other: &Vec<u8> = random.pick(&corpus.0);
        splice(bytes, other, random);
    }
    for _ in 0..1 + random.below(3) {
        if bytes.is_empty() {
            return;
        }
        change_byte(bytes, random);
    }
}

/// The head of one module and the tail of another.
fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let cut = random.below(bytes.len() + 1);
    bytes.truncate(cut);
    bytes.extend_from_slice(&other[random.below(other.len())..]);
}

fn change_byte(bytes: &mut Vec<u8>, random: &mut Random) {
    let head = if random.percent(80) { bytes.len() / 2 } else { 0 };
    let at = head + random.below(bytes.len() - head);
    match random.below(20) {
        0 => bytes.truncate(at),
        1 => {
            bytes.remove(at);
        }
        2 => bytes.insert(at, random.next() as u8),
        3 => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
        }
        4..8 => bytes[at] = random.next() as u8,
        8..12 => bytes[at] = *random.pick(&[0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xff]),
        12..16 => bytes[at] = bytes[at].wrapping_add(if random.percent(50) { 1 } else { 0xff }),
        _ => bytes[at] ^= 1 << random.below(8),
    }
}
