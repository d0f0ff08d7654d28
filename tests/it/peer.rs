//! A scripted peer: the other end of a connection, on a thread of its own, byte for byte as a test
//! wants it.
//!
//! ```text
//! let peer = Peer::tcp(|door| {
//!     let mut link = door.accept();
//!     link.expect_command(&["BRPOP", "list", "1"]);
//!     link.say_split(b"*-1\r\n", 4);
//!     link.expect_end();
//! });
//! ```
//!
//! A script blocks where it waits, but never for longer than [`PATIENCE`]: then it panics. A script
//! that panics fails the test that owns the peer, when the peer is dropped at the latest. Declare
//! the peer before the hub: what is declared last is dropped first, so that a script that waits for
//! the end of its connection sees it.

use greenroom::Endpoint;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a script waits for anything. A test in good order never comes near it.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a script pauses between two pieces, to have them arrive one by one. No test depends on
/// that they do.
const PAUSE: Duration = Duration::from_micros(300);

/// A peer, and the thread that plays its script.
pub struct Peer {
    endpoint: Endpoint,
    thread: Option<JoinHandle<()>>,
    _folder: Option<TempDir>,
}

/// Where clients come in.
pub struct Door(Socket);

/// One connection, as the peer has it. Dropping it closes the connection in good order.
pub struct Link(Socket);

/// A listener whose queue is full and who takes nothing from it: no connect to it ever finishes.
pub struct Full {
    endpoint: Endpoint,
    _listener: Socket,
    _queue: Vec<Socket>,
    _folder: Option<TempDir>,
}

impl Peer {
    /// A peer at a free port of 127.0.0.1.
    pub fn tcp(script: impl FnOnce(&Door) + Send + 'static) -> Peer {
        let (listener, endpoint) = listen_tcp(128);
        Peer::start(listener, endpoint, None, script)
    }

    /// A peer at a UNIX socket.
    pub fn unix(script: impl FnOnce(&Door) + Send + 'static) -> Peer {
        let (listener, endpoint, folder) = listen_unix(128);
        Peer::start(listener, endpoint, Some(folder), script)
    }

    fn start(
        listener: Socket,
        endpoint: Endpoint,
        folder: Option<TempDir>,
        script: impl FnOnce(&Door) + Send + 'static,
    ) -> Peer {
        // On Linux this is the deadline of accept() too.
        listener.set_read_timeout(Some(PATIENCE)).unwrap();
        let door = Door(listener);
        Peer {
            endpoint,
            thread: Some(thread::spawn(move || script(&door))),
            _folder: folder,
        }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The URL, `rest` included: `/2?client_name=me`. A UNIX socket takes parameters only.
    pub fn url(&self, rest: &str) -> String {
        url(&self.endpoint, "", rest)
    }

    /// The same, with `user:password@`.
    pub fn url_as(&self, who: &str, rest: &str) -> String {
        url(&self.endpoint, &format!("{who}@"), rest)
    }

    /// Waits for the end of the script, and fails if it has failed.
    pub fn join(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            resume_unwind(panic);
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A test that has failed already says more than a script that waits for it in vain.
        if !thread::panicking() {
            self.end();
        }
    }
}

impl Door {
    /// The next connection.
    pub fn accept(&self) -> Link {
        let (socket, _) = self.0.accept().expect("somebody connects in time");
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        // A UNIX socket sends at once anyhow.
        let _ = socket.set_tcp_nodelay(true);
        Link(socket)
    }

    /// The next `count` connections.
    pub fn accept_all(&self, count: usize) -> Vec<Link> {
        (0..count).map(|_| self.accept()).collect()
    }

    /// Nobody connects for a while.
    pub fn expect_nobody(&self, within: Duration) {
        self.0.set_read_timeout(Some(within)).unwrap();
        let error = self.0.accept().expect_err("nobody connects");
        assert!(is_patience(&error), "{error}");
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
    }
}

impl Link {
    /// Exactly these bytes come.
    #[track_caller]
    pub fn expect(&mut self, wanted: &[u8]) {
        let mut got = vec![0; wanted.len()];
        let mut len = 0;
        while len < got.len() && got[..len] == wanted[..len] {
            match self.0.read(&mut got[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) => panic!("{error} after {:?}", show(&got[..len])),
            }
        }
        assert_eq!(show(&got[..len]), show(wanted));
    }

    /// Exactly this command comes.
    #[track_caller]
    pub fn expect_command(&mut self, args: &[&str]) {
        self.expect(&wire(args));
    }

    /// The question of a client that has lost a connection, whether the server is there; and the answer.
    #[track_caller]
    pub fn expect_probe(&mut self) {
        self.expect_command(&["PING"]);
        self.say(b"+PONG\r\n");
    }

