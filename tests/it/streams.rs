//! Streams and listeners: tasks that do their own input and output, on one hub and against the
//! other end of a pair.

use crate::kernel::{Tap, Tapped};
use crate::notes::Notes;
use crate::peer::{Full, PATIENCE, refusing};
use greenroom::{
    Endpoint, ErrorKind, Hub, Listener, Result, Stream, Task, TaskId, Wait, Wake, ms, secs,
};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use tempfile::TempDir;

fn any_port() -> Endpoint {
    Endpoint::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

fn path_in(folder: &TempDir) -> Endpoint {
    Endpoint::Unix(folder.path().join("socket"))
}

/// A stream of `hub`, and its other end, which blocks but not for ever.
fn pair(hub: &mut Hub) -> (Stream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    theirs.set_write_timeout(Some(PATIENCE)).unwrap();
    (hub.adopt(ours).unwrap(), theirs)
}

fn tapped() -> (Hub, Tap) {
    let (kernel, tap) = Tapped::new();
    (Hub::with_driver(kernel), tap)
}

/// Sends back whatever comes, until the end.
struct Echo {
    stream: Stream,
    /// What was read and could not be written yet.
    rest: Vec<u8>,
}

impl Task for Echo {
    fn resume(&mut self, hub: &mut Hub, _wake: Wake) -> Result<Wait> {
        loop {
            while !self.rest.is_empty() {
                match hub.write(self.stream, &self.rest)? {
                    Some(count) => drop(self.rest.drain(..count)),
                    None => return Ok(Wait::writable(self.stream)),
                }
            }
            let mut buffer = [0; 4096];
            match hub.read(self.stream, &mut buffer)? {
                Some(0) => return Ok(Wait::done()),
                Some(count) => self.rest.extend_from_slice(&buffer[..count]),
                None => return Ok(Wait::readable(self.stream)),
            }
        }
    }
}

/// Accepts until it is killed, and hands each connection over to a task of its own.
fn serve_echo(hub: &mut Hub, at: &Endpoint) -> (TaskId, Endpoint) {
    let notes = Notes::new();
    let (told, at) = (notes.clone(), at.clone());
    let mut listener: Option<Listener> = None;
    let server = hub.spawn(move |hub, wake| {
        if let Wake::Start = wake {
            let made = hub.listen(&at)?;
            told.add(hub.local(made)?);
            listener = Some(made);
        }
        let listener = listener.expect("it listens since it started");
        while let Some(stream) = hub.accept(listener)? {
            let rest = Vec::new();
            let echo = hub.spawn_task(Echo { stream, rest });
            hub.hand_over(stream, echo)?;
        }
        Ok(Wait::acceptable(listener))
    });
    hub.turn().unwrap();
    (server, notes.take().remove(0))
}

/// Says `size` bytes to an echo, and notes whether the same come back.
struct Client {
    at: Endpoint,
    stream: Option<Stream>,
    message: Vec<u8>,
    written: usize,
    read: Vec<u8>,
    notes: Notes<bool>,
}

impl Task for Client {
    fn resume(&mut self, hub: &mut Hub, _wake: Wake) -> Result<Wait> {
        let stream = match self.stream {
            Some(stream) => stream,
            None => *self.stream.insert(hub.connect(&self.at)?),
        };
        while self.written < self.message.len() {
            match hub.write(stream, &self.message[self.written..])? {
                Some(count) => self.written += count,
                None => break,
            }
        }
        let mut buffer = [0; 4096];
        while self.written > 0 && self.read.len() < self.message.len() {
            match hub.read(stream, &mut buffer)? {
                Some(0) => break,
                Some(count) => self.read.extend_from_slice(&buffer[..count]),
                None if self.written < self.message.len() => {
                    return Ok(Wait::readable_or_writable(stream));
                }
                None => return Ok(Wait::readable(stream)),
            }
        }
        if self.written == 0 {
            return Ok(Wait::writable(stream));
        }
        self.notes.add(self.read == self.message);
        Ok(Wait::done())
    }
}

fn echo_to_clients(hub: &mut Hub, at: &Endpoint, sizes: &[usize]) {
    let (server, at) = serve_echo(hub, at);
    let notes = Notes::new();
    let clients: Vec<_> = sizes
        .iter()
        .map(|&size| {
            let message = (0..size).map(|at| (at % 251) as u8).collect();
            hub.spawn_task(Client {
                at: at.clone(),
                stream: None,
                message,
                written: 0,
                read: Vec::new(),
                notes: notes.clone(),
            })
        })
        .collect();
    hub.join_all(&clients).unwrap();
    assert_eq!(notes.take(), vec![true; sizes.len()]);
    hub.kill(server);
    hub.run().unwrap();
    assert!(hub.tasks().is_empty(), "each echo has seen the end");
}

#[test]
fn tasks_talk_to_each_other_over_tcp() {
    let mut hub = Hub::new().unwrap();
    echo_to_clients(
        &mut hub,
        &any_port(),
        &[1, 10, 4096, 4097, 100_000, 500_000],
    );
}

#[test]
fn tasks_talk_to_each_other_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    echo_to_clients(
        &mut hub,
        &path_in(&folder),
        &[1, 10, 4096, 4097, 100_000, 500_000],
    );
}

