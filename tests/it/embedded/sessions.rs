//! Much at once: long pipelines, large values, and that neither holds up anybody else.

use super::*;

/// Pings took a small part of the `time` that a client with much to do took. (How long a part of the
/// work takes depends on the build and on the neighbours, and so does the whole.)
#[track_caller]
fn were_answered_meanwhile(pinger: Pinger, time: Duration) {
    let pings = pinger.finish();
    let p90 = percentile(&pings, 90);
    let count = pings.len();
    assert!(
        p90 < ms(20) + time / 20,
        "{p90:?}, {count} pings in {time:?}"
    );
}

#[test]
fn ten_thousand_commands_in_one_write_are_answered_in_order() {
    let server = Embedded::start();
    for mut caller in server.both() {
        let mut commands = Vec::new();
        let mut replies = Vec::new();
        for number in 0..10_000 {
            let text = number.to_string();
            commands.extend(wire(["ECHO", &text]));
            encode::bulk(&mut replies, text.as_bytes());
        }
        // What comes back is more than the kernel holds while nobody reads: the server keeps the rest.
        caller.send(commands);
        caller.expect(replies);
    }
}

#[test]
fn a_value_of_64_mib_goes_in_and_comes_out() {
    const SIZE: usize = 64 << 20;
    let server = Embedded::start();
    // No piece of it looks like its neighbour.
    let value = (0..=255).collect::<Vec<u8>>().repeat(SIZE / 256);
    let mut caller = server.caller();
    caller.send(format!("*3\r\n$3\r\nSET\r\n$4\r\nhuge\r\n${SIZE}\r\n"));
    caller.send(&value);
    caller.send("\r\n");
    caller.expect("+OK\r\n");
    let mut other = server.tcp_caller();
    other.send("GET huge\r\n");
    other.expect(format!("${SIZE}\r\n"));
    other.expect(&value);
    other.expect("\r\n");
}

#[test]
fn a_long_pipeline_does_not_hold_up_others() {
    const COMMANDS: usize = 100_000;
    by_the_clock(|| {
        let server = Embedded::start();
        let pinger = Pinger::start(&server);
        let begin = Instant::now();
        let mut caller = server.caller();
        let mut reader = Caller::on(caller.socket.try_clone().unwrap());
        let replies = thread::spawn(move || {
            for number in 1..=COMMANDS {
                reader.expect(format!(":{number}\r\n"));
            }
        });
        caller.send("INCR key\r\n".repeat(COMMANDS));
        replies.join().unwrap();
        were_answered_meanwhile(pinger, begin.elapsed());
    });
}

#[test]
fn what_was_sent_while_blocked_does_not_hold_up_others_either() {
    by_the_clock(|| {
        let mut server = Embedded::start();
        let mut caller = server.caller();
        caller.say(["BRPOP", "list", "0"]);
        server.await_blocked(1);
        // Commands without an answer, so that there is nothing to read meanwhile.
        let ahead = "\r\n".repeat(2 << 20);
        caller.send(&ahead);
        caller.send("PING\r\n");
        let pinger = Pinger::start(&server);
        let begin = Instant::now();
        server.ask(["LPUSH", "list", "element"]);
        caller.expect(popped("list", "element"));
        caller.expect("+PONG\r\n");
        were_answered_meanwhile(pinger, begin.elapsed());
    });
}

#[test]
fn sixty_four_busy_clients_get_their_own_answers() {
    let mut server = Embedded::start();
    let callers: Vec<_> = (0..32).flat_map(|_| server.both()).collect();
    let threads: Vec<_> = callers
        .into_iter()
        .enumerate()
        .map(|(number, mut caller)| {
            thread::spawn(move || {
                let list = format!("list:{number}");
                for round in 0..20 {
                    let text = format!("{number}:{round}");
                    let commands = [
                        wire(["RPUSH", &list, &text]),
                        wire(["BLPOP", &list, "0"]),
                        wire(["INCR", "all"]),
                    ];
                    caller.send(commands.concat());
                    caller.expect(":1\r\n");
                    caller.expect(popped(&list, &text));
                    assert!(caller.reply().as_int().is_some());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(server.ask(["GET", "all"]).as_str(), Some("1280"));
}
