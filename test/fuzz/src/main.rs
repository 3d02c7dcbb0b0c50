//! Random modules through SQL, compared with the engine alone.
//!
//!     pgw-fuzz COUNT SEED FIRST JOBS SOCKET LOG ENGINE FINDINGS CORPUS...
//!
//! Tries COUNT modules of the run with that seed, from number FIRST on, in JOBS
//! sessions of the server at SOCKET, whose log is LOG.  ENGINE is the program
//! made of reference.c, CORPUS are folders with real modules.  Modules that
//! matter go to the folder FINDINGS.  The same seed gives the same modules and
//! arguments, whatever the number of sessions.

mod engine;
mod modules;
mod random;
mod server;
mod trial;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use engine::Engine;
use modules::{Corpus, Origin, Sample};
use random::Random;
use server::{Log, Session};
use trial::{Counts, Trier};

/// Of a hundred modules, how many must instantiate and be called.
const INSTANTIATED_MIN: f64 = 60.0;

/// How often a module may be tried when other sessions crash.
const TRIES_MAX: usize = 10;

struct Options {
    count: u64,
    seed: u64,
    first: u64,
    jobs: usize,
    socket: String,
    log: Log,
    engine: String,
    findings: PathBuf,
    corpus: Corpus,
}

fn options() -> Result<Options, Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [
        count,
        seed,
        first,
        jobs,
        socket,
        log,
        engine,
        findings,
        corpus @ ..,
    ] = &args[..]
    else {
        return Err(
            "usage: pgw-fuzz COUNT SEED FIRST JOBS SOCKET LOG ENGINE FINDINGS CORPUS...".into(),
        );
    };
    Ok(Options {
        count: count.parse()?,
        seed: seed.parse()?,
        first: first.parse()?,
        jobs: jobs.parse()?,
        socket: socket.clone(),
        log: Log(log.clone()),
        engine: engine.clone(),
        findings: PathBuf::from(findings),
        corpus: Corpus::read(corpus)?,
    })
}

#[derive(Default)]
struct Totals {
    counts: Counts,
    tried: u64,
    mutated: u64,
    mismatches: u64,
    /// Deaths of a backend: where the engine alone aborts as well, and others.
    admitted: u64,
    crashes: u64,
}

/// Keeps a module and why; prints where, and the first line.
fn keep(folder: &Path, item: u64, sample: &Sample, why: &str) {
    let summary = why.lines().next().unwrap_or_default();
    println!(
        "{}: {summary}",
        folder.join(format!("{item}.wasm")).display()
    );
    let file = folder.join(format!("{item}.wasm"));
    let note = folder.join(format!("{item}.txt"));
    fs::write(file, &sample.bytes).expect("the folder of findings can be written");
    fs::write(note, format!("{why}\n")).expect("the folder of findings can be written");
}

struct Worker<'a> {
    options: &'a Options,
    totals: &'a Mutex<Totals>,
    trier: Trier,
    /// Crashes of the server that were known when the session began.
    crashes: usize,
}

impl Worker<'_> {
    fn run(&mut self, next: &AtomicU64) -> Result<(), Box<dyn Error + Send + Sync>> {
        loop {
            let item = next.fetch_add(1, Ordering::Relaxed);
            if item >= self.options.first + self.options.count {
                return Ok(());
            }
            self.try_item(item)?;
        }
    }

    fn try_item(&mut self, item: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut random = Random::new(self.options.seed, item);
        let sample = self.options.corpus.sample(&mut random);
        let arguments = random.next();
        for _ in 0..TRIES_MAX {
            let mut random = Random::new(arguments, item);
            if let Ok(counts) = self.trier.try_module(&sample.bytes, &mut random) {
                self.count(item, &sample, &counts);
                return Ok(());
            }
            if self.explain_loss(item, &sample)? {
                return Ok(());
            }
        }
        Err(format!("module {item}: the server crashes again and again").into())
    }

    fn count(&self, item: u64, sample: &Sample, counts: &Counts) {
        let mut totals = self
            .totals
            .lock()
            .expect("no worker panics with the totals");
        totals.tried += 1;
        totals.mutated += u64::from(sample.origin == Origin::Mutated);
        totals.counts.add(counts);
        if let Some(text) = &counts.mismatch {
            totals.mismatches += 1;
            keep(&self.options.findings, item, sample, text);
        }
    }

    /// The session has ended: opens another.  True when this module did it.
    fn explain_loss(
        &mut self,
        item: u64,
        sample: &Sample,
    ) -> Result<bool, Box<dyn Error + Send + Sync>> {
        let pid = self.trier.session.pid;
        self.trier.reopen()?;
        let death = self.options.log.death_of(pid);
        let known = self.crashes;
        self.crashes = self.options.log.crashes();
        if death.is_none() && self.crashes > known {
            return Ok(false);
        }
        let mut totals = self
            .totals
            .lock()
            .expect("no worker panics with the totals");
        totals.tried += 1;
        totals.mutated += u64::from(sample.origin == Origin::Mutated);
        match death {
            Some(how) if self.trier.engine_died && how.contains("signal 6") => {
                totals.admitted += 1;
                keep(
                    &self.options.findings,
                    item,
                    sample,
                    &format!("an abort of the engine: {how}"),
                );
            }
            Some(how) => {
                totals.crashes += 1;
                keep(
                    &self.options.findings,
                    item,
                    sample,
                    &format!("a crash: {how}"),
                );
            }
            None => {
                totals.mismatches += 1;
                keep(
                    &self.options.findings,
                    item,
                    sample,
                    "the server ended the session",
                );
            }
        }
        Ok(true)
    }
}

