//! Ten thousand clients that connect and do next to nothing: others are answered as before.
//!
//! Both ends of their connections take a descriptor each, nearly all that many systems allow a
//! process. So the test runs itself again in a process of its own, where no other test misses them.

use super::*;
use std::process::{Command, Stdio};

const CLIENTS: u64 = 10_000;

/// Descriptors for everything else.
const OTHERS: u64 = 200;

/// Set in the process where the test really runs.
const ALONE: &str = "GREENROOM_TEST_ALONE";

#[test]
fn ten_thousand_clients_that_send_one_byte_and_stay_harm_nobody() {
    const NAME: &str =
        "embedded::crowd::ten_thousand_clients_that_send_one_byte_and_stay_harm_nobody";
    if std::env::var_os(ALONE).is_some() {
        return by_the_clock(crowd);
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(ALONE, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(run.status.success(), "{}{}", said[0], said[1]);
    assert!(
        said[0].contains("1 passed"),
        "nothing was tested: {}",
        said[0]
    );
    // To the real stream: what a test that passes prints is not shown.
    for line in said[1].lines().filter(|line| line.starts_with("only ")) {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// How many clients there are descriptors for.
fn room() -> u64 {
    let limit = rlimit::increase_nofile_limit(2 * CLIENTS + OTHERS).unwrap();
    let room = limit.saturating_sub(OTHERS) / 2;
    if room < CLIENTS {
        eprintln!("only {room} clients of {CLIENTS}: {limit} files may be open");
    }
    room.min(CLIENTS)
}

fn crowd() {
    let count = room();
    let mut server = Embedded::with(config(|config| config.max_clients = 2 * count as usize));
    let pinger = Pinger::start(&server);
    let begin = Instant::now();
    let mut crowd: Vec<_> = (0..count).map(|_| server.caller()).collect();
    for caller in &mut crowd {
        caller.send("*");
    }
    server.await_clients(count as usize + 1);
    let took = begin.elapsed();
    let coming = pinger.finish();
    let worst = *coming.last().unwrap();
    // While they come, a ping stands in line behind those who have come before it.
    assert!(worst < ms(100) + took / 2, "{worst:?} of {took:?}");
    // A tenth of them goes on and waits for something; then all stay.
    let waiting = count as usize / 10;
    for caller in &mut crowd[..waiting] {
        caller.send(&wire(["BRPOP", "list", "0"])[1..]);
    }
    server.await_blocked(waiting);
    let pinger = Pinger::start(&server);
    thread::sleep(ms(300));
    let staying = pinger.finish();
    let [p50, p90, p99] = [50, 90, 99].map(|percent| percentile(&staying, percent));
    assert!(p90 < ms(50), "{p50:?}, {p90:?}, {} pings", staying.len());
    // All leave at the same time.
    let begin = Instant::now();
    drop(crowd);
    server.await_clients(0);
    let left = begin.elapsed();
    eprintln!("{count} came in {took:?} and left in {left:?}");
    eprintln!("pings while they came: at most {worst:?}");
    eprintln!("pings while they stayed: half {p50:?}, 99 % {p99:?}");
    let aftermath = server.end();
    assert_eq!(aftermath.stats.connections, count + 3);
}
