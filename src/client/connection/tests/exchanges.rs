//! Bytes in, events out.

use super::*;

#[test]
fn a_pop_follows_its_opening_and_is_answered() {
    both_ways(|read| {
        let mut bench = Bench::dedicated();
        bench.connect();
        let ticket = bench.pop(None);
        bench.write_all();
        let opening = b"*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n";
        assert_eq!(bench.sent, [opening, POP].concat());
        assert_eq!(read(&mut bench, b":12\r\n"), ["opened"]);
        assert_eq!(bench.connection.client_id, NonZeroU64::new(12));
        let answer = format!("answered {:?}: ", ticket.0);
        let events = read(&mut bench, POPPED);
        assert!(events[0].starts_with(&answer), "{events:?}");
        assert_eq!(events.len(), 1);
        assert!(bench.connection.request().is_none());
    });
}

#[test]
fn the_answers_of_opening_and_pop_may_come_together() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(None);
    bench.write_all();
    let events = bench.read(&[b":12\r\n", POPPED].concat());
    assert_eq!(events.len(), 2, "{events:?}");
}

#[test]
fn bytes_behind_the_last_reply_end_the_connection() {
    both_ways(|read| {
        let mut bench = Bench::dedicated();
        bench.connect();
        bench.pop(None);
        bench.write_all();
        let events = read(&mut bench, &[b":12\r\n", POPPED, b"+OK\r\n"].concat());
        assert!(events[1].starts_with("answered"), "{events:?}");
        assert!(events[2].starts_with("Protocol"), "{events:?}");
        assert!(
            events[2].ends_with("a reply that nothing asked for"),
            "{events:?}"
        );
    });
}

#[test]
fn an_error_that_nothing_asked_for_is_why_the_server_closes() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    let events = bench.read(b"-ERR going down\r\n");
    assert!(events[0].starts_with("Closed"), "{events:?}");
    assert!(events[0].contains("ERR going down"), "{events:?}");
}

#[test]
fn a_reply_before_its_command_has_left_ends_the_connection() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    bench.pop(None);
    bench.write(POP.len() - 1);
    assert!(!bench.connection.is_request_written());
    let events = bench.read(POPPED);
    assert!(events[0].starts_with("Protocol"), "{events:?}");
    assert!(events[0].contains("was not sent"), "{events:?}");
    assert!(bench.connection.request().is_some(), "it is still owed");
}

#[test]
fn a_peer_that_does_not_speak_resp_is_no_server() {
    both_ways(|read| {
        let mut bench = Bench::dedicated();
        bench.connect();
        bench.pop(None);
        bench.write_all();
        let events = read(&mut bench, b"HTTP/1.1 400 Bad Request\r\n");
        assert!(events[0].starts_with("Connect"), "{events:?}");
        assert!(events[0].contains("is not a Redis server"), "{events:?}");
    });
}

#[test]
fn what_is_no_resp_ends_the_connection() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(None);
    bench.write_all();
    bench.read(b":12\r\n");
    let events = bench.read(b"?\r\n");
    assert!(events[0].starts_with("Protocol"), "{events:?}");
}

#[test]
fn only_what_has_not_begun_to_leave_is_withdrawn_whole() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    let ticket = bench.pop(None);
    assert!(!bench.connection.is_request_begun());
    let withdrawn = bench.connection.withdraw().unwrap();
    assert_eq!(withdrawn.ticket, ticket);
    assert_eq!(bench.connection.unsent(), b"");
    bench.pop(None);
    bench.write(1);
    assert!(bench.connection.is_request_begun());
    assert!(!bench.connection.is_request_written());
}

#[test]
fn a_pipeline_is_answered_once_with_all_its_replies() {
    both_ways(|read| {
        let mut bench = Bench::shared();
        let first = bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
        let ping = b"*1\r\n$4\r\nPING\r\n".repeat(3);
        let second = bench.ask(&ping, ReplyCount::Many(3));
        bench.write_all();
        let events = read(&mut bench, b"+A\r\n:1\r\n:2\r\n");
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].starts_with(&format!("replied {:?}", first.0)));
        let events = read(&mut bench, b":3\r\n");
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].starts_with(&format!("replied {:?}", second.0)));
        assert!(bench.connection.in_flight.is_empty());
    });
}

#[test]
fn reply_cut_anywhere_is_the_whole_reply() {
    let bytes = [b">1\r\n+x\r\n:12\r\n>1\r\n+x\r\n", POPPED, b">1\r\n+x\r\n"].concat();
    let mut expected = None;
    for cut in 0..=bytes.len() {
        let mut bench = Bench::dedicated();
        bench.connect();
        bench.pop(None);
        bench.write_all();
        let events = [bench.read(&bytes[..cut]), bench.read(&bytes[cut..])].concat();
        assert_eq!(events.len(), 2, "cut at {cut}: {events:?}");
        let expected = expected.get_or_insert_with(|| events.clone());
        assert_eq!(events, *expected, "cut at {cut}");
        assert!(!bench.connection.is_value_arriving(), "cut at {cut}");
    }
}

