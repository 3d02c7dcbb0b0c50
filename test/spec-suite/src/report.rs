//! What is printed, and the list of what the harness had to run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{By, Entry, Kind, Report};
use crate::script::Script;

const KINDS: &[(Kind, &str)] = &[
    (Kind::Module, "module"),
    (Kind::Invoke, "invoke"),
    (Kind::Return, "assert_return"),
    (Kind::Trap, "assert_trap"),
    (Kind::Exhaustion, "assert_exhaustion"),
    (Kind::Invalid, "assert_invalid"),
    (Kind::Malformed, "assert_malformed"),
    (Kind::Unlinkable, "assert_unlinkable"),
    (Kind::Other, "other"),
];

#[derive(Default)]
struct Count {
    sql: [usize; 2],
    harness: [usize; 2],
    not_enabled: usize,
}

impl Count {
    fn add(&mut self, entry: &Entry) {
        let failed = usize::from(entry.problem.is_some());
        match entry.by {
            By::Sql => self.sql[failed] += 1,
            By::Harness(_) => self.harness[failed] += 1,
            By::NotEnabled(_) => self.not_enabled += 1,
        }
    }

    fn print(&self, label: &str) {
        println!(
            "{label:<18} {:>9} {:>7} {:>12} {:>7} {:>12}",
            self.sql[0], self.sql[1], self.harness[0], self.harness[1], self.not_enabled
        );
    }
}

/// Places in the suite: file, kind and reason, with the lines.
#[derive(Default)]
struct List(BTreeMap<(String, &'static str, String), Vec<usize>>);

impl List {
    fn add(&mut self, script: &Script, entry: &Entry, reason: &str) {
        let key = (script.name.clone(), label(entry.kind), reason.to_string());
        self.0.entry(key).or_default().push(entry.line);
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for ((file, kind, reason), lines) in &self.0 {
            let lines: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
            text.push_str(&format!("{file}: {kind}: {reason}: {}\n", lines.join(" ")));
        }
        text
    }
}

/// Prints the report; returns whether everything passed and the lists in the
/// folder are as they were.
pub fn print(
    scripts: &[Script],
    reports: Vec<Result<Report, String>>,
    lists: Option<&Path>,
    update: bool,
) -> bool {
    let mut lost = 0;
    let mut whole = Report::default();
    let mut total = Count::default();
    let mut by_kind: BTreeMap<Kind, Count> = BTreeMap::new();
    let mut by_suite: BTreeMap<&str, Count> = BTreeMap::new();
    let mut by_harness = List::default();
    let mut not_enabled = List::default();

    for (script, report) in scripts.iter().zip(reports) {
        let report = match report {
            Ok(report) => report,
            Err(problem) => {
                println!("{}: FAILED: {problem}", script.name);
                lost += 1;
                continue;
            }
        };
        for entry in &report.entries {
            if let Some(problem) = &entry.problem {
                println!("{}:{}: FAILED: {problem}", script.name, entry.line);
            }
            match &entry.by {
                By::Sql => {}
                By::Harness(reason) => by_harness.add(script, entry, reason),
                By::NotEnabled(reason) => not_enabled.add(script, entry, reason),
            }
            total.add(entry);
            by_kind.entry(entry.kind).or_default().add(entry);
            by_suite.entry(script.suite()).or_default().add(entry);
        }
        whole.texts += report.texts;
        whole.binaries += report.binaries;
        whole.replayed += report.replayed;
        for (sqlstate, count) in report.refusals {
            *whole.refusals.entry(sqlstate).or_default() += count;
        }
    }

    println!("\n{:<18} {:>17} {:>20} {:>12}", "", "through SQL", "by harness", "not enabled");
    println!("{:<18} {:>9} {:>7} {:>12} {:>7}", "", "passed", "failed", "passed", "failed");
    for (kind, count) in &by_kind {
        count.print(label(*kind));
    }
    total.print("total");
    println!();
    for (suite, count) in &by_suite {
        count.print(suite);
    }
    println!("\n{} files; modules: {} as text, {} as binary", scripts.len(), whole.texts, whole.binaries);
    println!("calls made again to restore state after a trap: {}", whole.replayed);
    let refusals: Vec<String> = whole.refusals.iter().map(|(s, n)| format!("{s} {n}")).collect();
    println!("modules refused with: {}", refusals.join(", "));

    let changed = lists.map_or(0, |folder| {
        compare(folder.join("harness.list"), &by_harness.text(), update)
            + compare(folder.join("not-enabled.list"), &not_enabled.text(), update)
    });
    let failed = total.sql[1] + total.harness[1] + lost + changed;
    println!("{} passed, {failed} failed", total.sql[0] + total.harness[0]);
    failed == 0
}

fn label(kind: Kind) -> &'static str {
    KINDS.iter().find(|(k, _)| *k == kind).map_or("", |(_, label)| label)
}

/// Compares a list with its file, or writes the file; returns how many lines differ.
fn compare(path: PathBuf, text: &str, update: bool) -> usize {
    if update {
        fs::write(&path, text).expect("the list cannot be written");
        return 0;
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let absent = |line: &&str, from: &str| !from.lines().any(|other| other == *line);
    let new: Vec<&str> = text.lines().filter(|line| absent(line, &before)).collect();
    let gone: Vec<&str> = before.lines().filter(|line| absent(line, text)).collect();
    for (sign, lines) in [('+', &new), ('-', &gone)] {
        for line in lines {
            println!("{}: FAILED: {sign} {line}", path.display());
        }
    }
    new.len() + gone.len()
}
