//! Chapter 8.

use super::super::beat::{Beat, Run};
use super::super::drift::drift as measure;
use super::super::next_due::{Missed, next_due as next};
use greenroom::sim::{Sim, Strike};
use greenroom::{Hub, Time, ms};
use std::rc::Rc;
use std::time::Duration;

pub fn drift() {
    assert_eq!(measure(0, 200, &[200, 400, 600]), (0, 0));
    let punctual = [1_201, 1_403, 1_600, 1_801];
    assert_eq!(measure(1_000, 200, &punctual), (3, 0), "late, no drift");
    let drifting = [200, 410, 620, 830];
    assert_eq!(measure(0, 200, &drifting), (30, 30), "gaps of 210");
    assert_eq!(measure(0, 200, &[250, 400]), (50, -50));
    assert_eq!(measure(5, 200, &[]), (0, 0));
}

pub fn next_due() {
    use Missed::{Burst, Delay, Skip};
    for missed in [Skip, Burst] {
        assert_eq!(next(missed, 200, 400, 403), (600, 0), "{missed:?} keeps it");
    }
    assert_eq!(next(Delay, 200, 400, 403), (603, 0));
    assert_eq!(next(Skip, 200, 400, 900), (1_000, 2));
    assert_eq!(next(Burst, 200, 400, 900), (600, 0));
    assert_eq!(next(Delay, 200, 400, 900), (1_100, 2));
    assert_eq!(next(Skip, 200, 400, 600), (800, 1), "late by one period");
    assert_eq!(next(Skip, 200, 400, 599), (600, 0));
    assert_eq!(next(Skip, 7, 3, 1_000_003), (1_000_009, 142_857));
}

pub fn beat() {
    let sim = Sim::new(1);
    let runs = Rc::default();
    let mut hub = Hub::simulated(&sim);
    let task = hub.spawn_task(Beat::new(ms(200), Rc::clone(&runs)));
    hub.sleep(ms(300)).unwrap();
    hub.notify(task);
    hub.sleep(ms(200)).unwrap();
    // From 500 to 950: 600 runs late, and 800 not at all.
    sim.strike(Strike::JumpClock(ms(450)));
    hub.sleep(ms(300)).unwrap();
    assert!(!hub.is_ended(task), "cron has no end");
    hub.kill(task);

    let runs: Vec<Run> = runs.borrow().clone();
    let start = runs.first().map_or(Time::ZERO, |first| first.due);
    let due = runs.iter().map(|run| run.due.since(start));
    let expected = [0, 200, 400, 800, 1_000].map(ms);
    assert_eq!(due.collect::<Vec<_>>(), expected, "{runs:?}");
    assert!((ms(200)..ms(201)).contains(&start.since(Time::ZERO)));
    let missed: Vec<_> = runs.iter().map(|run| run.missed).collect();
    assert_eq!(missed, [0, 0, 1, 0, 0]);
    for (run, least) in runs.iter().zip([0, 0, 340, 0, 0].map(ms)) {
        let most = least + ms(20);
        assert!((least..most).contains(&run.late), "{run:?}");
    }
    let refused = hub.spawn_task(Beat::new(Duration::from_secs(1), Rc::default()));
    hub.sleep(ms(1)).unwrap();
    assert!(!hub.is_ended(refused), "it waits for its first tick");
}
