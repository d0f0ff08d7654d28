//! Imports between the files of `src/` only point down, and never in a circle.
//!
//! See `layers/imports.rs` for what counts as an import.

mod imports;

use super::root;
use imports::Arrows;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// The parts of `src/`, from bottom to top: a part imports from its own layer and from those below.
///
/// A part is a folder with its files, or a file of its own.
const LAYERS: [&[&str]; 10] = [
    &["error", "random", "time", "token"],
    &["resp", "wheel"],
    &["timers"],
    &["driver"],
    &["address", "config"],
    &["client"],
    &["hub"],
    &["redis"],
    &["server", "shutdown", "signals", "sync", "timeline"],
    &["lib"],
];

/// Arrows that close a circle and are meant to, with the reason.
const ALLOWED: [(&str, &str, &str); 6] = [
    (
        "hub/task.rs",
        "hub/mod.rs",
        "a task is resumed with the hub, which owns the tasks",
    ),
    (
        "hub/arenas.rs",
        "hub/mod.rs",
        "a table of tasks passes the hub on to the task that it resumes",
    ),
    (
        "server/state.rs",
        "server/dispatch.rs",
        "the state executes commands, and a command changes the state",
    ),
    (
        "server/clients.rs",
        "server/call.rs",
        "a client keeps its last command: a row of the table, with a handler that takes a client",
    ),
    (
        "server/commands/about.rs",
        "server/table.rs",
        "COMMAND is a row of the table that it describes",
    ),
    (
        "server/commands/transactions.rs",
        "server/dispatch.rs",
        "EXEC is dispatched, and dispatches the commands of its transaction",
    ),
];

