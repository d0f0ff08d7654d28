//! The guide: every chapter is in the table of contents, and has what a chapter has.

use super::root;
use std::fs;

const EXERCISES_PER_CHAPTER: usize = 3;

/// The chapters: their files and their texts.
fn chapters() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join("docs/guide")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut chapters: Vec<_> = files
        .filter(|file| file.ends_with(".md") && file.starts_with(|c: char| c.is_ascii_digit()))
        .map(|file| {
            let text = fs::read_to_string(root().join("docs/guide").join(&file)).unwrap();
            (file, text)
        })
        .collect();
    chapters.sort();
    chapters
}

#[test]
fn the_table_of_contents_has_every_chapter_in_order() {
    let summary = fs::read_to_string(root().join("docs/guide/SUMMARY.md")).unwrap();
    let listed = summary.lines().filter_map(|line| {
        let (_, link) = line.strip_prefix("- [")?.split_once("](")?;
        link.strip_suffix(')')
    });
    let chapters = chapters();
    let files = chapters.iter().map(|(file, _)| &**file);
    assert_eq!(listed.collect::<Vec<_>>(), files.collect::<Vec<_>>());
}

#[test]
fn a_chapter_has_a_picture_a_listing_gevent_and_three_exercises() {
    for (file, text) in chapters() {
        for part in [
            "```text\n",
            "<!-- listing: ",
            "\n## What gevent does here\n",
            "\n## Exercises\n",
        ] {
            assert!(text.contains(part), "{file} has no {part:?}");
        }
        let number = &file[..2];
        let exercises = fs::read_dir(root().join("docs/guide/exercises")).unwrap();
        let exercises = exercises.map(|file| file.unwrap().file_name().into_string().unwrap());
        let own: Vec<_> = exercises.filter(|it| it.starts_with(number)).collect();
        assert_eq!(own.len(), EXERCISES_PER_CHAPTER, "{file}: {own:?}");
        for exercise in own {
            let name = exercise[3..].trim_end_matches(".rs");
            let command = format!("cargo test --test exercises -- --ignored {name}\n");
            assert!(text.contains(&command), "{file} does not say {command:?}");
            let link = format!("(exercises/{exercise})");
            assert!(text.contains(&link), "{file} does not link to {exercise}");
        }
    }
}

#[test]
fn a_chapter_leads_to_the_next() {
    let chapters = chapters();
    for pair in chapters.windows(2) {
        let link = format!("]({})", pair[1].0);
        assert!(pair[0].1.contains(&link), "{} has no {link}", pair[0].0);
    }
}
