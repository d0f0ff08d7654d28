//! Runs without a server: the program brings its own, on the same thread.

use super::*;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::PoisonError;

/// Where everybody's server is.
const USUAL: (&str, u16) = ("127.0.0.1", 6379);

/// One test at a time counts on what is there.
static AT_USUAL: Mutex<()> = Mutex::new(());

fn is_usual_taken() -> bool {
    TcpStream::connect(USUAL).is_ok()
}

/// Runs without any server named, and says whether there was one at the usual place.
fn run_at_usual(start: impl Fn() -> Running) -> (bool, Ended) {
    let _alone = AT_USUAL.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let is_taken = is_usual_taken();
        let ended = start().finish();
        // Other programs come and go there as they like.
        if is_usual_taken() == is_taken {
            return (is_taken, ended);
        }
    }
}

#[track_caller]
fn is_embedded(summary: &JsonValue, clients: u64) {
    assert_eq!(summary["server"].as_str(), Some("embedded"), "{summary}");
    let port = summary["url"].as_str().unwrap();
    let port = port.strip_prefix("redis://127.0.0.1:").expect(port);
    assert_ne!(port.parse::<u16>().unwrap(), USUAL.1);
    for (name, number) in [
        ("clients", clients),
        ("timed_out", clients),
        ("popped", 0),
        ("failed", 0),
        ("os_threads", 1),
        ("connects_retried", 0),
    ] {
        assert_eq!(summary[name].as_u64(), Some(number), "{name}: {summary}");
    }
}

#[test]
fn five_hundred_pops_and_their_server_take_a_second_on_one_thread() {
    by_the_clock(|| {
        let ended = run(["--embedded", "--json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let summary = ended.summary();
        is_embedded(&summary, 500);
        let duration = summary["duration_s"].as_f64().unwrap();
        assert!((1.0..1.5).contains(&duration), "{summary}");
        assert!(summary["cron"]["ticks"].as_u64() >= Some(5), "{summary}");
        // It says where others can look in.
        let (_, place) = summary["url"].as_str().unwrap().split_once("://").unwrap();
        let said = ended.err.lines().next().and_then(log_line).unwrap();
        let expected = format!("The embedded server listens at {place}.");
        assert_eq!(said, ("main", &*expected));
    });
}

#[test]
fn two_thousand_pops_find_room_in_the_embedded_server() {
    if raise_open_files() < 4016 {
        return;
    }
    by_the_clock(|| {
        let ended = run(["--embedded", "--json", "-q", "-c", "2000"]);
        assert_eq!((ended.code, &*ended.err), (Some(0), ""));
        is_embedded(&ended.summary(), 2000);
    });
}

#[test]
fn where_nobody_listens_the_embedded_server_is_started_and_that_is_said() {
    let args = ["--json", "-c", "3", "--key", "program:usual"];
    let (is_taken, ended) = run_at_usual(|| start(program(args)));
    if is_taken {
        assert!(!ended.err.contains("embedded"), "{ended:?}");
        return;
    }
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let summary = ended.summary();
    is_embedded(&summary, 3);
    let (_, place) = summary["url"].as_str().unwrap().split_once("://").unwrap();
    let said = ended.err.lines().next().and_then(log_line).unwrap();
    let (usual, port) = USUAL;
    let expected = format!("No server at {usual}:{port}: the embedded one is started, at {place}.");
    assert_eq!(said, ("main", &*expected));
}

#[test]
fn a_server_that_was_named_is_not_replaced() {
    for args in [&["-h", "127.0.0.1"][..], &["-p", "6379"], &["-a", "x"]] {
        let (is_taken, ended) = run_at_usual(|| {
            let common = ["-c", "1", "--key", "program:usual"];
            start(program(args.iter().copied().chain(common)))
        });
        assert!(!ended.err.contains("embedded"), "{args:?}: {ended:?}");
        if !is_taken {
            ended.has_failed(1, "refused");
        }
    }
    let nowhere = format!("redis://127.0.0.1:{}", free_port());
    let mut command = program([]);
    command.env("REDIS_URL", nowhere);
    let ended = start(command).finish();
    ended.has_failed(1, "refused");
    assert!(!ended.err.contains("embedded"), "{ended:?}");
}

#[test]
fn somebody_who_is_there_but_does_not_let_us_in_is_not_replaced() {
    for (words, named) in [
        (&b"-NOAUTH Authentication required.\r\n"[..], "NOAUTH"),
        (b"HTTP/1.1 400 Bad Request\r\n", "it speaks HTTP"),
        (b"", "closed"),
    ] {
        let _alone = AT_USUAL.lock().unwrap_or_else(PoisonError::into_inner);
        let listener = match TcpListener::bind(USUAL) {
            Ok(listener) => listener,
            Err(error) if error.kind() == ErrorKind::AddrInUse => return,
            Err(error) => panic!("{error}"),
        };
        let running = start(program(["--json"]));
        let (mut stream, _) = listener.accept().unwrap();
        assert_ne!(stream.read(&mut [0; 512]).unwrap(), 0);
        stream.write_all(words).unwrap();
        drop(stream);
        let ended = running.finish();
        ended.has_failed(1, named);
        assert!(!ended.err.contains("embedded"), "{ended:?}");
    }
}

#[test]
fn the_environment_names_no_server_to_who_wants_the_embedded_one() {
    for url in ["redis://nobody.invalid", "http://x"] {
        let args = ["--embedded", "--json", "-c", "1", "--timeout", "0.1"];
        let mut command = program(args);
        command.env("REDIS_URL", url);
        let ended = start(command).finish();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        is_embedded(&ended.summary(), 1);
    }
}

#[test]
fn several_runs_at_the_same_time_have_a_server_each() {
    let args = ["--embedded", "--json", "-q", "-c", "50"];
    let runs = [start(program(args)), start(program(args))];
    let urls = runs.map(|running| {
        let ended = running.finish();
        assert_eq!((ended.code, &*ended.err), (Some(0), ""));
        let summary = ended.summary();
        is_embedded(&summary, 50);
        summary["url"].as_str().unwrap().to_owned()
    });
    assert_ne!(urls[0], urls[1]);
}

#[test]
fn both_ends_of_each_connection_count_as_open_files() {
    let limited =
        |limit: &str, args: &str| start(program_after(&format!("ulimit -n {limit}"), BRPOP, args));
    let forced = "-c 200 --timeout 0.1 -q --embedded";
    let refused = limited("300", forced).finish();
    refused.has_failed(2, "200");
    assert_eq!(refused.err.lines().count(), 1, "{refused:?}");
    let ended = limited(&remedy(&refused), forced).finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));

    // Enough for a server that is there. That there is none shows later.
    let args = "-c 200 --timeout 0.1 --key program:usual";
    let (is_taken, ended) = run_at_usual(|| limited("300", args));
    if !is_taken {
        assert_eq!((ended.code, &ended.err), (refused.code, &refused.err));
    }
}

#[test]
fn sigint_ends_pops_and_server() {
    let running = start(program(["--embedded", "--timeout", "0", "--json"]));
    eventually("main has slept", || running.said().contains("in use: 500"));
    running.interrupt();
    let ended = running.finish();
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let summary = ended.summary();
    let counts = ["timed_out", "popped", "failed"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [Some(0), Some(0), Some(500)], "{summary}");
    let in_use = summary["pool_after"]["in_use"].as_u64();
    assert_eq!(in_use, Some(0), "{summary}");
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
}
