//! Runs the test suite of the WebAssembly specification through SQL.
//!
//!     spec-suite SOCKET-DIR DATABASE HARNESS LISTS [--update] [--jobs N] [FILE ...]
//!
//! connects to a server that has the extension in that database, and runs the
//! files whose names contain one of the words, or all.  Then it also compares
//! what SQL could not run, and what is not enabled, with the lists in the folder
//! LISTS; --update writes these instead.  The last line counts.

mod facts;
mod harness;
mod outcome;
mod report;
mod run;
mod script;
mod sql;
mod value;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use postgres::Config;

use crate::run::Report;
use crate::script::Script;

/// A parser of deeply nested texts and the connection need more than a thread has.
const STACK: usize = 64 << 20;

struct Options {
    config: Config,
    harness: PathBuf,
    lists: PathBuf,
    update: bool,
    jobs: usize,
    words: Vec<String>,
}

fn options() -> Option<Options> {
    let mut args = std::env::args().skip(1);
    let mut config = Config::new();
    config.host(&args.next()?).user("postgres").dbname(&args.next()?);
    let mut options = Options {
        config,
        harness: args.next()?.into(),
        lists: args.next()?.into(),
        update: false,
        jobs: 2 * thread::available_parallelism().map_or(2, |n| n.get()),
        words: Vec::new(),
    };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--update" => options.update = true,
            "--jobs" => options.jobs = args.next()?.parse().ok()?,
            _ => options.words.push(arg),
        }
    }
    Some(options)
}

/// Runs the scripts on several connections, the longest first.
fn run_all(scripts: &[Script], options: &Options) -> Vec<Result<Report, String>> {
    let mut order: Vec<usize> = (0..scripts.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(scripts[*i].text.len()));
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let work = || {
        while let Some(i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let schema = format!("s{i}");
            let result = run::run(&scripts[*i], &options.config, &schema, &options.harness);
            results.lock().unwrap().push((*i, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs {
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: spec-suite SOCKET-DIR DATABASE HARNESS LISTS [--update] [--jobs N] [FILE ...]");
        return ExitCode::from(2);
    };
    let mut scripts = script::all();
    let whole = options.words.is_empty();
    if !whole {
        scripts.retain(|script| options.words.iter().any(|word| script.name.contains(word)));
    }
    let began = Instant::now();
    let reports = run_all(&scripts, &options);
    println!("{} s on {} connections", began.elapsed().as_secs(), options.jobs);
    let lists = whole.then_some(options.lists.as_path());
    match report::print(&scripts, reports, lists, options.update) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
