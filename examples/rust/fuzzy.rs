//! Texts that are nearly the same: the mistakes between two words, and profiles by
//! which texts are compared.
//!
//! doc/guests/rust.md says how it is built and called.

mod abi;

use abi::{free, give, list, string, List};

/// Numbers of a profile
const WIDTH: usize = 64;

/// How many characters must be inserted, removed, replaced or swapped with their
/// neighbour to make one text of the other.
fn mistakes(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut before = vec![0; to.len() + 1];
    let mut last = before.clone();
    let mut row: Vec<usize> = (0..=to.len()).collect();

    for i in 1..=from.len() {
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
        row[0] = i;
        for j in 1..=to.len() {
            let replaced = last[j - 1] + (from[i - 1] != to[j - 1]) as usize;
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
    }
    row[to.len()]
}

/// Where a group of letters counts, the same in every version of Rust
fn place(letters: &[char]) -> usize {
    let hash = letters.iter().fold(0, |hash: u64, letter| {
        (hash ^ *letter as u64).wrapping_mul(0x9e3779b97f4a7c15)
    });
    (hash >> 32) as usize % WIDTH
}

/// A text as a direction in space: which groups of three letters it has, whatever
/// their case.
fn profile(content: &str) -> Vec<f32> {
    let mut numbers = vec![0f32; WIDTH];
    let words = content.to_lowercase();
    for word in words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let letters: Vec<char> = format!("  {} ", word).chars().collect();
        for group in letters.windows(3) {
            numbers[place(group)] += 1.0;
        }
    }
    let length = numbers.iter().map(|n| n * n).sum::<f32>().sqrt();
    if length > 0.0 {
        numbers.iter_mut().for_each(|n| *n /= length);
    }
    numbers
}

/// text, text -> integer: each text is two numbers
#[export_name = "mistakes"]
pub unsafe extern "C" fn export_mistakes(
    from: *mut u8,
    from_length: usize,
    to: *mut u8,
    to_length: usize,
) -> usize {
    mistakes(&string(from, from_length), &string(to, to_length))
}

/// text -> real[]: the result is an address
#[export_name = "profile"]
pub unsafe extern "C" fn export_profile(content: *mut u8, length: usize) -> *mut List<f32> {
    give(profile(&string(content, length)))
}

/// The host calls this when it has copied the result.
#[export_name = "cabi_post_profile"]
pub unsafe extern "C" fn free_profile(result: *mut List<f32>) {
    free(result);
}

/// real[], real[] -> real: 1 for the same direction, 0 for nothing in common
#[export_name = "likeness"]
pub unsafe extern "C" fn likeness(
    a: *mut f32,
    a_length: usize,
    b: *mut f32,
    b_length: usize,
) -> f32 {
    abi::report_panics();
    let (a, b) = (list(a, a_length), list(b, b_length));
    if a.len() != b.len() {
        panic!("profiles of {} and {} numbers", a.len(), b.len());
    }
    a.iter().zip(&b).map(|(a, b)| a * b).sum()
}
