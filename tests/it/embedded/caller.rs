//! A client that knows nothing but bytes: it sends what it is told to, and looks at what comes.

use super::wire;
use crate::server::PATIENCE;
use greenroom::resp::{Decoder, Limits, Value};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

/// A client that blocks, and knows nothing but bytes.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) socket: Socket,
    /// What has come, and how much of it was looked at.
    input: Vec<u8>,
    taken: usize,
    decoder: Decoder,
}

impl Caller {
    pub(super) fn unix(path: &Path) -> Caller {
        Caller::connect(Domain::UNIX, &SockAddr::unix(path).unwrap()).unwrap()
    }

    pub(super) fn connect(domain: Domain, at: &SockAddr) -> std::io::Result<Caller> {
        let socket = Socket::new(domain, Type::STREAM, None)?;
        socket.connect(at)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Caller::on(socket))
    }

    pub(super) fn on(socket: Socket) -> Caller {
        Caller {
            socket,
            input: Vec::new(),
            taken: 0,
            decoder: Decoder::new(),
        }
    }

    #[track_caller]
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a command.
    #[track_caller]
    pub(super) fn say<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) {
        self.try_say(args).unwrap();
    }

    pub(super) fn try_say<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> std::io::Result<()> {
        self.socket.write_all(&wire(args))
    }

    #[track_caller]
    pub(super) fn ask<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> Value {
        self.say(args);
        self.reply()
    }

    /// The next bytes are exactly these.
    #[track_caller]
    pub(super) fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let wanted = bytes.as_ref();
        while self.input().len() < wanted.len() && self.receive() > 0 {}
        let input = self.input();
        let got = &input[..input.len().min(wanted.len())];
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(200)].escape_ascii().to_string();
        assert!(got == wanted, "{} is not {}", shown(got), shown(wanted));
        self.taken += wanted.len();
    }

    /// The connection ends, and not a byte comes before that.
    #[track_caller]
    pub(super) fn expect_end(&mut self) {
        let rest = self.rest();
        let shown = rest[..rest.len().min(200)].escape_ascii();
        assert!(rest.is_empty(), "{} bytes have come: {shown}", rest.len());
    }

    /// All that comes until the connection ends, which it does.
    #[track_caller]
    pub(super) fn rest(&mut self) -> &[u8] {
        while self.receive() > 0 {}
        self.input()
    }

    #[track_caller]
    pub(super) fn reply(&mut self) -> Value {
        loop {
            let mut rest = &self.input[self.taken..];
            let value = self.decoder.decode(&mut rest, &Limits::default()).unwrap();
            self.taken = self.input.len() - rest.len();
            if let Some(value) = value {
                return value;
            }
            assert_ne!(self.receive(), 0, "the server has closed the connection");
        }
    }

    /// What has come and was not looked at.
    fn input(&self) -> &[u8] {
        &self.input[self.taken..]
    }

    /// Takes what has come: 0 at the end, in whichever way the connection has ended.
    #[track_caller]
    fn receive(&mut self) -> usize {
        if self.taken == self.input.len() {
            self.input.clear();
            self.taken = 0;
        }
        let mut chunk = [0; 64 * 1024];
        match self.socket.read(&mut chunk) {
            Ok(count) => {
                self.input.extend_from_slice(&chunk[..count]);
                count
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("nothing comes: {error}"),
        }
    }

    pub(super) fn id(&mut self) -> String {
        let id: i64 = self.ask(["CLIENT", "ID"]).convert().unwrap();
        id.to_string()
    }
}