#[test]
fn streams_bear_short_reads_and_spurious_events() {
    let (mut hub, tap) = tapped();
    tap.read_at_most(100);
    tap.report_everything();
    echo_to_clients(&mut hub, &any_port(), &[1, 4097, 20_000]);
    assert_eq!(tap.sockets(), 0, "all are closed");
}

#[test]
fn a_slow_reader_gets_eight_mebibytes_and_holds_up_nobody() {
    const SIZE: usize = 8 << 20;
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let reader = std::thread::spawn(move || {
        let mut buffer = vec![0; 256 * 1024];
        let (mut count, mut sum) = (0, 0_u64);
        loop {
            let read = theirs.read(&mut buffer).unwrap();
            if read == 0 {
                return (count, sum);
            }
            count += read;
            sum += buffer[..read]
                .iter()
                .map(|&byte| u64::from(byte))
                .sum::<u64>();
            std::thread::sleep(ms(1));
        }
    });
    let bytes: Vec<u8> = (0..SIZE).map(|at| (at % 251) as u8).collect();
    let wanted = bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    let (mut at, blocked) = (0, Notes::new());
    let told = blocked.clone();
    let writer = hub.spawn(move |hub, _wake| {
        while at < bytes.len() {
            match hub.write(stream, &bytes[at..])? {
                Some(count) => at += count,
                None => {
                    told.add(());
                    return Ok(Wait::writable(stream));
                }
            }
        }
        Ok(Wait::done())
    });
    hub.hand_over(stream, writer).unwrap();
    let cron = hub.every(ms(5), |_hub, _tick| Ok(()));
    hub.join(writer).unwrap();
    assert!(!hub.is_ended(cron));
    assert!(blocked.len() > 1, "the reader is the slower one");
    assert_eq!(reader.join().unwrap(), (SIZE, wanted));
}

#[test]
fn a_connect_that_is_refused_is_told_by_the_first_write() {
    let (_bound, address) = refusing();
    let mut hub = Hub::new().unwrap();
    let stream = hub.connect(&Endpoint::Tcp(address)).unwrap();
    let wake = hub.wait(Wait::writable(stream).within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Ready), "{wake:?}");
    let error = hub.write(stream, b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

#[test]
fn a_unix_socket_that_is_not_there_is_told_by_connect() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    let error = hub.connect(&path_in(&folder)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(
        error.to_string().contains("socket"),
        "it names the path: {error}"
    );
}

#[test]
fn a_tcp_connect_to_a_full_backlog_ends_by_its_deadline() {
    let full = Full::tcp();
    let mut hub = Hub::new().unwrap();
    let stream = hub.connect(full.endpoint()).unwrap();
    let wake = hub.wait(Wait::writable(stream).within(ms(30))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn nothing_to_accept_is_not_an_error() {
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&any_port()).unwrap();
    assert_eq!(hub.accept(listener).unwrap(), None);
    let wake = hub.wait(Wait::acceptable(listener).within(ms(10))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn an_address_that_is_in_use_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new().unwrap();
    let _listener = hub.listen(&path_in(&folder)).unwrap();
    let error = hub.listen(&path_in(&folder)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("socket"), "{error}");
}

#[test]
fn an_edge_that_comes_while_nobody_waits_is_not_lost() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 16];
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    // The event comes and goes here.
    hub.sleep(ms(5)).unwrap();
    let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Ready), "{wake:?}");
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), Some(1));
}

