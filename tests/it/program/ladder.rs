//! The rungs of the ladder, each as its reader runs it. What they print is what they teach, so that is what is looked at; numbers
//! of a clock less than numbers that were counted.

mod http;
mod http_ends;

use super::*;

/// What a rung has printed, which has ended well.
#[track_caller]
fn climb(rung: usize, args: &[&str]) -> String {
    let ended = start(on_rung(rung, args)).finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""), "{ended:?}");
    ended.out
}

fn on_rung(rung: usize, args: &[&str]) -> Command {
    let mut command = Command::new(binary(LADDER[rung - 1]));
    command.args(args);
    command
}

/// The numbers of a text, in their order.
fn numbers(text: &str) -> Vec<f64> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words
        .filter_map(|word| word.trim_end_matches('.').parse().ok())
        .collect()
}

/// The one line that has `what` in it.
#[track_caller]
fn line<'a>(out: &'a str, what: &str) -> &'a str {
    let mut lines = out.lines().filter(|line| line.contains(what));
    let line = lines.next();
    assert!(line.is_some() && lines.next().is_none(), "{what:?}: {out}");
    line.unwrap()
}

const BYTES: &str = r"LPUSH ladder hello
  -> *3\r\n$5\r\nLPUSH\r\n$6\r\nladder\r\n$5\r\nhello\r\n
  <- :1\r\n
BRPOP ladder 1
  -> *3\r\n$5\r\nBRPOP\r\n$6\r\nladder\r\n$1\r\n1\r\n
  <- *2\r\n$6\r\nladder\r\n$5\r\nhello\r\n
BRPOP ladder 1
  -> *3\r\n$5\r\nBRPOP\r\n$6\r\nladder\r\n$1\r\n1\r\n
  <- *-1\r\n
";

#[track_caller]
fn shows_the_bytes(out: &str) {
    let (times, bytes): (Vec<_>, Vec<_>) = out.lines().partition(|line| line.contains(" s in"));
    assert_eq!(bytes.join("\n") + "\n", BYTES);
    let times: Vec<f64> = times.iter().map(|line| numbers(line)[0]).collect();
    assert!(times.len() == 3 && times[2] >= 1.0, "{times:?}");
    assert!(times[0] < times[2] && times[1] < times[2], "{times:?}");
}

#[test]
fn the_first_shows_what_a_pop_is_on_the_wire() {
    shows_the_bytes(&climb(1, &[]));
}

#[test]
fn the_first_shows_the_same_of_a_real_redis() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    shows_the_bytes(&climb(1, &["-p", &server.port().to_string()]));
}

#[test]
fn the_second_counts_a_thread_for_each_pop_and_two_more() {
    let out = climb(2, &["-c", "60"]);
    let first = "60 pops wait in 62 OS threads, 2 of which were there before.";
    assert_eq!(out.lines().next(), Some(first), "{out}");
    let [_memory, addresses] = numbers(line(&out, "KiB"))[..] else {
        panic!("{out}");
    };
    assert!(addresses >= 2048.0, "less than a stack: {out}");
    assert!(out.contains("60 of 60 pops: nil."), "{out}");
}

/// What the third says of a pause: it, reads that brought nothing, processor time, time.
fn spins(out: &str, pause: &str) -> [f64; 4] {
    let row = out
        .lines()
        .find(|line| line.trim_start().starts_with(pause));
    numbers(row.expect(out)).try_into().expect(out)
}

#[test]
fn the_third_looks_in_vain_where_the_fourth_is_told() {
    let out = climb(3, &[]);
    let [_, spinning, ..] = spins(&out, "0 ms");
    let [_, pausing, ..] = spins(&out, "10 ms");
    assert!(spinning > 10_000.0, "{out}");
    // Two sockets, each second a hundred looks at most.
    assert!((2.0..=210.0).contains(&pausing), "{out}");

    let out = climb(4, &[]);
    let told = numbers(line(&out, "nil: "));
    let [_events, writes, short_writes, reads, _short, would_block] = told[..] else {
        panic!("{out}");
    };
    assert_eq!((writes, short_writes), (1.0, 0.0), "{out}");
    assert!(reads < 10.0 && would_block < 10.0, "{out}");
}

#[test]
fn the_third_takes_a_processor_for_itself_and_the_fourth_none() {
    by_the_clock(|| {
        let out = climb(3, &[]);
        let [_, _, spinning, _] = spins(&out, "0 ms");
        let [_, _, pausing, _] = spins(&out, "10 ms");
        // With neighbours it gets what they leave.
        assert!(spinning > 0.05 && spinning > 5.0 * pausing, "{out}");
        let out = climb(4, &[]);
        // Most of this is 16 MiB, there and back.
        let [_, told, of] = numbers(line(&out, "Processor"))[..] else {
            panic!("{out}");
        };
        assert!(of >= 1.0 && told < spinning, "{spinning} s, and {out}");
    });
}

