//! The documents: what they link to exists, and what they quote stands where they say.
//!
//! `README.md` and everything below `docs/`. A listing is a fenced block behind a comment that names its file, such as
//! `<!-- listing: src/wheel.rs -->`: its lines must stand in that file, one behind the other. A line `...` or `// ...` skips
//! some. How far both are indented does not matter.

mod guide;
mod layers;
mod links;
mod listings;
mod sizes;

use std::fs;
use std::path::{Path, PathBuf};

/// The top of the repository.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A document: its path from the top, and its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths = vec![root().join("README.md")];
    collect(&root().join("docs"), &mut paths);
    paths.sort();
    let document = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_owned(), text)
    };
    paths.into_iter().map(document).collect()
}

/// All documents in a folder, but for what mdBook has made of them.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    if folder.ends_with("docs/book") {
        return;
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|end| end == "md") {
            paths.push(path);
        }
    }
}
