//! Links within the repository lead somewhere, and anchors to a heading.

use super::{documents, root};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    let mut broken = Vec::new();
    let mut count = 0;
    for (path, text) in documents() {
        for link in links(&text) {
            count += 1;
            if let Err(why) = follow(&path, &link) {
                broken.push(format!("{}: {link}: {why}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn anchors_are_made_as_forges_make_them() {
    let text = "# One *and* `two`: 3\n\n## What isn't\n\n## What isn't\n";
    let expected = ["one-and-two-3", "what-isnt", "what-isnt-1"];
    assert_eq!(anchors(text), expected);
}

/// Where a document links to, as it is written.
fn links(text: &str) -> Vec<String> {
    let destination = |event| match event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            Some(dest_url.into_string())
        }
        _ => None,
    };
    let events = Parser::new_ext(text, Options::ENABLE_TABLES);
    events.filter_map(destination).collect()
}

fn follow(from: &Path, link: &str) -> Result<(), &'static str> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = match file {
        "" => root().join(from),
        file => root().join(from).with_file_name("").join(file),
    };
    if !path.exists() {
        return Err("there is no such file");
    }
    if anchor.is_empty() {
        return Ok(());
    }
    let text = fs::read_to_string(path).map_err(|_| "an anchor in what is no text")?;
    match anchors(&text).iter().any(|known| known == anchor) {
        true => Ok(()),
        false => Err("there is no such heading"),
    }
}

/// The anchors of a document's headings: lower case, words joined by hyphens; the second of a name gets a number.
fn anchors(text: &str) -> Vec<String> {
    let mut seen = BTreeMap::<String, u32>::new();
    let mut anchors = Vec::new();
    let mut heading = None::<String>;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::Text(more) | Event::Code(more), Some(words)) => words.push_str(&more),
            (Event::End(TagEnd::Heading(_)), _) => {
                let slug = slug(&heading.take().unwrap_or_default());
                let before = seen.entry(slug.clone()).or_default();
                anchors.push(match *before {
                    0 => slug,
                    count => format!("{slug}-{count}"),
                });
                *before += 1;
            }
            _ => {}
        }
    }
    anchors
}

fn slug(heading: &str) -> String {
    let keep = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let words = heading.to_lowercase();
    words
        .chars()
        .filter(|c| keep(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}
