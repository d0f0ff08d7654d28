//! A server that does not answer for a while: only what is late fails.

use super::*;

const DEBUG: [&str; 2] = ["--enable-debug-command", "yes"];

#[test]
fn failed_cancel_costs_only_the_connection_of_its_pop() {
    // A command may take 5 s, and a cancel 2 s.
    let Some(mut field) = Field::start(&DEBUG) else {
        return;
    };
    let killed = field.pops(1, "jobs", Timeout::Forever);
    field.await_blocked(1);
    let incr = |field: &mut Field| field.send::<i64>(&["INCR", "n"]);
    assert_eq!(incr(&mut field).unwrap(), 1);
    let sleep = field.ask_aside(&["DEBUG", "SLEEP", "3.5"]);
    field.hub.sleep(ms(200)).unwrap();
    field.hub.kill(killed[0]);
    let second = incr(&mut field);
    assert_eq!(second.unwrap(), 2);
    sleep.join().unwrap();
    field.hub.drain().unwrap();
    assert_eq!(field.side.text(["GET", "n"]), "2");
    assert!(field.counts().indeterminate <= 1, "{:?}", field.counts());
    field.check_that_nothing_is_lost("jobs", 3);
}

#[test]
fn cancels_in_a_stall_end_by_their_timeout() {
    let mut config = Config::default();
    config.cancel_timeout = ms(500);
    let Some(mut field) = Field::with(&DEBUG, config) else {
        return;
    };
    field.pops_within(20, "jobs", secs(1));
    field.await_blocked(20);
    let begin = Instant::now();
    let sleep = field.ask_aside(&["DEBUG", "SLEEP", "3"]);
    let ends = field.await_ends(20);
    assert!(begin.elapsed() < ms(2900), "{:?}", begin.elapsed());
    check_all(
        &ends,
        20,
        |end| matches!(end, End::Indeterminate(error) if error.maybe_executed()),
    );
    field.hub.drain().unwrap();
    sleep.join().unwrap();
    assert_eq!(field.counts().indeterminate, 20);
    field.check_that_nothing_is_lost("jobs", 3);
}

#[test]
fn commands_on_the_shared_connection_outlast_a_stall() {
    let Some(mut field) = Field::start(&DEBUG) else {
        return;
    };
    field.reply::<()>(|redis, hub| redis.ping(hub)).unwrap();
    field.pops_within(20, "jobs", ms(300));
    let sleep = field.ask_aside(&["DEBUG", "SLEEP", "1.2"]);
    field.hub.sleep(ms(50)).unwrap();
    for number in 1..=20 {
        assert_eq!(field.send::<i64>(&["INCR", "n"]).unwrap(), number);
    }
    let ends = field.await_ends(20);
    check_all(&ends, 20, |end| matches!(end, End::Cancelled));
    sleep.join().unwrap();
    assert_eq!(field.counts().indeterminate, 0);
}