#[test]
fn the_fourth_has_short_writes_and_short_reads_and_loses_nothing() {
    let out = climb(4, &[]);
    let big = line(&out, "16777216 bytes popped: ");
    let [_, _events, writes, short_writes, reads, short_reads, _] = numbers(big)[..] else {
        panic!("{out}");
    };
    assert!(short_writes > 0.0 && short_writes < writes, "{out}");
    // A read takes 64 KiB at most.
    assert!(short_reads >= 255.0 && short_reads < reads, "{out}");
}

#[test]
fn the_fifth_and_the_sixth_say_the_same() {
    by_the_clock(|| {
        let outs = [5, 6].map(|rung| climb(rung, &["-c", "300"]));
        for (out, threads) in outs.iter().zip([2.0, 1.0]) {
            let lines: Vec<&str> = out.lines().collect();
            assert_eq!(lines.len(), 3, "{out}");
            assert_eq!(lines[0], "300 of 300 pops: nil. 0 failed.");
            let ticks = numbers(lines[1])[0];
            assert!((5.0..=8.0).contains(&ticks), "{out}");
            let [counted, took] = numbers(lines[2])[..] else {
                panic!("{out}");
            };
            assert_eq!(counted, threads, "{out}");
            assert!((1.0..2.0).contains(&took), "{out}");
        }
    });
}

#[test]
fn the_fifth_and_the_sixth_tell_an_element_from_nil() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let port = server.port().to_string();
    for rung in [5, 6] {
        server.side().ask(["RPUSH", "ladder", "one", "two"]);
        let out = climb(rung, &["-c", "30", "-p", &port]);
        assert!(out.starts_with("28 of 30 pops: nil. 0 failed.\n"), "{out}");
        assert_eq!(server.side().number(["LLEN", "ladder"]), 0);
    }
}

#[test]
fn the_seventh_has_all_of_them_wait_and_each_gets_an_element_of_its_own() {
    let out = climb(7, &["-c", "500"]);
    assert!(line(&out, "500 pops wait").ends_with("OS threads: 1."));
    assert!(out.contains("501 connections, one of them shared"), "{out}");
    let each = numbers(line(&out, "bytes of memory"))[0];
    assert!(each < 16_384.0, "a thread's two pages and more: {out}");
    assert!(out.contains("500 different elements"), "{out}");
}

#[test]
fn the_seventh_wakes_for_cron_alone_while_nothing_comes() {
    by_the_clock(|| {
        let out = climb(7, &["-c", "100"]);
        let turns = numbers(line(&out, "nothing comes"))[0];
        assert!((90.0..=110.0).contains(&turns), "{out}");
    });
}

#[test]
fn the_seventh_says_how_many_files_it_would_need() {
    let ended = start(program_after("ulimit -n 100", LADDER[6], "-c 200")).finish();
    assert_eq!((ended.code, &*ended.out), (Some(1), ""), "{ended:?}");
    assert!(ended.err.contains("216 open files"), "{ended:?}");
    assert!(!ended.err.contains("panicked"), "{ended:?}");
}

#[test]
fn the_seventh_leaves_no_server_behind_when_it_is_killed() {
    // Known by its path among all processes.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("seventh");
    std::fs::copy(binary(LADDER[6]), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["-c", "50"]);
    let running = start(command);
    eventually("all wait", || running.out.so_far().contains("pops wait"));
    assert_eq!(processes_of(&program), 2);
    running.kill();
    eventually("the server has ended", || processes_of(&program) == 0);
}

fn processes_of(program: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap();
    let exes =
        processes.filter_map(|entry| std::fs::read_link(entry.ok()?.path().join("exe")).ok());
    exes.filter(|exe| exe == program).count()
}

#[test]
fn misuse_and_a_server_that_is_not_there_are_told() {
    for rung in 1..=8 {
        for (args, complaint) in [(&["-x"][..], "'-x'"), (&["more"], "\"more\"")] {
            let ended = start(on_rung(rung, args)).finish();
            assert_eq!((ended.code, &*ended.out), (Some(2), ""), "{ended:?}");
            assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
            assert!(ended.err.contains(complaint), "{ended:?}");
        }
    }
    let nobody = free_port().to_string();
    for rung in [1, 2, 3, 4, 6] {
        let ended = start(on_rung(rung, &["-p", &nobody])).finish();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("refused"), "{ended:?}");
        assert!(!ended.err.contains("panicked"), "{ended:?}");
    }
    // There, each task fails by itself.
    let out = climb(5, &["-c", "3", "-p", &nobody]);
    assert!(out.starts_with("0 of 3 pops: nil. 3 failed.\n"), "{out}");
}
