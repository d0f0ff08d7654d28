//! Errors with which a server says that it has not executed a pop, and that pass: pops without a
//! timeout outlast them.

use super::*;
use greenroom::Side as From;
use std::fs;

const KEY: &str = "jobs";
const POPS: usize = 20;

/// Each pop is asked again every 0.3 s, and overdue 1 s later.
fn short_slices() -> Config {
    let mut config = Config::default();
    config.forever_round = Some(ms(300));
    config.blocking_grace = secs(1);
    config
}

/// Pops of which none ends while the server refuses them, and which all get an element afterwards.
#[track_caller]
fn outlast(mut field: Field, time: Duration, on: impl Fn(&mut Field), off: impl Fn(&mut Field)) {
    // Moves are refused where pops are not: they may need memory.
    field.pops(POPS / 2, KEY, Timeout::Forever);
    for _ in 0..POPS / 2 {
        field.spawn(|redis, hub| {
            let (from, to) = ((KEY, From::Right), ("begun", From::Left));
            redis.blmove(hub, from, to, Timeout::Forever)
        });
    }
    field.await_blocked(POPS);
    on(&mut field);
    field.hub.sleep(time).unwrap();
    check_all(&field.ends.take(), 0, |_| false);
    off(&mut field);
    field.await_blocked(POPS);
    for number in 0..POPS {
        field.side.ask(["RPUSH", KEY, &number.to_string()]);
    }
    let ends = field.await_ends(POPS);
    check_all(&ends, POPS, |end| matches!(end, End::Popped(_)));
    assert_eq!(field.side.number(["LLEN", "begun"]), POPS as i64 / 2);
    assert_eq!(field.counts().indeterminate, 0);
}

fn set(field: &mut Field, parameter: &str, value: &str) {
    let set = ["CONFIG", "SET", parameter, value];
    assert_eq!(field.side.text(set), "OK");
}

/// The pops outlast a time in which `parameter` has a value with which the server refuses them.
#[track_caller]
fn outlast_setting(parameter: &str, refusing: &str, usual: &str) {
    let Some(field) = Field::with(&[], short_slices()) else {
        return;
    };
    let on = |field: &mut Field| set(field, parameter, refusing);
    let off = |field: &mut Field| set(field, parameter, usual);
    outlast(field, ms(900), on, off);
}

#[test]
fn pops_outlast_noreplicas() {
    outlast_setting("min-replicas-to-write", "1", "0");
}

#[test]
fn pops_outlast_oom() {
    outlast_setting("maxmemory", "1", "0");
}

#[test]
fn pops_outlast_misconf() {
    let flags = [
        "--stop-writes-on-bgsave-error",
        "no",
        "--save",
        "3600 1000000",
    ];
    let Some(mut field) = Field::with(&flags, short_slices()) else {
        return;
    };
    // No file can be put where a folder is: the save fails.
    fs::create_dir(field.server.folder().join("dump.rdb")).unwrap();
    field.side.ask(["BGSAVE"]);
    field.until("the save has failed", |field| {
        field.side.info("rdb_last_bgsave_status") == "err"
    });
    let on = |field: &mut Field| set(field, "stop-writes-on-bgsave-error", "yes");
    let off = |field: &mut Field| set(field, "stop-writes-on-bgsave-error", "no");
    outlast(field, ms(900), on, off);
}

/// Runs a script that does not end, and waits until the server answers others with `BUSY`.
fn begin_script(field: &mut Field) {
    let begin = Instant::now();
    drop(field.ask_aside(&["EVAL", "while true do end", "0"]));
    while field.side.ask(["PING"]).as_bytes() == Some(b"PONG") {
        assert!(begin.elapsed() < PATIENCE);
        field.hub.sleep(ms(5)).unwrap();
    }
}

fn end_script(field: &mut Field) {
    assert_eq!(field.side.text(["SCRIPT", "KILL"]), "OK");
    // The server answers this first, and stops the script a little later.
    field.until("the script has ended", |field| {
        field.side.ask(["PING"]).as_bytes() == Some(b"PONG")
    });
}

