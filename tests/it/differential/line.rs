//! One connection to one server: what it was asked, and what has come back, to the byte.

use super::commands::{Asked, is_short, may_block};
use greenroom::resp::{Decoder, Limits, encode};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Line {
    stream: UnixStream,
    pub(super) id: i64,
    /// What is not answered yet, the oldest first.
    pub(super) asked: VecDeque<Asked>,
    /// What has come since somebody looked, each reply with what it answers.
    pub(super) came: Vec<(Asked, Vec<u8>)>,
    /// What the server has answered with `QUEUED`.
    pub(super) queued: Vec<Asked>,
    /// Whether the server was seen to have it wait in a blocking command.
    pub(super) waits: bool,
    pub(super) open: bool,
    /// Only knows where a reply ends.
    decoder: Decoder,
    /// The bytes of the reply under way.
    frame: Vec<u8>,
}

impl Line {
    pub(super) fn open(socket: &Path, patience: Duration) -> Result<Line, String> {
        let stream = UnixStream::connect(socket).map_err(|e| format!("cannot connect: {e}"))?;
        stream.set_read_timeout(Some(patience)).unwrap();
        Ok(Line {
            stream,
            id: 0,
            asked: VecDeque::new(),
            came: Vec::new(),
            queued: Vec::new(),
            waits: false,
            open: true,
            decoder: Decoder::new(),
            frame: Vec::new(),
        })
    }

    /// Sends commands in one write.
    pub(super) fn send(&mut self, commands: impl IntoIterator<Item = Asked>) {
        let mut bytes = Vec::new();
        for words in commands {
            encode::command(&mut bytes, &words);
            self.asked.push_back(words);
        }
        self.write(&bytes);
    }

    /// Sends bytes that will be answered so many times.
    pub(super) fn send_raw(&mut self, bytes: &[u8], replies: usize) {
        self.asked.extend(vec![Asked::new(); replies]);
        self.write(bytes);
    }

    fn write(&mut self, bytes: &[u8]) {
        // A connection that the server has closed refuses; reading tells the same.
        let _ = self.stream.write_all(bytes);
    }

    /// Asks, and waits for all replies. Only where nothing else is under way.
    pub(super) fn ask(&mut self, commands: &[&[&str]]) -> Result<Vec<Vec<u8>>, String> {
        let bytes = |words: &&[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
        self.send(commands.iter().map(bytes));
        while self.came.len() < commands.len() {
            if !self.open {
                return Err(format!("{commands:?}: the connection was closed"));
            }
            self.await_bytes()?;
        }
        Ok(self.came.drain(..).map(|(_, reply)| reply).collect())
    }

    /// Takes what is there. Whether anything was.
    pub(super) fn drain(&mut self) -> bool {
        let mut any = false;
        if !self.open {
            return any;
        }
        self.stream.set_nonblocking(true).unwrap();
        while self.open && self.read().is_ok() {
            any = true;
        }
        // Fails where the connection has broken, and reading will tell.
        let _ = self.stream.set_nonblocking(false);
        any
    }

    /// Waits until some bytes have come, or the end.
    pub(super) fn await_bytes(&mut self) -> Result<(), String> {
        self.read().map_err(|()| {
            let asked = self.asked.front().map(|words| words.join(&b' '));
            let asked = String::from_utf8_lossy(&asked.unwrap_or_default()).into_owned();
            format!(
                "the connection with id {} is not answered: {asked}",
                self.id
            )
        })
    }

    /// An error says that nothing came.
    fn read(&mut self) -> Result<(), ()> {
        let mut chunk = [0; 8192];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.open = false,
            Ok(count) => self.take(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Who closes with bytes unread resets.
            Err(_) => self.open = false,
        }
        if !self.open {
            // A reply that was cut off is shown as far as it came.
            let cut = std::mem::take(&mut self.frame);
            self.came
                .extend((!cut.is_empty()).then_some((Asked::new(), cut)));
            self.asked.clear();
            self.waits = false;
        }
        Ok(())
    }

    fn take(&mut self, mut input: &[u8]) {
        while !input.is_empty() {
            let before = input;
            let decoded = self.decoder.decode(&mut input, &Limits::default());
            let taken = before.len() - input.len();
            self.frame.extend(&before[..taken]);
            match decoded {
                Ok(None) => {}
                Ok(Some(_)) => {
                    let asked = self.asked.pop_front().unwrap_or_default();
                    self.waits = false;
                    self.came.push((asked, std::mem::take(&mut self.frame)));
                }
                Err(_) => {
                    // No reply: all of it is shown, and nothing more can be understood.
                    self.frame.extend(input);
                    self.came
                        .push((Asked::new(), std::mem::take(&mut self.frame)));
                    return self.open = false;
                }
            }
        }
    }

    pub(super) fn is_owed(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether the reply that comes next is to be waited for: it is on its way, or will be soon.
    pub(super) fn hurries(&self) -> bool {
        match self.asked.front() {
            Some(words) if self.waits => is_short(words),
            Some(words) => !may_block(words),
            None => false,
        }
    }
}

/// The number behind `kind` in the first line of a reply.
pub(super) fn parse(reply: &[u8], kind: &[u8]) -> Option<i64> {
    let line = reply
        .strip_prefix(kind)?
        .split(|byte| *byte == b'\r')
        .next()?;
    std::str::from_utf8(line).ok()?.parse().ok()
}
