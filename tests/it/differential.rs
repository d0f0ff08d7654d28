//! Two servers, the same scripts, the same bytes: Redis says what is right.
//!
//! A *script* is what several connections do one after the other, see `script`. It is run on a real
//! `redis-server` and on the other server, step by step, each in its own time: after a step, both
//! come to rest before the next one begins, see `rest`. Then everything that has come, on every
//! connection, has to be equal to the byte; so has who waits and who was closed, and what the keys
//! hold at the end. What cannot be equal stands in one table, see `masks`.
//!
//! Most scripts are made by chance, see `generate`. The seed is the same in every run, so that a
//! change that has nothing to do with a failure does not seem to be its reason, and what fails on
//! one machine fails on all. A longer search is one command:
//!
//! ```sh
//! GREENROOM_SCRIPTS=100000 GREENROOM_SEED=random cargo test -p greenroom-tests --test it differential
//! ```
//!
//! A script has a seed of its own, made of that of the run and its number; so it does not matter
//! which thread runs which. A script that fails is made as short as possible, and shown with what
//! both servers replied. It can be pasted into one of the tables of scripts written by hand.

mod blanks;
mod commands;
mod generate;
mod host;
mod line;
mod masks;
mod pair;
mod rest;
mod script;
mod search;
mod written;

use host::{Host, Setting};
use proptest::collection::vec;
use proptest::prelude::*;
use script::{Script, Step, What, Word};
use search::Search;
use std::hash::{BuildHasher, RandomState};

const SEED: u64 = 1;
const SCRIPTS: u64 = 3_000;

/// Redis, and the server that is to be like it.
fn both(setting: &Setting) -> Option<[Host; 2]> {
    Some([Host::redis(setting)?, Host::embedded(setting)])
}

fn plain() -> Option<[Host; 2]> {
    both(&Setting::default())
}

/// A number of the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
    )
}

#[test]
fn scripts_made_by_chance_are_answered_alike() {
    let seed = match std::env::var("GREENROOM_SEED").as_deref() {
        Ok("random") => RandomState::new().hash_one("seed"),
        _ => number("GREENROOM_SEED").unwrap_or(SEED),
    };
    let search = Search {
        seed,
        scripts: number("GREENROOM_SCRIPTS").unwrap_or(SCRIPTS),
        start: plain,
    };
    if let Some(found) = search.run() {
        panic!("{found}");
    }
}

/// Redis, and one that takes `LPUSH` for `RPUSH` and the other way round.
fn mistaken() -> Option<[Host; 2]> {
    let mistaken = Setting {
        flags: &[
            "--rename-command",
            "LPUSH",
            "HIDDEN",
            "--rename-command",
            "RPUSH",
            "LPUSH",
            "--rename-command",
            "HIDDEN",
            "RPUSH",
        ],
        ..Setting::default()
    };
    Some([Host::redis(&Setting::default())?, Host::redis(&mistaken)?])
}

#[test]
fn a_difference_is_found_and_made_short() {
    let search = Search {
        seed: SEED,
        scripts: 100,
        start: mistaken,
    };
    let Some(_) = mistaken() else {
        return;
    };
    let report = search.run().expect("a mistake that shows");
    let steps = report.lines().filter(|line| line.starts_with('c'));
    assert!(steps.clone().any(|step| step.contains("PUSH")), "{report}");
    assert!(steps.count() <= 3, "{report}");
}

fn any_word() -> impl Strategy<Value = Word> {
    let bytes = vec(any::<u8>(), 0..40).prop_map(Word::Bytes);
    let text = r#"[@|"\\x* a-c]{0,6}"#.prop_map(|text| Word::Bytes(text.into()));
    let same = (any::<u8>(), 20..50_usize).prop_map(|(byte, n)| Word::Bytes(vec![byte; n]));
    prop_oneof![
        bytes,
        text,
        same,
        (0..script::CONNECTIONS).prop_map(Word::Id)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_script_that_was_printed_is_read_as_it_was(
        commands in vec(vec(any_word(), 1..6), 1..4),
        raw in vec(any::<u8>(), 0..20),
        replies in 0..3_usize,
    ) {
        let steps = [
            What::Asks(commands.clone()),
            What::Raw { replies, bytes: raw.clone() },
            What::Until { reply: raw, command: commands[0].clone() },
            What::Drops,
            What::Pauses(true),
            What::Pauses(false),
        ];
        let steps = steps.into_iter().enumerate().map(|(at, what)| {
            let who = if at < script::CONNECTIONS - 1 { at } else { 0 };
            Step { who, what }
        });
        let script = Script(steps.collect());
        let printed: Vec<String> = script.0.iter().map(Step::to_string).collect();
        prop_assert_eq!(Script::parse(&printed.join("\n")), script);
    }
}
