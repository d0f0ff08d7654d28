//! A connection alone: bytes and the time in, events out. There is no hub here, no pool, no socket.

use super::super::handshake::Proofs;
use super::super::outgoing::{NO_LIMIT, timeout_ms};
use super::super::payload::Payload;
use super::super::request::Ticket;
use super::*;
use crate::address::{Address, Protocol};
use crate::time::secs;
use crate::token::Slots;
use std::time::Duration;

const POP: &[u8] = b"*3\r\n$5\r\nBRPOP\r\n$1\r\na\r\n$1\r\n1\r\n";
const POPPED: &[u8] = b"*2\r\n$1\r\na\r\n$1\r\n7\r\n";

/// A connection, and what stands around it.
struct Bench {
    connection: Connection,
    config: Config,
    handshake: Handshake,
    server: Endpoint,
    buffers: BufferPool,
    keys: Slots<()>,
    now: Time,
    sent: Vec<u8>,
}

impl Bench {
    fn new(in_flight: InFlight) -> Bench {
        let mut keys = Slots::roomy();
        let address = Address::tcp("127.0.0.1", 6379).unwrap();
        Bench {
            connection: Connection::new(keys.insert(()), in_flight, Time::ZERO),
            config: Config::default(),
            handshake: Handshake::new(&address, Protocol::Resp2),
            server: Endpoint::Tcp("127.0.0.1:6379".parse().unwrap()),
            buffers: BufferPool::default(),
            keys,
            now: Time::ZERO,
            sent: Vec::new(),
        }
    }

    fn dedicated() -> Bench {
        Bench::new(InFlight::One(None))
    }