#[test]
fn a_read_that_does_not_take_everything_leaves_the_stream_readable() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    theirs.write_all(b"abcd").unwrap();
    let mut buffer = [0; 2];
    for _ in 0..2 {
        let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
        assert!(matches!(wake, Wake::Ready), "{wake:?}");
        assert_eq!(hub.read(stream, &mut buffer).unwrap(), Some(2));
    }
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    let wake = hub.wait(Wait::readable(stream).within(ms(10))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn the_end_is_read_behind_the_bytes_that_came_with_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 64];
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    theirs.write_all(b"last words").unwrap();
    drop(theirs);
    let mut reads = Vec::new();
    while reads.last() != Some(&0) {
        let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
        assert!(matches!(wake, Wake::Ready), "{wake:?}");
        reads.extend(hub.read(stream, &mut buffer).unwrap());
    }
    assert_eq!(reads, [10, 0]);
}

#[test]
fn a_write_to_a_stream_whose_other_end_is_gone_fails() {
    let mut hub = Hub::new().unwrap();
    let (stream, theirs) = pair(&mut hub);
    drop(theirs);
    let error = hub.write(stream, b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

#[test]
fn closing_a_stream_wakes_whoever_waits_for_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let notes = Notes::new();
    let inner = notes.clone();
    let waiter = hub.spawn(move |hub, wake| match wake {
        Wake::Start => {
            assert_eq!(hub.read(stream, &mut [0; 8])?, None);
            Ok(Wait::readable(stream))
        }
        wake => {
            inner.add(format!("{wake:?}"));
            inner.add(format!(
                "{:?}",
                hub.read(stream, &mut [0; 8]).unwrap_err().kind()
            ));
            Ok(Wait::done())
        }
    });
    hub.sleep(ms(1)).unwrap();
    hub.close_stream(stream);
    hub.join(waiter).unwrap();
    assert_eq!(notes.take(), ["Ready", "Misuse"]);
    assert_eq!(
        theirs.read(&mut [0; 8]).unwrap(),
        0,
        "the other end sees it"
    );
}

#[test]
fn a_stream_that_was_closed_stays_closed() {
    let mut hub = Hub::new().unwrap();
    let (stream, _theirs) = pair(&mut hub);
    hub.close_stream(stream);
    hub.close_stream(stream);
    let (next, mut other) = pair(&mut hub);
    other.write_all(b"for the next").unwrap();
    let kinds = [
        hub.read(stream, &mut [0; 8]).unwrap_err().kind(),
        hub.write(stream, b"x").unwrap_err().kind(),
        hub.hand_over(stream, hub.main()).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Misuse; 3]);
    let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
    assert!(
        matches!(wake, Wake::Ready),
        "at once, to learn it: {wake:?}"
    );
    assert_eq!(hub.read(next, &mut [0; 64]).unwrap(), Some(12));
}

#[test]
fn a_closed_listener_accepts_nobody() {
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&any_port()).unwrap();
    let at = hub.local(listener).unwrap();
    hub.close_listener(listener);
    hub.turn().unwrap();
    assert_eq!(hub.accept(listener).unwrap_err().kind(), ErrorKind::Misuse);
    let stream = hub.connect(&at).unwrap();
    let _ = hub.wait(Wait::writable(stream).within(PATIENCE)).unwrap();
    hub.write(stream, b"x").unwrap_err();
}

