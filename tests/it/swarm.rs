//! Thousands of short runs on the simulated kernel, each with faults of its own, all drawn from its seed.
//!
//! After every turn the hub compares its tables with its counters (a contradiction panics); after every run the scenario
//! settles accounts. Then the faults are switched off, and whoever still waits must come to an end: a run that does not
//! is as wrong as one that loses an element.
//!
//! `GREENROOM_SEEDS=N` runs N seeds of each scenario instead of its usual number, `GREENROOM_FAULTS=all` each of them with all the
//! faults of its scenario. `GREENROOM_SEED=N` runs that one alone and prints what happened; a failure says which it was.

mod bulk;
mod cron;
mod endings;
mod pops;
pub mod queue;
mod ring;
mod slow;
mod storm;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use world::World;

/// What a scenario finds wrong, if anything.
pub type Verdict = Result<(), String>;

fn number(variable: &str) -> Option<u64> {
    let number = std::env::var(variable).ok()?;
    Some(number.parse().expect("a number"))
}

/// Runs a scenario with so many seeds, and says with which it fails.
fn swarm(seeds: u64, scenario: fn(&mut World) -> Verdict) {
    if let Some(seed) = number("GREENROOM_SEED") {
        let verdict = run(seed, scenario, 1_000_000);
        return verdict.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
    }
    for seed in 0..number("GREENROOM_SEEDS").unwrap_or(seeds) {
        if let Err(what) = run(seed, scenario, 0) {
            let replay = format!("GREENROOM_SEED={seed} cargo test -p greenroom-tests");
            panic!("seed {seed}: {what}\nreplay: {replay} {}", test());
        }
    }
}

/// One run. Its last lines are printed if it is watched.
fn run(seed: u64, scenario: fn(&mut World) -> Verdict, lines: usize) -> Verdict {
    let mut world = World::new(seed);
    world.sim.keep_trace(lines);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        scenario(&mut world)?;
        world.close()
    }));
    for line in world.sim.trace() {
        println!("{line}");
    }
    match outcome {
        Ok(verdict) => verdict,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).into()));
            // What is half done cannot be dropped in order: the world is gone with all that is in it.
            std::mem::forget(world);
            Err(text.unwrap_or_else(|| "a panic".into()))
        }
    }
}

/// The name of the test that runs, for the line that says how to run it again.
fn test() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn pops_end_once_and_never_early() {
    swarm(500, pops::scenario);
}

#[test]
fn no_element_is_lost_without_a_word() {
    swarm(1_500, queue::scenario);
}

#[test]
fn no_element_is_lost_by_pauses_and_role_changes() {
    swarm(1_500, queue::with_server_faults);
}

#[test]
fn a_program_may_end_at_any_moment() {
    swarm(800, endings::scenario);
}

#[test]
fn who_asks_again_is_served_when_the_storm_is_over() {
    swarm(300, storm::scenario);
}

#[test]
fn cron_is_punctual_whatever_the_network_does() {
    swarm(200, cron::scenario);
}

#[test]
fn what_a_turn_leaves_over_is_not_forgotten() {
    swarm(20, bulk::scenario);
}

#[test]
fn reply_that_goes_on_arriving_is_not_late() {
    swarm(20, slow::scenario);
}

#[test]
fn no_notify_is_lost() {
    swarm(20, ring::scenario);
}

#[test]
fn thousands_of_connections_lose_no_syn() {
    swarm(5, pops::thousands);
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 0..20 {
        let hash = || {
            let mut world = World::new(seed);
            let verdict = queue::scenario(&mut world).and_then(|()| world.close());
            verdict.unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            (world.sim.trace_hash(), world.sim.trace_lines())
        };
        assert_eq!(hash(), hash(), "seed {seed}");
    }
}