#[test]
fn pops_outlast_a_busy_script() {
    let flags = ["--busy-reply-threshold", "50"];
    let Some(field) = Field::with(&flags, short_slices()) else {
        return;
    };
    outlast(field, ms(1700), begin_script, end_script);
}

#[test]
fn pops_asked_during_a_busy_script_are_served_later() {
    let flags = ["--busy-reply-threshold", "50"];
    let Some(mut field) = Field::with(&flags, short_slices()) else {
        return;
    };
    begin_script(&mut field);
    are_served_later(field, end_script);
}

#[test]
fn pops_asked_while_a_cluster_is_down_are_served_later() {
    let flags = ["--cluster-enabled", "yes"];
    let Some(field) = Field::with(&flags, short_slices()) else {
        return;
    };
    are_served_later(field, |field| {
        let all = ["CLUSTER", "ADDSLOTSRANGE", "0", "16383"];
        assert_eq!(field.side.text(all), "OK");
    });
}

/// Pops that are asked while the server refuses them do not end before they are served.
#[track_caller]
fn are_served_later(mut field: Field, off: impl Fn(&mut Field)) {
    field.pops(POPS, KEY, Timeout::Forever);
    field.hub.sleep(ms(600)).unwrap();
    check_all(&field.ends.take(), 0, |_| false);
    off(&mut field);
    field.await_blocked(POPS);
    for number in 0..POPS {
        field.side.ask(["RPUSH", KEY, &number.to_string()]);
    }
    let ends = field.await_ends(POPS);
    check_all(&ends, POPS, |end| matches!(end, End::Popped(_)));
}

#[test]
fn pops_outlast_a_write_pause_longer_than_their_grace() {
    let Some(field) = Field::with(&[], short_slices()) else {
        return;
    };
    let on = |field: &mut Field| {
        field.side.ask(["CLIENT", "PAUSE", "3000", "WRITE"]);
    };
    outlast(field, ms(3100), on, |_| {});
}

#[test]
fn pops_outlast_a_stall_longer_than_their_grace() {
    let flags = ["--enable-debug-command", "yes"];
    let Some(field) = Field::with(&flags, short_slices()) else {
        return;
    };
    let on = |field: &mut Field| drop(field.ask_aside(&["DEBUG", "SLEEP", "3"]));
    outlast(field, ms(3100), on, |_| {});
}

#[test]
fn pops_outlast_being_a_replica() {
    let Some(field) = Field::with(&[], short_slices()) else {
        return;
    };
    let on = |field: &mut Field| {
        let port = crate::server::free_port().to_string();
        field.side.ask(["REPLICAOF", "127.0.0.1", &port]);
    };
    let off = |field: &mut Field| {
        field.side.ask(["REPLICAOF", "NO", "ONE"]);
    };
    outlast(field, ms(900), on, off);
}

#[test]
fn pop_that_another_client_unblocks_with_an_error_fails() {
    let Some(mut field) = Field::with(&[], short_slices()) else {
        return;
    };
    field.pops(1, KEY, Timeout::After(secs(10)));
    field.await_blocked(1);
    let list = field.side.text(["CLIENT", "LIST"]);
    let pop = list
        .lines()
        .find(|line| line.contains(" cmd=brpop "))
        .unwrap();
    let id = pop.split(' ').next().unwrap().trim_start_matches("id=");
    field.side.ask(["CLIENT", "UNBLOCK", id, "ERROR"]);
    let ends = field.await_ends(1);
    check_all(
        &ends,
        1,
        |end| matches!(end, End::Failed(error) if error.code() == Some("UNBLOCKED")),
    );
}

#[test]
fn wrong_type_is_final_for_a_pop_without_timeout() {
    let Some(mut field) = Field::with(&[], short_slices()) else {
        return;
    };
    field.side.ask(["SET", KEY, "a string"]);
    field.pops(1, KEY, Timeout::Forever);
    let ends = field.await_ends(1);
    check_all(
        &ends,
        1,
        |end| matches!(end, End::Failed(error) if error.code() == Some("WRONGTYPE")),
    );
}