#[test]
fn beginning_of_a_reply_behind_the_last_one_ends_the_connection() {
    for trailing in [":", "*1\r\n", "$9\r\nabc"] {
        let mut bench = popping(None);
        let events = bench.read(&[POPPED, trailing.as_bytes()].concat());
        assert_eq!(events.len(), 2, "{trailing:?}: {events:?}");
        let error = "Protocol: the beginning of a reply that nothing asked for";
        assert_eq!(events[1], error, "{trailing:?}");
    }
    for trailing in [">", ">1\r\n", ">1\r\n:"] {
        let mut bench = popping(None);
        let events = bench.read(&[POPPED, trailing.as_bytes()].concat());
        assert_eq!(events.len(), 1, "{trailing:?}: {events:?}");
        assert!(bench.connection.is_value_arriving(), "{trailing:?}");
    }
}

#[test]
fn reply_that_begins_before_its_command_has_left_ends_the_connection() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    bench.pop(None);
    bench.write(POP.len() - 1);
    let events = bench.read(&POPPED[..5]);
    assert!(events[0].starts_with("Protocol"), "{events:?}");

    let mut bench = Bench::shared();
    bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    let events = bench.read(b"+P");
    assert!(events[0].starts_with("Protocol"), "{events:?}");
}

#[test]
fn reply_that_begins_during_a_pause_ends_the_connection() {
    let mut bench = popping(None);
    let outgoing = bench.connection.take_request().unwrap();
    bench.connection.hold(outgoing, bench.now + secs(1));
    bench.connection.state = State::Backoff;
    let events = bench.read(&POPPED[..5]);
    assert!(events[0].starts_with("Protocol"), "{events:?}");
}

#[test]
fn answer_to_an_opening_that_has_not_left_is_refused() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(None);
    let events = bench.read(b":12\r\n");
    assert!(events[0].starts_with("Protocol"), "{events:?}");

    // What the server says where it has no room is not an answer.
    let mut bench = Bench::dedicated();
    bench.connect();
    let events = bench.read(b"-ERR max number of clients reached\r\n");
    assert!(events[0].contains("max number of clients"), "{events:?}");
}

#[test]
fn request_has_begun_with_its_first_byte_behind_the_opening() {
    let mut bench = Bench::dedicated();
    bench.connect();
    let opening = bench.connection.unsent().len();
    bench.pop(None);
    for written in 0..=opening + POP.len() {
        let connection = &bench.connection;
        assert_eq!(
            connection.is_request_begun(),
            written > opening,
            "{written}"
        );
        let is_written = written == opening + POP.len();
        assert_eq!(connection.is_request_written(), is_written, "{written}");
        if !is_written {
            bench.write(1);
        }
    }
}

#[test]
fn withdrawn_request_leaves_the_rest_of_the_opening() {
    let mut bench = Bench::dedicated();
    bench.connect();
    let opening = bench.connection.unsent().to_vec();
    for written in 0..opening.len() {
        bench.pop(None);
        assert!(bench.connection.withdraw().is_some());
        assert_eq!(bench.connection.unsent(), &opening[written..]);
        bench.write(1);
    }
    bench.pop(None);
    bench.write_all();
    assert_eq!(bench.sent, [&opening, POP].concat());
}

#[test]
fn paused_request_has_not_begun_and_is_not_answered() {
    let mut bench = popping(None);
    let outgoing = bench.connection.take_request().unwrap();
    bench.connection.hold(outgoing, bench.now + secs(3));
    bench.connection.state = State::Backoff;
    assert_eq!(bench.left(), Some(secs(3)));
    assert!(!bench.connection.is_request_begun() && !bench.connection.is_request_written());
    let events = bench.read(POPPED);
    assert_eq!(events, ["Protocol: a reply to a command that was not sent"]);
    assert!(bench.connection.withdraw().is_some());
    bench.pass(secs(3));
    assert_eq!(bench.overdue(), Overdue::Pause);
}

#[test]
fn reply_to_a_pipeline_may_come_as_its_commands_leave() {
    let ping = b"*1\r\n$4\r\nPING\r\n";
    for written in 0..=3 * ping.len() {
        let mut bench = Bench::shared();
        bench.ask(&ping.repeat(3), ReplyCount::Many(3));
        bench.write(written);
        let early = bench.read(b":1\r\n:2\r\n");
        assert_eq!(early.is_empty(), written > 0, "{written}: {early:?}");
        if written > 0 {
            let last = bench.read(b":3\r\n").remove(0);
            let is_whole = written == 3 * ping.len();
            assert_eq!(last.starts_with("replied"), is_whole, "{written}: {last}");
        }
    }
}

#[test]
fn zero_as_client_id_is_not_the_answer_to_the_pop() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(None);
    bench.write_all();
    assert!(!bench.connection.on_client_id_alone(b":0\r\n"));
    assert_eq!(bench.read(b":0\r\n"), ["opened"]);
    assert_eq!(bench.connection.client_id, None);
}
