//! Cron.

use super::*;

/// The first ticks of a cron task with a period of 200 ms that is held up when its second tick
/// is due at 400, as in the table of its documentation: when it ran, for when, and how many it
/// has left out. In milliseconds.
fn ticks(missed: Missed) -> Vec<(u128, u128, u64)> {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let cron = hub.every_with(ms(200), missed, move |hub, tick| {
        let millis = |time: Time| time.since(Time::ZERO).as_millis();
        assert_eq!(hub.now().since(tick.due), tick.late);
        inner.add((millis(hub.now()), millis(tick.due), tick.missed));
        if tick.number == 1 {
            // The next nap ends at 900 instead of 400.
            kernel.oversleep(ms(500));
        }
        Ok(())
    });
    let _ = hub.wait(Wait::until(Time::ZERO + ms(1150))).unwrap();
    hub.kill(cron);
    hub.run().unwrap();
    notes.take()
}

#[test]
fn cron_keeps_its_phase_and_skips_what_it_missed() {
    let wanted = [(200, 200, 0), (900, 400, 2), (1000, 1000, 0)];
    assert_eq!(ticks(Missed::Skip), wanted);
}

#[test]
fn cron_that_bursts_runs_what_it_missed() {
    let late = [(900, 400, 0), (900, 600, 0), (900, 800, 0)];
    let mut wanted = vec![(200, 200, 0)];
    wanted.extend(late);
    wanted.push((1000, 1000, 0));
    assert_eq!(ticks(Missed::Burst), wanted);
}

#[test]
fn cron_that_delays_starts_a_new_phase() {
    let wanted = [(200, 200, 0), (900, 400, 2), (1100, 1100, 0)];
    assert_eq!(ticks(Missed::Delay), wanted);
}

#[test]
fn work_within_a_tick_does_not_move_the_phase() {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    hub.every(ms(100), move |hub, tick| {
        inner.add(tick.due.since(Time::ZERO).as_millis());
        kernel.pass(ms(30));
        assert_eq!(hub.now().since(tick.due), tick.late);
        Ok(())
    });
    let _ = hub.wait(Wait::until(Time::ZERO + ms(550))).unwrap();
    assert_eq!(notes.take(), [100, 200, 300, 400, 500]);
}

/// The hub's `now` is then older than the clock, by what the tick has taken.
#[test]
fn work_within_a_tick_does_not_make_the_next_one_late() {
    let (mut hub, kernel) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    hub.every(ms(200), move |_hub, tick| {
        inner.add(tick.late.as_millis());
        kernel.pass(ms(90));
        Ok(())
    });
    let _ = hub.wait(Wait::until(Time::ZERO + ms(1150))).unwrap();
    assert_eq!(notes.take(), [0; 5]);
}

#[test]
fn an_error_ends_cron_and_is_told_to_the_hook() {
    let (mut hub, _) = clockwork();
    let failures = failures(&mut hub);
    let cron = hub.every(ms(10), |_hub, tick| match tick.number {
        3 => Err(Error::new(ErrorKind::Config, "on purpose")),
        _ => Ok(()),
    });
    hub.run().unwrap();
    assert!(hub.is_ended(cron));
    let told = failures.take();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].error.to_string(), "on purpose");
    assert!(told[0].spawned_at.file().ends_with(file!()));
    assert_eq!(hub.now().since(Time::ZERO).as_millis(), 30);
}

#[test]
fn a_killed_cron_ticks_no_more() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let cron = hub.every(ms(10), move |_hub, tick| {
        inner.add(tick.number);
        Ok(())
    });
    hub.sleep(ms(25)).unwrap();
    hub.kill(cron);
    hub.sleep(ms(25)).unwrap();
    assert_eq!(notes.take(), [1, 2]);
    assert_eq!(hub.timers_armed(), 0);
}

#[test]
fn a_period_of_nothing_counts_as_a_millisecond() {
    let (mut hub, _) = clockwork();
    let notes = Notes::new();
    let inner = notes.clone();
    let cron = hub.every(Duration::ZERO, move |_hub, tick| {
        inner.add(tick.number);
        Ok(())
    });
    hub.sleep(Duration::from_micros(10_500)).unwrap();
    hub.kill(cron);
    assert_eq!(notes.len(), 10);
}