/// How a task ends that owns a stream.
fn ends(how: impl FnMut(&mut Hub, Wake) -> Result<Wait> + 'static, kill: bool) {
    let (mut hub, tap) = tapped();
    hub.on_error(|_| {});
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut ours, mut how) = (Some(ours), how);
    let task = hub.spawn(move |hub, wake| {
        if let Some(ours) = ours.take() {
            hub.adopt(ours)?;
        }
        how(hub, wake)
    });
    hub.sleep(ms(2)).unwrap();
    if kill {
        assert_eq!(tap.sockets(), 1, "it lives");
        hub.kill(task);
        hub.turn().unwrap();
    }
    assert!(hub.is_ended(task));
    assert_eq!(tap.sockets(), 0);
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_stream_is_closed_when_its_task_ends_well() {
    ends(|_hub, _wake| Ok(Wait::done()), false);
}

#[test]
fn a_stream_is_closed_when_its_task_fails() {
    ends(|_hub, wake| Err(wake.unexpected()), false);
}

#[test]
fn a_stream_is_closed_when_its_task_panics() {
    ends(|_hub, _wake| panic!("on purpose"), false);
}

#[test]
fn a_stream_is_closed_when_its_task_is_killed() {
    ends(|_hub, _wake| Ok(Wait::sleep(secs(9))), true);
}

#[test]
fn a_stream_that_was_handed_over_lives_as_long_as_its_new_task() {
    let mut hub = Hub::new().unwrap();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(ms(20))).unwrap();
    let heir = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => Ok(Wait::done()),
    });
    let mut ours = Some(ours);
    let owner = hub.spawn(move |hub, _wake| {
        let stream = hub.adopt(ours.take().expect("it runs once"))?;
        hub.hand_over(stream, heir)?;
        Ok(Wait::done())
    });
    hub.join(owner).unwrap();
    hub.sleep(ms(1)).unwrap();
    theirs.read(&mut [0; 8]).expect_err("it is still open");
    hub.notify(heir);
    hub.join(heir).unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn each_of_several_streams_of_a_task_can_be_handed_over_or_closed() {
    for first in 0..3 {
        for second in 0..3 {
            let (mut hub, tap) = tapped();
            let (ours, theirs): (Vec<_>, Vec<_>) =
                (0..3).map(|_| UnixStream::pair().unwrap()).unzip();
            let heir = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
            let mut ours = ours;
            let owner = hub.spawn(move |hub, wake| {
                if let Wake::Start = wake {
                    let mut streams = Vec::new();
                    for ours in ours.drain(..) {
                        streams.push(hub.adopt(ours)?);
                    }
                    hub.hand_over(streams[first], heir)?;
                    if second != first {
                        hub.close_stream(streams[second]);
                    }
                    return Ok(Wait::notified());
                }
                Ok(Wait::done())
            });
            hub.run().unwrap();
            let left = 3 - usize::from(second != first);
            assert_eq!(tap.sockets(), left, "{first}, {second}");
            hub.notify(owner);
            hub.run().unwrap();
            assert_eq!(tap.sockets(), 1, "the heir has one: {first}, {second}");
            hub.kill(heir);
            hub.run().unwrap();
            assert_eq!(tap.sockets(), 0, "{first}, {second}");
            drop(theirs);
        }
    }
}

#[test]
fn a_stream_that_is_handed_to_its_own_task_is_still_one_of_its_streams() {
    let (mut hub, tap) = tapped();
    let owner = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => Ok(Wait::done()),
    });
    hub.turn().unwrap();
    let (first, _a) = pair(&mut hub);
    let (last, _b) = pair(&mut hub);
    hub.hand_over(first, owner).unwrap();
    hub.hand_over(last, owner).unwrap();
    hub.hand_over(last, owner).unwrap();
    assert_eq!(tap.sockets(), 2);
    hub.notify(owner);
    hub.run().unwrap();
    assert_eq!(tap.sockets(), 0, "none was lost");
}