    /// Nothing comes for a while.
    #[track_caller]
    pub fn expect_nothing(&mut self, within: Duration) {
        self.0.set_read_timeout(Some(within)).unwrap();
        match self.0.read(&mut [0; 64]) {
            Err(error) => assert!(is_patience(&error), "{error}"),
            Ok(count) => panic!("{count} bytes came"),
        }
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// The client closes, or resets, and says nothing before.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let mut got = [0; 256];
        match self.0.read(&mut got) {
            Ok(0) => {}
            Ok(count) => panic!("not the end: {:?}", show(&got[..count])),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
    }

    /// Whatever comes in one read.
    pub fn read_some(&mut self, room: usize) -> Vec<u8> {
        let mut got = vec![0; room];
        let count = self.0.read(&mut got).expect("something comes in time");
        got.truncate(count);
        got
    }

    /// Waits until something has come, and leaves it unread.
    pub fn wait_unread(&mut self) {
        let mut room = [std::mem::MaybeUninit::uninit(); 1];
        let count = self.0.peek(&mut room).expect("something comes in time");
        assert_eq!(count, 1);
    }

    /// Sends all of it at once.
    #[track_caller]
    pub fn say(&mut self, bytes: &[u8]) {
        self.0
            .write_all(bytes)
            .expect("there is room, and somebody to hear");
    }

    /// Sends one byte at a time.
    #[track_caller]
    pub fn say_bytewise(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.say(&[*byte]);
            thread::sleep(PAUSE);
        }
    }

    /// Sends the first `at` bytes, and then the rest.
    #[track_caller]
    pub fn say_split(&mut self, bytes: &[u8], at: usize) {
        self.say(&bytes[..at]);
        thread::sleep(PAUSE);
        self.say(&bytes[at..]);
    }

    /// Closes one way: the client sees the end, and may still send.
    pub fn finish(&mut self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Breaks the connection: TCP sends RST, behind whatever was said before.
    pub fn reset(self) {
        SockRef::from(&self.0)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }
}

impl Full {
    pub fn tcp() -> Full {
        let (listener, endpoint) = listen_tcp(0);
        Full::fill(listener, endpoint, None)
    }

    pub fn unix() -> Full {
        let (listener, endpoint, folder) = listen_unix(0);
        Full::fill(listener, endpoint, Some(folder))
    }

    /// Connects until a connect does not finish at once.
    fn fill(listener: Socket, endpoint: Endpoint, folder: Option<TempDir>) -> Full {
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        loop {
            let socket = Socket::new(address.domain(), Type::STREAM, None).unwrap();
            let wait = Duration::from_millis(30);
            socket.set_write_timeout(Some(wait)).unwrap();
            let connected = match endpoint {
                Endpoint::Tcp(_) => socket.connect_timeout(&address, wait),
                Endpoint::Unix(_) => {
                    socket.set_nonblocking(true).unwrap();
                    socket.connect(&address)
                }
            };
            let full = connected.is_err();
            queue.push(socket);
            if full {
                break;
            }
        }
        Full {
            endpoint,
            _listener: listener,
            _queue: queue,
            _folder: folder,
        }
    }

    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub fn url(&self, rest: &str) -> String {
        url(&self.endpoint, "", rest)
    }
}

/// A port of 127.0.0.1 at which nobody listens, for as long as the socket lives: it is bound and
/// nothing else.
pub fn refusing() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&any_port()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// A command as it goes over the wire.
pub fn wire(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend(format!("${}\r\n{arg}\r\n", arg.len()).bytes());
    }
    bytes
}

/// Calls `done` again and again until it says yes.
#[track_caller]
pub fn until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it never comes");
        thread::sleep(PAUSE);
    }
}

fn any_port() -> SockAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()
}

fn listen_tcp(backlog: i32) -> (Socket, Endpoint) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&any_port()).unwrap();
    socket.listen(backlog).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, Endpoint::Tcp(address))
}

fn listen_unix(backlog: i32) -> (Socket, Endpoint, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("peer");
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(backlog).unwrap();
    (socket, Endpoint::Unix(path), folder)
}

fn url(endpoint: &Endpoint, who: &str, rest: &str) -> String {
    match endpoint {
        Endpoint::Tcp(address) => format!("redis://{who}{address}{rest}"),
        Endpoint::Unix(path) => format!("unix://{who}{}{rest}", path.display()),
    }
}

fn is_patience(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[test]
#[should_panic(expected = "not the end")]
fn a_script_that_fails_fails_its_test() {
    let peer = Peer::tcp(|door| door.accept().expect_end());
    let Endpoint::Tcp(address) = peer.endpoint() else {
        unreachable!("it was started on TCP")
    };
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(b"something").unwrap();
    peer.join();
}
