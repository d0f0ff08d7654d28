//! Two tasks that talk to each other, and one whose peer is slow.

use super::*;

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
