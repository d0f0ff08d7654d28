//! The exercises of the guide, `docs/guide/`.
//!
//! ```text
//! cargo test --test exercises -- --ignored NAME     # what you have written in docs/guide/exercises/
//! cargo test --test exercises                       # the solutions, docs/guide/solutions/
//! ```
//!
//! An exercise is a file with a signature and no body that works; its solution is a file of the same name, with the same
//! signature. Both are compiled into this program, as modules of `yours` and of `solutions`, and the same functions of
//! `checks` look at both.
//!
//! With `GREENROOM_UNSOLVED=1`, as in CI, one more test holds that no exercise is solved as it stands in the repository: a check
//! that the naive body passes would teach nothing.

/// Every exercise, by its chapter, handed to a macro.
macro_rules! every_exercise {
    ($then:ident) => {
        $then! {
            blocking: request, read_fully, at_once;
            readiness: drain, outbox, level;
            tokens: packed, slots, reap;
            turn: poll_timeout, budget, doubling;
            resp: lines, bulk, reply_end;
            wheel: place, heap, cascade;
            pool: lane, pool, pacing;
            cron: drift, next_due, beat;
            cancelling: pause, wait_ends, unblock;
            simulating: cut, agenda, replay;
            measuring: percentile, slope, omission;
            source: llen, catch_up, mover;
        }
    };
}

mod solutions;
mod yours;

#[test]
fn no_exercise_is_solved_as_it_stands() {
    if std::env::var_os("GREENROOM_UNSOLVED").is_none() {
        return;
    }
    for (name, check) in yours::ALL {
        let passed = std::panic::catch_unwind(check).is_ok();
        assert!(!passed, "{name} passes its check without being solved");
    }
}

#[test]
fn a_name_names_one_exercise_and_its_files() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide");
    let mut names: Vec<_> = yours::ALL.iter().map(|(name, _)| *name).collect();
    for name in &names {
        // A test is chosen by a part of its name.
        let alike = names.iter().filter(|other| other.contains(name)).count();
        assert_eq!(alike, 1, "{name} is a part of another name");
    }
    names.sort_unstable();
    for folder in ["exercises", "solutions"] {
        let files = std::fs::read_dir(format!("{guide}/{folder}")).unwrap();
        let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files
            .map(|file| {
                let name = file.split_once('_').map(|(_, name)| name);
                name.unwrap_or(&file).trim_end_matches(".rs").to_owned()
            })
            .collect();
        files.sort_unstable();
        assert_eq!(files, names, "{folder}");
    }
}