fn run(options: &Options) -> Result<Totals, Box<dyn Error + Send + Sync>> {
    let totals = Mutex::new(Totals::default());
    let next = AtomicU64::new(options.first);
    thread::scope(|scope| {
        let mut handles = Vec::new();
        for number in 0..options.jobs {
            let session = Session::open(&options.socket, number)?;
            let engine = Engine::start(&options.engine)?;
            let mut worker = Worker {
                options,
                totals: &totals,
                trier: Trier::new(session, engine, number),
                crashes: options.log.crashes(),
            };
            let next = &next;
            handles.push(scope.spawn(move || worker.run(next)));
        }
        for handle in handles {
            handle.join().map_err(|_| "a worker panicked")??;
        }
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })?;
    Ok(totals.into_inner().expect("no worker panicked"))
}

fn print_map(title: &str, map: &BTreeMap<String, u64>) {
    println!("{title:22} {:>9}", map.values().sum::<u64>());
    for (key, count) in map {
        println!("    {count:>9}  {key}");
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Prints the figures; true when all is well.
fn report(totals: &Totals, faults: &[String], seconds: f64) -> bool {
    let counts = &totals.counts;
    let calls = counts.results + counts.failures.values().sum::<u64>();
    let instantiated = percent(counts.instantiated, totals.tried);
    let line = |title: &str, count: u64| println!("{title:22} {count:>9}");

    line("modules tried", totals.tried);
    line("  of them mutated", totals.mutated);
    line("accepted", counts.accepted);
    println!(
        "instantiated, called   {:>9}  ({instantiated:.1} %)",
        counts.instantiated
    );
    line("with imports", counts.importing);
    print_map("refused", &counts.refusals);
    line("exports compared", counts.exports);
    line("functions bound", counts.functions);
    line("calls compared", calls);
    line("  results", counts.results);
    print_map("  errors", &counts.failures);
    line("calls stopped", counts.timeouts);
    line("aborts, engine alone", counts.engine_deaths);
    line("aborts of a backend", totals.admitted);
    line("other crashes", totals.crashes);
    line("mismatches", totals.mismatches);
    for fault in faults {
        println!("in the server's log: {fault}");
    }
    println!(
        "{seconds:.0} s, {:.0} modules a second",
        totals.tried as f64 / seconds
    );
    if instantiated < INSTANTIATED_MIN {
        println!("too few modules were instantiated: {INSTANTIATED_MIN} % are needed");
    }
    let failed = totals.mismatches + totals.crashes;
    println!(
        "{} passed, {failed} failed",
        totals.tried - failed - totals.admitted
    );
    failed == 0 && faults.is_empty() && instantiated >= INSTANTIATED_MIN
}

fn main() -> ExitCode {
    let start = Instant::now();
    let result = options().map_err(|e| e.to_string()).and_then(|options| {
        let totals = run(&options).map_err(|e| e.to_string())?;
        let faults = options.log.faults();
        Ok(report(&totals, &faults, start.elapsed().as_secs_f64()))
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