    /// A shared connection that is up.
    fn shared() -> Bench {
        let mut bench = Bench::new(InFlight::Many(Box::default()));
        bench.connection.state = State::Idle;
        bench
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    /// Finishes the connect, with `CLIENT ID` as the opening.
    fn connect(&mut self) {
        let mut bytes = Vec::new();
        let proofs = Proofs {
            client_id: true,
            ..Proofs::default()
        };
        let opening = self.handshake.open(proofs, &mut bytes);
        self.connection
            .on_connected(opening, &bytes, 0, &mut self.buffers, self.now);
        self.connection.state = State::Idle;
    }

    fn ticket(&mut self) -> Ticket {
        Ticket(self.keys.insert(()))
    }

    /// Puts a pop on a dedicated connection.
    fn pop(&mut self, timeout: Option<Duration>) -> Ticket {
        let ticket = self.ticket();
        let outgoing = Outgoing {
            ticket,
            payload: Payload::new(WriteBuf::new(POP.to_vec(), 0)),
            since: UNSENT,
            timeout_ms: timeout.map_or(NO_LIMIT, timeout_ms),
            repeats: false,
            tries: 0,
        };
        self.connection
            .put(outgoing, 0, &mut self.buffers, self.now);
        self.connection.state = State::Busy;
        ticket
    }

    /// Puts a command with its replies on a shared connection.
    fn ask(&mut self, bytes: &[u8], replies: ReplyCount) -> Ticket {
        let ticket = self.ticket();
        self.connection.send(bytes, 0, &mut self.buffers);
        let len = bytes.len() as u64;
        self.connection
            .push(Pending::Request(ticket), replies, len, self.now);
        self.connection.state = State::Busy;
        ticket
    }

    /// The kernel takes the next `count` bytes.
    fn write(&mut self, count: usize) {
        self.sent
            .extend_from_slice(&self.connection.unsent()[..count]);
        self.connection.on_written(count);
    }

    fn write_all(&mut self) {
        self.write(self.connection.unsent().len());
    }

    /// Hands bytes to the connection, and lists what comes of them.
    fn read(&mut self, mut bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        loop {
            let (config, handshake) = (&self.config, &self.handshake);
            let event =
                self.connection
                    .receive(&mut bytes, config, handshake, &self.server, self.now);
            let text = match event {
                Event::Drained => return events,
                Event::Opened => "opened".to_owned(),
                Event::Info(_) => "info".to_owned(),
                Event::Answered(outgoing, value) => {
                    self.connection.state = State::Idle;
                    format!("answered {:?}: {value:?}", outgoing.ticket.0)
                }
                Event::Replied(entry, value) => format!("replied {:?}: {value:?}", key(&entry)),
                Event::Rejected(error, _) | Event::Failed(error) => {
                    events.push(format!("{:?}: {error}", error.kind()));
                    return events;
                }
                Event::NotServed => "not served".to_owned(),
                Event::Rested(_) => "rested".to_owned(),
            };
            events.push(text);
        }
    }

    /// Hands bytes to the connection one by one.
    fn read_bytewise(&mut self, bytes: &[u8]) -> Vec<String> {
        bytes.chunks(1).flat_map(|byte| self.read(byte)).collect()
    }

    fn overdue(&self) -> Overdue {
        self.connection.on_deadline(&self.config, self.now)
    }

    /// How long it is until the deadline.
    fn left(&self) -> Option<Duration> {
        let at = self.connection.deadline(&self.config)?;
        Some(Duration::from_nanos(at.as_nanos() - self.now.as_nanos()))
    }
}

fn key(entry: &Entry) -> Key {
    match &entry.pending {
        Pending::Request(ticket) => ticket.0,
        other => panic!("{other:?} was not asked"),
    }
}

/// Runs an exchange with its bytes whole, and byte by byte.
fn both_ways(check: impl Fn(&dyn Fn(&mut Bench, &[u8]) -> Vec<String>)) {
    check(&|bench, bytes| bench.read(bytes));
    check(&|bench, bytes| bench.read_bytewise(bytes));
}

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
        assert_eq!(events[2], "Protocol: a reply that nothing asked for");
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
fn each_state_has_its_deadline() {
    let mut bench = Bench::dedicated();
    assert_eq!(bench.left(), Some(bench.config.connect_timeout));
    bench.pass(bench.config.connect_timeout);
    assert_eq!(bench.overdue(), Overdue::Connect);
    bench.connect();
    assert_eq!(bench.overdue(), Overdue::Nothing);
    assert_eq!(bench.left(), Some(bench.config.handshake_timeout));
    bench.write_all();
    bench.read(b":12\r\n");
    assert_eq!(bench.left(), None);
    bench.pop(Some(secs(2)));
    bench.write_all();
    assert_eq!(bench.left(), Some(secs(2)));
    bench.pass(secs(2));
    assert_eq!(bench.overdue(), Overdue::Answer);
}

#[test]
fn a_reply_that_arrives_is_not_late() {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.write_all();
    bench.read(b":12\r\n");
    bench.pop(Some(secs(2)));
    bench.write_all();
    let grace = bench.config.grace();
    let mut bytes = POPPED.iter();
    for _ in 0..10 {
        bench.pass(secs(1));
        let byte = bytes.next().copied().unwrap();
        assert_eq!(bench.read(&[byte]), [""; 0]);
        assert_eq!(bench.overdue(), Overdue::Nothing);
        assert_eq!(bench.left(), Some(grace));
    }
    bench.pass(grace);
    assert_eq!(bench.overdue(), Overdue::Answer);
}

#[test]
fn on_the_shared_connection_a_late_command_fails_alone() {
    let mut bench = Bench::shared();
    let timeout = bench.config.command_timeout;
    bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.pass(timeout / 2);
    let late = bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.write_all();
    bench.pass(timeout / 4);
    assert_eq!(bench.read(b"+A\r\n").len(), 1);
    bench.pass(timeout * 3 / 4);
    assert_eq!(bench.overdue(), Overdue::Requests);
    let now = bench.now;
    let queue = bench.connection.queue_mut().unwrap();
    assert_eq!(key(queue.next_late(false, timeout, now).unwrap()), late.0);
    assert!(queue.next_late(false, timeout, now).is_none());
    bench.pass(timeout / 4);
    assert_eq!(bench.overdue(), Overdue::Silent(timeout));
}

/// A pop that is written, on a connection whose opening is done.
fn popping(timeout: Option<Duration>) -> Bench {
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.pop(timeout);
    bench.write_all();
    assert_eq!(bench.read(b":12\r\n"), ["opened"]);
    bench
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
fn beginning_behind_the_last_reply_is_seen() {
    let cases = [
        ("", false, false),
        (":", true, true),
        ("*1\r\n", true, true),
    ];
    let pushes = [
        (">", true, false),
        (">1\r\n", true, false),
        (">1\r\n:", true, false),
    ];
    for (trailing, is_value, is_reply) in cases.into_iter().chain(pushes) {
        let mut bench = popping(None);
        let events = bench.read(&[POPPED, trailing.as_bytes()].concat());
        assert_eq!(events.len(), 1, "{trailing:?}: {events:?}");
        let connection = &bench.connection;
        assert_eq!(connection.is_value_arriving(), is_value, "{trailing:?}");
        assert_eq!(connection.is_reply_arriving(), is_reply, "{trailing:?}");
    }
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
fn unanswered_opening_is_late_before_a_longer_request() {
    for (timeout, expected) in [(9, Overdue::Opening), (2, Overdue::Answer)] {
        let mut bench = Bench::dedicated();
        bench.connect();
        bench.pop(Some(secs(timeout)));
        bench.write_all();
        let due = bench.config.handshake_timeout.min(secs(timeout));
        assert_eq!(bench.left(), Some(due));
        bench.pass(due);
        assert_eq!(bench.overdue(), expected);
    }
    let mut bench = Bench::dedicated();
    bench.connect();
    bench.connection.state = State::Handshake;
    bench.pass(bench.config.handshake_timeout);
    assert_eq!(bench.overdue(), Overdue::Opening);
}

#[test]
fn cancel_waits_for_a_reply_that_arrives() {
    use super::super::cancel::Knows;
    let mut bench = popping(Some(secs(9)));
    let (cancel, _) = Cancel::begin(Knows::Id, bench.now, bench.now + secs(3));
    bench.connection.cancel = Some(Box::new(cancel));
    bench.connection.state = State::Cancelling;
    assert_eq!(bench.left(), Some(secs(3)));
    bench.pass(secs(3));
    assert_eq!(bench.overdue(), Overdue::Cancel);
    bench.read(&POPPED[..1]);
    assert_eq!(bench.overdue(), Overdue::Nothing);
    assert_eq!(bench.left(), Some(bench.config.grace()));
    bench.pass(bench.config.grace());
    assert_eq!(bench.overdue(), Overdue::Cancel);
}

#[test]
fn held_transaction_may_be_silent_for_longer() {
    let mut bench = Bench::shared();
    let timeout = bench.config.command_timeout;
    let target = bench.keys.insert(());
    bench
        .connection
        .send(b"[4 commands]", 0, &mut bench.buffers);
    let pending = Pending::Unblock(target);
    let replies = ReplyCount::Many(4);
    bench.connection.push(pending, replies, 12, bench.now);
    bench.ask(b"*1\r\n$4\r\nPING\r\n", ReplyCount::One);
    bench.write_all();
    assert_eq!(bench.left(), Some(timeout), "nothing is held yet");
    assert_eq!(bench.read(b"+OK\r\n"), [""; 0]);
    assert_eq!(
        bench.left(),
        Some(secs(60)),
        "late requests behind it wait too"
    );
    bench.pass(secs(59));
    assert_eq!(bench.overdue(), Overdue::Nothing);
    bench.pass(secs(1));
    assert!(matches!(bench.overdue(), Overdue::Silent(_)));
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