#[test]
fn a_stream_cannot_be_handed_to_a_task_that_has_ended() {
    let (mut hub, _) = tapped();
    let (stream, _theirs) = pair(&mut hub);
    let ended = hub.spawn(|_hub, _wake| Ok(Wait::done()));
    hub.join(ended).unwrap();
    let error = hub.hand_over(stream, ended).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    hub.write(stream, b"x").unwrap();
}

#[test]
fn a_stream_cannot_be_handed_to_a_task_that_has_failed() {
    let (mut hub, _) = tapped();
    hub.on_error(|_| {});
    let (stream, _theirs) = pair(&mut hub);
    let failed = hub.spawn(|_hub, wake| Err(wake.unexpected()));
    hub.run().unwrap();
    let error = hub.hand_over(stream, failed).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Misuse,
        "nobody would close it: {error}"
    );
}

#[test]
fn a_late_event_of_a_closed_stream_does_not_reach_the_one_in_its_place() {
    let (mut hub, tap) = tapped();
    let (old, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 8];
    assert_eq!(hub.read(old, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    let _ = hub.wait(Wait::readable(old).within(PATIENCE)).unwrap();
    let late = tap.events();
    assert!(late.iter().any(|event| event.readable));
    hub.close_stream(old);
    hub.turn().unwrap();
    // The new one gets the slots of the old, in the hub and in the driver.
    let (new, _theirs) = pair(&mut hub);
    assert_eq!(hub.read(new, &mut buffer).unwrap(), None);
    tap.report(late);
    let wake = hub.wait(Wait::readable(new).within(ms(20))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn an_event_that_is_pending_when_its_stream_is_closed_is_dropped() {
    let (mut hub, tap) = tapped();
    let (old, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 8];
    assert_eq!(hub.read(old, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    hub.close_stream(old);
    let (new, _theirs) = pair(&mut hub);
    assert_eq!(hub.read(new, &mut buffer).unwrap(), None);
    let wake = hub.wait(Wait::readable(new).within(ms(20))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    assert_eq!(tap.closes(), 1);
}

#[test]
fn both_ends_of_a_pair_can_wait_on_one_hub() {
    let mut hub = Hub::new().unwrap();
    let (a, b) = UnixStream::pair().unwrap();
    let (a, b) = (hub.adopt(a).unwrap(), hub.adopt(b).unwrap());
    let notes = Notes::new();
    let inner = notes.clone();
    let reader = hub.spawn(move |hub, _wake| {
        let mut buffer = [0; 8];
        match hub.read(a, &mut buffer)? {
            Some(count) => {
                inner.add(buffer[..count].to_vec());
                Ok(Wait::done())
            }
            None => Ok(Wait::readable(a)),
        }
    });
    hub.sleep(ms(1)).unwrap();
    assert_eq!(hub.write(b, b"hello").unwrap(), Some(5));
    hub.join(reader).unwrap();
    assert_eq!(notes.take(), [b"hello"]);
}

#[test]
fn several_tasks_may_wait_for_one_stream() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    assert_eq!(hub.read(stream, &mut [0; 8]).unwrap(), None);
    let notes = Notes::new();
    let tasks = [(); 3].map(|()| {
        let notes = notes.clone();
        hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(Wait::readable(stream).within(PATIENCE)),
            wake => {
                notes.add(format!("{wake:?}"));
                Ok(Wait::done())
            }
        })
    });
    hub.sleep(ms(1)).unwrap();
    theirs.write_all(b"x").unwrap();
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["Ready"; 3]);
}

#[test]
fn a_stream_that_a_task_has_stopped_waiting_for_does_not_wake_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    assert_eq!(hub.read(stream, &mut [0; 8]).unwrap(), None);
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(match wake {
            Wake::Start => Wait::readable(stream).within(ms(1)),
            Wake::Deadline => Wait::sleep(ms(30)),
            _ => Wait::done(),
        })
    });
    while notes.len() < 2 {
        hub.sleep(ms(1)).unwrap();
    }
    theirs.write_all(b"x").unwrap();
    hub.join(task).unwrap();
    assert_eq!(notes.take(), ["Start", "Deadline", "Elapsed"]);
}
