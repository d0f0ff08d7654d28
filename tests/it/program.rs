//! The main example as its users meet it: a command line, two streams, an exit status.
//!
//! The binary is built once by Cargo, so that it is never an old one, in the profile of this test,
//! and then run with an environment that holds none of the variables it reads. Nothing here knows
//! how the program works inside. What it says on a bad day is as much of its interface as what it
//! says on a good one: one line that names the trouble, and no line of it a password.

mod good_days;
mod misuse;
mod servers;
mod sigint;

use crate::server::{
    PATIENCE, Server, Side, by_the_clock, eventually, free_port, raise_open_files, signal,
};
use jzon::JsonValue;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const NAME: &str = "concurrent_brpop";

/// Builds the example next to this test, once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        // target/<profile>/deps/it-<hash>
        let profile = test.ancestors().nth(2).unwrap();
        let name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let built = Command::new(env!("CARGO"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .args(["build", "--quiet", "--example", NAME, "--profile", name])
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "the example was not built:\n{said}");
        profile.join("examples").join(NAME)
    })
}

/// What a run has left behind.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
    took: Duration,
}

/// A program that runs. It is killed when it outlasts everybody's patience.
struct Running {
    child: Child,
    begin: Instant,
    out: JoinHandle<String>,
    err: JoinHandle<String>,
}

fn program<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(binary());
    command.args(args);
    command
}

fn start(mut command: Command) -> Running {
    raise_open_files();
    for name in ["REDIS_URL", "RUST_LOG", "RUST_LOG_STYLE"] {
        // What a test has set itself stays.
        if command.get_envs().all(|(set, _)| set != name) {
            command.env_remove(name);
        }
    }
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Each on a thread of its own: a pipe that nobody reads would hold the program up.
    let out = collect(child.stdout.take().unwrap());
    let err = collect(child.stderr.take().unwrap());
    Running {
        child,
        begin,
        out,
        err,
    }
}

fn collect(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}

impl Running {
    fn finish(self) -> Ended {
        self.finish_within(PATIENCE)
    }

    #[track_caller]
    fn finish_within(mut self, limit: Duration) -> Ended {
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if self.begin.elapsed() > limit {
                self.child.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(2));
        };
        let took = self.begin.elapsed();
        let (out, err) = (self.out.join().unwrap(), self.err.join().unwrap());
        let overran = status.signal() == Some(9);
        assert!(!overran, "the program did not end in {limit:?}: {out}{err}");
        Ended {
            code: status.code(),
            out,
            err,
            took,
        }
    }

    fn interrupt(&self) {
        signal("INT", self.child.id());
    }
}

fn run<'a>(args: impl IntoIterator<Item = &'a str>) -> Ended {
    start(program(args)).finish()
}

impl Ended {
    /// The summary: the one line on stdout.
    fn summary(&self) -> JsonValue {
        let line = self.out.strip_suffix('\n');
        let line = line.unwrap_or_else(|| panic!("stdout has no line: {self:?}"));
        assert!(!line.contains('\n'), "stdout has several lines: {line}");
        jzon::parse(line).unwrap()
    }

    /// What the program says besides its log: lines that begin with its name.
    fn complaints(&self) -> Vec<&str> {
        let lines = self.err.lines();
        let complaint = |line: &str| line.starts_with("concurrent_brpop: ");
        lines.filter(|line| complaint(line)).collect()
    }

    /// It has ended with `code` and one line that contains `what`, and has not panicked.
    #[track_caller]
    fn has_failed(&self, code: i32, what: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let complaints = self.complaints();
        assert_eq!(complaints.len(), 1, "{self:?}");
        assert!(complaints[0].contains(what), "{what:?} is not in {self:?}");
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

/// Waits until the server says that so many clients are blocked.
fn await_blocked(side: &mut Side, count: usize) {
    eventually("all pops are blocked", || side.blocked() == count);
}

fn path(server: &Server) -> String {
    server.socket().to_str().unwrap().to_owned()
}

/// The function and the message of `HH:MM:SS,mmm.m (function) message`.
fn log_line(line: &str) -> Option<(&str, &str)> {
    const TIME: &str = "00:00:00,000.0 (";
    let (time, rest) = line.split_at_checked(TIME.len())?;
    let fits = |(have, want): (u8, u8)| match want {
        b'0' => have.is_ascii_digit(),
        want => have == want,
    };
    time.bytes()
        .zip(TIME.bytes())
        .all(fits)
        .then(|| rest.split_once(") "))?
}
