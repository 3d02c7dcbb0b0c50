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

/// Of a hundred generated modules, how many export all that they have; the others
/// export functions that SQL can call.
const EXPORT_ALL: usize = 10;

/// Of a hundred generated modules, how many import something.
const IMPORTING: usize = 2;

/// Of a hundred generated modules, how many may ask for more than an instance can have.
const GREEDY: usize = 3;

/// Of a hundred mutated modules, how many begin as a real one, not a generated one,
/// and how many as a text.
const REAL: usize = 50;
const TEXT: usize = 10;

#[derive(Clone, Copy, PartialEq)]
pub enum Origin {
    Generated,
    Mutated,
}

pub struct Sample {
    pub origin: Origin,
    pub bytes: Vec<u8>,
}

/// Real modules to be mutated; the binaries are also what the texts compile to.
#[derive(Default)]
pub struct Corpus {
    binaries: Vec<Vec<u8>>,
    texts: Vec<Vec<u8>>,
}

impl Corpus {
    /// Reads every .wasm and .wat file of some folders, in the order of their names.
    pub fn read(folders: &[String]) -> io::Result<Corpus> {
        let mut corpus = Corpus::default();
        for folder in folders {
            let mut paths = fs::read_dir(folder)?
                .map(|entry| entry.map(|e| e.path()))
                .collect::<io::Result<Vec<_>>>()?;
            paths.sort();
            for path in paths {
                corpus.add_file(&path)?;
            }
        }
        if corpus.texts.is_empty() {
            return Err(io::Error::other("no module to mutate"));
        }
        Ok(corpus)
    }

    /// A text that cannot be compiled is none of ours, and passed over.
    fn add_file(&mut self, path: &Path) -> io::Result<()> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("wasm") => self.binaries.push(fs::read(path)?),
            Some("wat") => {
                let text = fs::read(path)?;
                if let Ok(binary) = wat::parse_bytes(&text) {
                    self.binaries.push(binary.into_owned());
                    self.texts.push(text);
                }
            }
            _ => (),
        }
        Ok(())
    }

    /// Module number `item` of the run with that seed.
    pub fn sample(&self, random: &mut Random) -> Sample {
        if !random.percent(MUTATED) {
            let bytes = generate(random);
            return Sample {
                origin: Origin::Generated,
                bytes,
            };
        }
        let mut bytes = self.base(random);
        mutate(&mut bytes, self, random);
        Sample {
            origin: Origin::Mutated,
            bytes,
        }
    }

    fn base(&self, random: &mut Random) -> Vec<u8> {
        match random.below(100) {
            0..TEXT => random.pick(&self.texts).clone(),
            TEXT..REAL => random.pick(&self.binaries).clone(),
            _ => generate(random),
        }
    }
}

/// The proposals that src/engine/config.c enables, and the limits of engine.c.
fn config(random: &mut Random) -> Config {
    let greedy = random.percent(GREEDY);
    let imports = usize::from(random.percent(IMPORTING));
    Config {
        min_exports: 1,
        export_everything: true,
        min_funcs: 1,
        max_funcs: 8,
        min_imports: imports,
        max_imports: imports,
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

/// Prescribes exports: functions with types that SQL has, and now and then more.
fn prescribe_exports(config: &mut Config, random: &mut Random) {
    const TYPES: [&str; 5] = ["i32", "i64", "f32", "f64", "v128"];
    const NAMES: [&str; 8] = ["", " x", "x ", "a b", "\\22", "'", "#;;", "\u{fc}\\n"];
    let types = |random: &mut Random, most: usize| {
        let count = random.below(most + 1);
        let list: Vec<&str> = (0..count).map(|_| *random.pick(&TYPES)).collect();
        list.join(" ")
    };
    let mut text = String::from("(module");
    for i in 0..1 + random.below(5) {
        let name = if random.percent(5) {
            *random.pick(&NAMES)
        } else {
            "f"
        };
        let params = types(random, 5);
        let results = types(random, 3);
        text += &format!(
            " (func (export \"{name}{i}\") (param {params}) (result {results}) unreachable)"
        );
    }
    if random.percent(30) {
        text += " (global (export \"global\") (mut i64) (i64.const 0))";
    }
    if random.percent(30) {
        // which is then the only one
        config.max_memories = 0;
        text += " (memory (export \"memory\") 1 100)";
    }
    text.push(')');
    config.exports = Some(wat::parse_str(&text).expect("the text is a module"));
}

/// A valid module whose calls end.
fn generate(random: &mut Random) -> Vec<u8> {
    loop {
        let length = 200 + random.below(4000);
        let bytes = random.bytes(length);
        let mut config = config(random);
        if !random.percent(EXPORT_ALL) {
            prescribe_exports(&mut config, random);
        }
        if let Ok(mut module) = Module::new(config, &mut Unstructured::new(&bytes)) {
            module
                .ensure_termination(FUEL)
                .expect("every body was generated");
            return module.to_bytes();
        }
    }
}

/// Changes a few bytes, mostly near the end, where the code is.
fn mutate(bytes: &mut Vec<u8>, corpus: &Corpus, random: &mut Random) {
    if random.percent(5) {
        let other: &Vec<u8> = random.pick(&corpus.binaries);
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
    let head = if random.percent(80) {
        bytes.len() / 2
    } else {
        0
    };
    let at = head + random.below(bytes.len() - head);
    match random.below(32) {
        0 => bytes.truncate(at),
        1 => {
            bytes.remove(at);
        }
        2 => bytes.insert(at, random.next() as u8),
        3 => {
            let other = random.below(bytes.len());
            bytes.swap(at, other);
        }
        4 => bytes[at] = *random.pick(&[0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xff]),
        5 => bytes[at] = random.next() as u8,
        6 => bytes[at] = bytes[at].wrapping_add(if random.percent(50) { 1 } else { 0xff }),
        7 => bytes[at] ^= 1 << random.below(8),
        _ => exchange(bytes, at, random),
    }
}

/// Puts an instruction in the place of the next one that has others of its type.
fn exchange(bytes: &mut [u8], at: usize, random: &mut Random) {
    // comparisons, unary and binary instructions of i32, i64, f32 and f64; conversions
    const ALIKE: [(u8, u8); 17] = [
        (0x46, 0x4f),
        (0x51, 0x5a),
        (0x5b, 0x60),
        (0x61, 0x66),
        (0x67, 0x69),
        (0x6a, 0x78),
        (0x79, 0x7b),
        (0x7c, 0x8a),
        (0x8b, 0x91),
        (0x92, 0x98),
        (0x99, 0x9f),
        (0xa0, 0xa6),
        (0xa8, 0xa9),
        (0xaa, 0xab),
        (0xac, 0xad),
        (0xb0, 0xb1),
        (0xc2, 0xc4),
    ];
    for byte in &mut bytes[at..] {
        if let Some(&(from, to)) = ALIKE
            .iter()
            .find(|(from, to)| (from..=to).contains(&&*byte))
        {
            *byte = from + random.below(usize::from(to - from) + 1) as u8;
            return;
        }
    }
}
