//! `CLIENT PAUSE`, and every way in which a pop can end meanwhile.
//!
//! A pop that reaches the server during a pause is postponed: the server holds it, and executes it
//! when the pause is over. Redis 6.2 to 8.0 crash on a `CLIENT UNBLOCK` of such a client.

use super::*;
use greenroom::Shutdown;

/// How the pops of a test end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Kill,
    Deadline,
    OwnTimeout,
    Close,
    Shutdown,
}

const KEY: &str = "jobs";
const EACH: usize = 5;

/// Five pops are blocked when the server is paused, and five more are asked then. All of them end
/// in the pause as `ending` says, and the server survives that.
#[track_caller]
fn ends_well(mode: &str, ending: Ending) {
    // An overdue pop is cancelled after half of this.
    let mut config = Config::default();
    config.blocking_grace = secs(3);
    let pause = match ending {
        Ending::OwnTimeout => ms(2200),
        _ => ms(1200),
    };
    let Some(mut field) = Field::with(&[], config) else {
        return;
    };
    let spawn = |field: &mut Field| match ending {
        Ending::OwnTimeout => field.pops(EACH, KEY, Timeout::After(ms(200))),
        Ending::Deadline => field.pops_within(EACH, KEY, ms(300)),
        _ => field.pops(EACH, KEY, Timeout::Forever),
    };
    let mut tasks = spawn(&mut field);
    field.hub.sleep(ms(100)).unwrap();
    let begin = Instant::now();
    field
        .side
        .ask(["CLIENT", "PAUSE", &pause.as_millis().to_string(), mode]);
    tasks.extend(spawn(&mut field));
    field.hub.sleep(ms(100)).unwrap();
    match ending {
        Ending::Kill => tasks.iter().for_each(|&task| field.hub.kill(task)),
        Ending::Close => field.redis.close(&mut field.hub),
        Ending::Shutdown => {
            let finished = Shutdown::new().finish(&mut field.hub, ms(50), &tasks);
            assert_eq!(finished.unwrap().killed, 2 * EACH);
        }
        Ending::Deadline | Ending::OwnTimeout => {}
    }
    let ends = field.await_ends(2 * EACH);
    field.hub.drain().unwrap();
    let took = begin.elapsed();
    assert!(took < pause + secs(4), "{took:?}");
    check_all(&ends, 2 * EACH, |end| match (ending, end) {
        (Ending::OwnTimeout, End::Nil) => true,
        (Ending::Close, End::Failed(error)) => error.kind() == greenroom::ErrorKind::Closed,
        (Ending::Kill | Ending::Deadline | Ending::Shutdown, End::Cancelled) => true,
        _ => false,
    });
    assert_eq!(field.counts().indeterminate, 0);
    // While everything is paused, so is the client at the side.
    field
        .hub
        .sleep(pause.saturating_sub(begin.elapsed()))
        .unwrap();
    field.check_that_nothing_is_lost(KEY, 2 * EACH);
}

#[test]
fn killed_pops_survive_a_write_pause() {
    ends_well("WRITE", Ending::Kill);
}

#[test]
fn killed_pops_survive_a_full_pause() {
    ends_well("ALL", Ending::Kill);
}

#[test]
fn pops_past_their_deadline_survive_a_write_pause() {
    ends_well("WRITE", Ending::Deadline);
}

#[test]
fn pops_past_their_deadline_survive_a_full_pause() {
    ends_well("ALL", Ending::Deadline);
}

#[test]
fn pops_past_their_timeout_survive_a_write_pause() {
    ends_well("WRITE", Ending::OwnTimeout);
}

#[test]
fn pops_past_their_timeout_survive_a_full_pause() {
    ends_well("ALL", Ending::OwnTimeout);
}

#[test]
fn pops_of_a_closed_client_survive_a_write_pause() {
    ends_well("WRITE", Ending::Close);
}

#[test]
fn pops_of_a_closed_client_survive_a_full_pause() {
    ends_well("ALL", Ending::Close);
}

#[test]
fn pops_ended_by_a_shutdown_survive_a_write_pause() {
    ends_well("WRITE", Ending::Shutdown);
}

#[test]
fn pops_ended_by_a_shutdown_survive_a_full_pause() {
    ends_well("ALL", Ending::Shutdown);
}

/// A pause that is longer than a cancel may take: the connections are closed, and the waits end
/// before the pause.
#[track_caller]
fn ends_before(mode: &str) {
    let pause = ms(4000);
    let mut config = Config::default();
    config.cancel_timeout = ms(300);
    let Some(mut field) = Field::with(&[], config) else {
        return;
    };
    field.pops_within(EACH, KEY, secs(1));
    field.await_blocked(EACH);
    let begin = Instant::now();
    field
        .side
        .ask(["CLIENT", "PAUSE", &pause.as_millis().to_string(), mode]);
    field.pops_within(EACH, KEY, ms(300));
    let ends = field.await_ends(2 * EACH);
    field.hub.drain().unwrap();
    assert!(begin.elapsed() < pause, "{:?}", begin.elapsed());
    check_all(&ends, 2 * EACH, |end| {
        matches!(end, End::Cancelled | End::Indeterminate(_))
    });
    field
        .hub
        .sleep(pause.saturating_sub(begin.elapsed()))
        .unwrap();
    field.check_that_nothing_is_lost(KEY, 2 * EACH);
}

#[test]
fn cancels_end_in_time_during_a_long_write_pause() {
    ends_before("WRITE");
}

#[test]
fn cancels_end_in_time_during_a_long_full_pause() {
    ends_before("ALL");
}

#[test]
fn element_pushed_in_a_full_pause_is_popped_or_left() {
    let Some(mut field) = Field::start(&[]) else {
        return;
    };
    let mut tasks = field.pops(EACH, KEY, Timeout::Forever);
    field.await_blocked(EACH);
    field.side.ask(["CLIENT", "PAUSE", "1000", "ALL"]);
    let push = field.ask_aside(&["RPUSH", KEY, "1", "2", "3", "4", "5", "6", "7"]);
    tasks.extend(field.pops(EACH, KEY, Timeout::Forever));
    field.hub.sleep(ms(200)).unwrap();
    tasks.iter().for_each(|&task| field.hub.kill(task));
    field.hub.drain().unwrap();
    push.join().unwrap();
    field.hub.drain().unwrap();
    let ends = field.await_ends(2 * EACH);
    check_all(&ends, 2 * EACH, |end| matches!(end, End::Cancelled));
    field.until("all are requeued", |field| {
        field.side.number(["LLEN", KEY]) == 7
    });
    assert_eq!(field.counts().indeterminate, 0);
}
