//! The files of `src/client/` stay short, and `docs/architecture.md` says how long they are.
//!
//! A file counts without its unit tests: the lines before the first `#[cfg(test)]`. Files named
//! `tests.rs` and those in folders `tests` do not count.

use super::root;
use std::fs;
use std::path::Path;

/// Lines of one file. A longer one has two subjects.
const FILE_LINES_MAX: usize = 450;

/// Where `docs/architecture.md` has the table.
const HEADING: &str = "## The files of `src/client/`\n";

#[test]
fn client_files_are_short() {
    let sizes = sizes();
    let is_long = |size: &&(String, usize)| size.1 > FILE_LINES_MAX;
    let long: Vec<_> = sizes.iter().filter(is_long).collect();
    assert!(long.is_empty(), "over {FILE_LINES_MAX} lines: {long:?}");
}

#[test]
fn architecture_has_the_sizes_of_client_files() {
    let document = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, section) = document.split_once(HEADING).expect("a heading");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|'));
    let found: String = rows.flat_map(|row| [row, "\n"]).collect();
    let table = table(&sizes());
    assert!(
        found == table,
        "the files of src/client/ have other sizes. docs/architecture.md needs this table:\n\n{table}"
    );
}

#[test]
fn unit_tests_do_not_count() {
    let text = "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n";
    assert_eq!(lines("a.rs", text), Some(2));
    assert_eq!(lines("a.rs", "fn a() {}\n"), Some(1));
    assert_eq!(lines("a/tests.rs", text), None);
    assert_eq!(lines("a/tests/b.rs", text), None);
    assert_eq!(lines("a.md", text), None);
}

/// Returns the files of `src/client/` by name, each with its lines.
fn sizes() -> Vec<(String, usize)> {
    let mut sizes = Vec::new();
    collect(&root().join("src/client"), "", &mut sizes);
    sizes.sort();
    assert!(sizes.len() > 10, "only {} files were found", sizes.len());
    sizes
}

fn collect(folder: &Path, below: &str, sizes: &mut Vec<(String, usize)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), sizes);
        } else if let Some(lines) = lines(&name, &fs::read_to_string(&path).unwrap()) {
            sizes.push((name, lines));
        }
    }
}

/// Returns the lines of a file without its unit tests; `None` for a file that does not count.
fn lines(name: &str, text: &str) -> Option<usize> {
    let mut parts = name.split('/');
    if !name.ends_with(".rs") || parts.any(|part| matches!(part, "tests" | "tests.rs")) {
        return None;
    }
    let is_test = |line: &&str| line.trim() == "#[cfg(test)]";
    Some(text.lines().take_while(|line| !is_test(line)).count())
}

/// Returns the table of the document: one row for a file, and the sum.
fn table(sizes: &[(String, usize)]) -> String {
    let mut table = "| file | lines |\n|---|---:|\n".to_owned();
    for (name, lines) in sizes {
        table.push_str(&format!("| `{name}` | {lines} |\n"));
    }
    let sum: usize = sizes.iter().map(|(_, lines)| lines).sum();
    let thousands = sum / 1000;
    table.push_str(&format!("| all | {thousands},{:03} |\n", sum % 1000));
    table
}
