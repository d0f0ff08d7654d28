//! Listings are what stands in the file that they name.

use super::{documents, root};
use std::fs;

/// A fenced block of a document.
struct Block<'a> {
    /// The number of the line with its fence.
    at: usize,
    /// What stands behind the backticks.
    language: &'a str,
    /// The file that the comment before it names.
    from: Option<&'a str>,
    lines: Vec<&'a str>,
}

#[test]
fn every_listing_stands_in_its_file() {
    let mut stale = Vec::new();
    let mut count = 0;
    for (path, text) in documents() {
        for block in blocks(&text) {
            let Some(from) = block.from else {
                continue;
            };
            count += 1;
            let file = fs::read_to_string(root().join(from)).unwrap_or_default();
            if let Err(line) = find(&block.lines, &file) {
                let (path, at) = (path.display(), block.at);
                stale.push(format!("{path}:{at}: not in {from}: {line:?}"));
            }
        }
    }
    assert!(stale.is_empty(), "{}", stale.join("\n"));
    assert!(count > 0, "no listing was found");
}

/// Elsewhere, documents are doc tests. Here a block that says that it is Rust must be a listing.
#[test]
fn all_rust_in_the_guide_is_a_listing() {
    for (path, text) in documents() {
        if !path.starts_with("docs/guide") {
            continue;
        }
        for block in blocks(&text) {
            let is_rust = block.language.starts_with("rust");
            let (path, at) = (path.display(), block.at);
            assert!(!is_rust || block.from.is_some(), "{path}:{at}");
            let known = is_rust || ["text", "sh", "toml"].contains(&block.language);
            assert!(known, "{path}:{at}: what is {:?}?", block.language);
        }
    }
}

#[test]
fn a_listing_may_skip_lines_and_be_indented_otherwise() {
    let file = "fn a() {\n    if b {\n        c();\n        d();\n    }\n}\n";
    assert_eq!(find(&["if b {", "    c();"], file), Ok(()));
    assert_eq!(
        find(&["fn a() {", "    // ...", "        d();"], file),
        Ok(())
    );
    assert_eq!(find(&["if b {", "c();"], file), Err("c();"));
    assert_eq!(find(&["if b {", "    d();"], file), Err("    d();"));
    assert_eq!(find(&["d();", "...", "c();"], file), Err("c();"));
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let (mut from, mut is_inside) = (None, false);
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, is_inside) {
            (Some(_), true) => is_inside = false,
            (Some(language), false) => {
                is_inside = true;
                blocks.push(Block {
                    at: number + 1,
                    language,
                    from: from.take(),
                    lines: Vec::new(),
                });
            }
            (None, true) => blocks.last_mut().unwrap().lines.push(line),
            (None, false) if line.trim().is_empty() => {}
            (None, false) => {
                let comment = line.trim().strip_prefix("<!-- listing:");
                from = comment.and_then(|rest| Some(rest.strip_suffix("-->")?.trim()));
            }
        }
    }
    blocks
}

/// Whether the lines stand in the file, from one gap to the next without another in between. If not, the line with
/// which it ends.
fn find<'a>(lines: &[&'a str], file: &str) -> Result<(), &'a str> {
    let file: Vec<&str> = file.lines().collect();
    let mut from = 0;
    for piece in lines.split(|line| matches!(line.trim(), "..." | "// ...")) {
        if piece.is_empty() {
            continue;
        }
        let fits = |at: usize| matching(piece, &file[at..]);
        let Some(at) = (from..file.len()).find(|&at| fits(at) == piece.len()) else {
            let most = (from..file.len()).map(fits).max().unwrap_or(0);
            return Err(piece[most]);
        };
        from = at + piece.len();
    }
    Ok(())
}

/// How many of the lines the file begins with.
fn matching(lines: &[&str], file: &[&str]) -> usize {
    let depth = |line: &str| line.len() as isize - line.trim_start().len() as isize;
    let shift = |line: &str, of: &str| depth(of) - depth(line);
    let (Some(line), Some(of)) = (lines.first(), file.first()) else {
        return 0;
    };
    let first = shift(line, of);
    let pairs = lines.iter().zip(file);
    pairs
        .take_while(|(line, of)| {
            line.trim_end() == of.trim_end() && line.trim().is_empty()
                || line.trim() == of.trim() && shift(line, of) == first
        })
        .count()
}