#[test]
fn no_import_points_up() {
    let upward = upward(&imports::arrows(&sources()));
    assert!(upward.is_empty(), "{}", upward.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut arrows = imports::arrows(&sources());
    let allowed: Vec<_> = ALLOWED
        .iter()
        .map(|&(from, to, _)| (from.to_owned(), to.to_owned()))
        .collect();
    arrows.retain(|arrow, _| !allowed.contains(arrow));
    let circles = circles(arrows.keys());
    assert!(circles.is_empty(), "{}", circles.join("\n"));
    for (from, to) in &allowed {
        let is_needed = way(arrows.keys(), to, from).is_some();
        assert!(is_needed, "{from} -> {to} need not be allowed any more");
    }
}

#[test]
fn no_parts_import_each_other_in_a_circle() {
    let arrows = imports::arrows(&sources());
    let between = |(from, to): &(String, String)| (part(from).to_owned(), part(to).to_owned());
    let parts: BTreeSet<_> = arrows.keys().map(between).collect();
    let circles = circles(parts.iter().filter(|(from, to)| from != to));
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn a_planted_circle_is_found() {
    let files = planted(&[
        ("a.rs", "use crate::b::{self, B as Other}; pub struct A;"),
        ("b/mod.rs", "mod deep; pub use self::deep::B;"),
        (
            "b/deep.rs",
            "pub struct B; fn f() { g(format!(\"{}\", [super::super::c::C])) }",
        ),
        ("c.rs", "pub struct C(crate::a::A);"),
    ]);
    let arrows = imports::arrows(&files);
    let circles = circles(arrows.keys());
    assert_eq!(circles, ["a.rs -> b/deep.rs -> c.rs -> a.rs"]);
}

#[test]
fn a_planted_upward_import_is_found() {
    let files = planted(&[
        ("lib.rs", "pub mod hub; mod time; pub use hub::Hub;"),
        ("hub/mod.rs", "use crate::time::Time; pub struct Hub(Time);"),
        (
            "time.rs",
            "pub struct Time; fn now(hub: &crate::Hub) -> Time { hub.now() }",
        ),
        ("attic.rs", "use crate::time::Time;"),
    ]);
    let upward = upward(&imports::arrows(&files));
    assert_eq!(
        upward,
        [
            "attic.rs -> time.rs: no layer has `attic`",
            "time.rs -> hub/mod.rs, which is above (crate::Hub)"
        ]
    );
}

#[test]
fn an_arrow_leads_to_the_definition() {
    let files = planted(&[
        ("lib.rs", "pub mod a; pub mod b; pub mod c; pub use a::A;"),
        ("a/mod.rs", "mod inner; pub use self::inner::*;"),
        (
            "a/inner.rs",
            "pub struct A; pub(crate) use must; macro_rules! must { () => {}; }",
        ),
        ("b.rs", "use super::*; fn f() -> A { A::new() }"),
        ("c.rs", "fn f(b: u8) { crate::a::must!(b); }"),
    ]);
    let expected = ["b.rs -> a/inner.rs", "b.rs -> lib.rs", "c.rs -> a/inner.rs"];
    assert_eq!(names(&imports::arrows(&files)), expected);
}

#[test]
fn unit_tests_and_modules_are_no_imports() {
    let files = planted(&[
        (
            "lib.rs",
            "mod a; mod b; #[cfg(test)] mod tests { use crate::a::A; }",
        ),
        ("a.rs", "pub struct A; #[cfg(test)] use crate::b::B;"),
        (
            "b.rs",
            "pub struct B; impl B { #[cfg(test)] fn a() -> crate::a::A {} }",
        ),
        ("b/tests.rs", "use crate::a::A;"),
        ("b/tests/more.rs", "use crate::a::A;"),
    ]);
    assert_eq!(names(&imports::arrows(&files)), [""; 0]);
}

/// Returns the files of `src/`: their paths below it, and their texts.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    collect(&root().join("src"), "", &mut files);
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

fn collect(folder: &Path, below: &str, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{below}{}", entry.file_name().to_str().unwrap());
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else if name.ends_with(".rs") {
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
}

fn planted(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |&(file, text): &(&str, &str)| (file.to_owned(), text.to_owned());
    files.iter().map(own).collect()
}

fn names(arrows: &Arrows) -> Vec<String> {
    let name = |(from, to): &(String, String)| format!("{from} -> {to}");
    arrows.keys().map(name).collect()
}

/// Returns the part of `src/` that a file belongs to.
fn part(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

fn layer(part: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&part))
}

/// Describes each arrow that points to a higher layer.
fn upward(arrows: &Arrows) -> Vec<String> {
    let mut found = Vec::new();
    for ((from, to), path) in arrows {
        match (layer(part(from)), layer(part(to))) {
            (Some(below), Some(above)) if below < above => {
                found.push(format!("{from} -> {to}, which is above ({path})"));
            }
            (Some(_), Some(_)) => {}
            (None, _) => found.push(format!("{from} -> {to}: no layer has `{}`", part(from))),
            (_, None) => found.push(format!("{from} -> {to}: no layer has `{}`", part(to))),
        }
    }
    found
}

/// Describes a shortest circle in each group of names that reach each other.
fn circles<'a>(arrows: impl Iterator<Item = &'a (String, String)> + Clone) -> Vec<String> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    let all: BTreeSet<_> = arrows.clone().map(|(from, _)| from).collect();
    for start in all {
        if known.contains(start) {
            continue;
        }
        let Some(circle) = way(arrows.clone(), start, start) else {
            continue;
        };
        found.push(circle.join(" -> "));
        let reaches = |from, to| way(arrows.clone(), from, to).is_some();
        let ends = arrows.clone().map(|(_, to)| to);
        known.extend(ends.filter(|end| reaches(start, end) && reaches(end, start)));
    }
    found
}

/// Returns a shortest way from one name to another, with both ends. It has one arrow at least.
fn way<'a>(
    arrows: impl Iterator<Item = &'a (String, String)>,
    from: &str,
    to: &str,
) -> Option<Vec<&'a str>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    let (&from, _) = next.get_key_value(from)?;
    let mut ways = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for &name in next.get(way[way.len() - 1]).into_iter().flatten() {
            let longer = [&way[..], &[name]].concat();
            if name == to {
                return Some(longer);
            }
            if seen.insert(name) {
                ways.push_back(longer);
            }
        }
    }
    None
}
