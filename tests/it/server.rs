//! Real Redis servers for tests: private, short-lived, out of everybody's way.
//!
//! A server of a test lives in a temporary folder and listens on a UNIX socket there; on a TCP port
//! only where a test asks for one. It saves nothing, and ends with its handle. Tests that only use
//! keys of their own share one server, which lives as long as somebody holds it; those that stop,
//! kill or configure theirs start one.
//!
//! What happens in the server is seen through [`Side`], a client that shares nothing with the one
//! under test but the decoder: it blocks, and knows neither pools nor deadlines.
//!
//! A machine without `redis-server` cannot run these tests. They say so and pass, unless
//! `GREENROOM_REQUIRE_REDIS=1`: on the machine that guards the project, a test that did not run is
//! a failure.

use greenroom::Address;
use greenroom::resp::{Decoder, Limits, Value, encode};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a healthy machine does at once is given this long on a busy one.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A port that was free may be taken when the server binds it: another one is tried.
const PORTS_TRIED_MAX: usize = 5;

/// A running `redis-server`.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    port: Option<u16>,
    folder: TempDir,
    /// True if a test makes it crash.
    may_crash: bool,
}

impl Server {
    /// Starts a server on a UNIX socket. `None` when there is no binary to start.
    pub(crate) fn start(flags: &[&str]) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        Server::launch(folder, None, flags).map(Result::unwrap)
    }

    /// Starts a server on a UNIX socket and a TCP port.
    pub(crate) fn start_tcp(flags: &[&str]) -> Option<Server> {
        for _ in 0..PORTS_TRIED_MAX {
            let folder = tempfile::tempdir().unwrap();
            match Server::launch(folder, Some(free_port()), flags)? {
                Ok(server) => return Some(server),
                Err(log) if log.contains("Address already in use") => {}
                Err(log) => panic!("redis-server did not start:\n{log}"),
            }
        }
        panic!("no free TCP port for redis-server");
    }

    /// The server of all tests that keep to keys of their own, on both kinds of socket.
    pub(crate) fn shared() -> Option<Arc<Server>> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Server::start_tcp(&[])?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// Kills the server and starts it again at the same place, with what it had saved.
    pub(crate) fn restart(mut self, flags: &[&str]) -> Server {
        self.kill();
        let empty = tempfile::tempdir().unwrap();
        let folder = std::mem::replace(&mut self.folder, empty);
        Server::launch(folder, self.port, flags)
            .expect("it was there a moment ago")
            .unwrap()
    }

    /// The inner error is the server's own log.
    fn launch(
        folder: TempDir,
        port: Option<u16>,
        flags: &[&str],
    ) -> Option<Result<Server, String>> {
        raise_open_files();
        let mut command = Command::new("redis-server");
        command
            .current_dir(folder.path())
            .args(["--port", &port.unwrap_or(0).to_string()])
            .args(["--bind", "127.0.0.1", "--unixsocket", "redis.sock"])
            .args(["--save", "", "--logfile", "log"])
            // The timeouts of blocked clients are looked at a hundred times a second, not ten.
            .args(["--hz", "100"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                missing("redis-server");
                return None;
            }
            Err(error) => panic!("cannot start redis-server: {error}"),
        };
        let mut server = Server {
            child,
            port,
            folder,
            may_crash: false,
        };
        Some(match server.await_answer() {
            true => Ok(server),
            false => Err(server.log()),
        })
    }

    /// Whether the server answers; false when it has ended instead. An error is an answer too.
    fn await_answer(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(stream) = UnixStream::connect(self.socket()) {
                Side::new(stream).ask(["PING"]);
                return true;
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            thread::sleep(Duration::from_millis(2));
        }
        false
    }

    fn log(&self) -> String {
        let bytes = fs::read(self.folder().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The line of the log that says why the server has crashed.
    pub(crate) fn crash_report(&self) -> Option<String> {
        const MARKS: [&str; 3] = ["Guru Meditation", "crashed by signal", "REDIS BUG REPORT"];
        let log = self.log();
        let with = |mark| log.lines().find(|line| line.contains(mark));
        MARKS.into_iter().find_map(with).map(str::to_owned)
    }

    /// Allows a test to make it crash: by what no client does.
    pub(crate) fn may_crash(mut self) -> Server {
        self.may_crash = true;
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where the server runs and keeps its files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder().join("redis.sock")
    }

    pub(crate) fn unix(&self) -> Address {
        Address::unix(self.socket()).unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.expect("the server was started with start_tcp")
    }

    pub(crate) fn tcp(&self) -> Address {
        Address::tcp("127.0.0.1", self.port()).unwrap()
    }

    /// A client to look at the server from the side.
    pub(crate) fn side(&self) -> Side {
        Side::new(UnixStream::connect(self.socket()).unwrap())
    }

    /// Stops the process in its tracks: the kernel still accepts connections for it.
    pub(crate) fn pause(&self) {
        signal("STOP", self.child.id());
    }

    pub(crate) fn go_on(&self) {
        signal("CONT", self.child.id());
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    /// Ends the server. No client may make it crash.
    fn drop(&mut self) {
        // It may have been killed already, and nothing is left to do then.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let report = self.crash_report();
        if self.may_crash {
            return;
        }
        match (thread::panicking(), report) {
            (false, report) => assert_eq!(report, None, "redis-server has crashed"),
            (true, Some(report)) => eprintln!("redis-server has crashed: {report}"),
            (true, None) => {}
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Side {
    stream: UnixStream,
    decoder: Decoder,
}

impl Side {
    fn new(stream: UnixStream) -> Side {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Side {
            stream,
            decoder: Decoder::new(),
        }
    }

    /// Asks a command, and blocks until it is answered.
    pub(crate) fn ask<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> Value {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, args.as_ref());
        self.stream.write_all(&bytes).unwrap();
        let mut chunk = [0; 4096];
        loop {
            let count = self.stream.read(&mut chunk).unwrap();
            assert_ne!(count, 0, "the server has closed the connection");
            let limits = Limits::default();
            if let Some(value) = self.decoder.decode(&mut &chunk[..count], &limits).unwrap() {
                return value;
            }
        }
    }

    pub(crate) fn number<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> i64 {
        self.ask(args).convert().unwrap()
    }

    pub(crate) fn text<A: AsRef<[u8]>>(&mut self, args: impl AsRef<[A]>) -> String {
        self.ask(args).convert().unwrap()
    }

    /// A field of `INFO`.
    pub(crate) fn info(&mut self, field: &str) -> String {
        let info = self.text(["INFO"]);
        let of_field = |line: &str| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned());
        info.lines().find_map(of_field).unwrap()
    }

    /// How many clients wait in a blocking command.
    pub(crate) fn blocked(&mut self) -> usize {
        self.info("blocked_clients").parse().unwrap()
    }
}

/// Repeats `check` until it says true.
pub(crate) fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !check() {
        assert!(Instant::now() < deadline, "this has not come true: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Runs a test that holds a program to times of the clock. They can only be kept by who gets the
/// processor, and neighbours may have it: what fails three times is not the neighbours' doing.
pub(crate) fn by_the_clock(test: impl Fn()) {
    let run = || catch_unwind(AssertUnwindSafe(&test));
    if run().is_err() && run().is_err() {
        test();
    }
}

/// Sends a signal with the shell's own `kill`, which needs no package.
pub(crate) fn signal(name: &str, pid: u32) {
    let mut script = String::new();
    write!(script, "kill -{name} {pid}").unwrap();
    let status = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(status.success(), "{script}: {status}");
}

/// A port that nobody has. It is below those that the kernel gives to clients (32768 and up): one of these may be some
/// client's own while a server is being restarted.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Another process with the same tests begins elsewhere.
    let begin = std::process::id().wrapping_mul(101);
    (0..COUNT)
        .map(|_| begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT + FIRST)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a free port")
}

/// Tests run at the same time in one process, and thousands of connections do not fit the 1024
/// files that many systems allow unless asked for more. What is started from here inherits the
/// limit, which is returned.
pub(crate) fn raise_open_files() -> u64 {
    static RAISED: OnceLock<u64> = OnceLock::new();
    *RAISED.get_or_init(|| rlimit::increase_nofile_limit(20_000).unwrap())
}

/// Says that a test did not run for want of a program.
pub(crate) fn missing(program: &str) {
    let required = std::env::var_os("GREENROOM_REQUIRE_REDIS").is_some_and(|value| value == "1");
    let message = format!("{program} is not installed: the tests that need it did not run");
    assert!(!required, "{message}");
    // To the real stream: what a test that passes prints is not shown.
    let _ = writeln!(std::io::stderr(), "{message}");
}
