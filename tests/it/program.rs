//! The examples as their users meet them: a command line, two streams, an exit status.
//!
//! The binaries are built once by Cargo, so that they are never old ones, in the profile of this test,
//! and then run with an environment that holds none of the variables they read. Nothing here knows
//! how the programs work inside. What one says on a bad day is as much of its interface as what it
//! says on a good one: one line that names the trouble, and no line of it a password.

mod embedded;
mod good_days;
mod ladder;
mod misuse;
mod servers;
mod serving;
mod sigint;
mod simulated;
mod watching;
mod worker;

pub(crate) use self::watching::run_to_page;

use crate::server::{
    PATIENCE, Server, Side, by_the_clock, eventually, free_port, raise_open_files, signal,
};
use jzon::JsonValue;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const BRPOP: &str = "concurrent_brpop";
const SERVER: &str = "server";
const WORKER: &str = "worker";
const LADDER: [&str; 8] = [
    "ladder_1_blocking",
    "ladder_2_threads",
    "ladder_3_spin",
    "ladder_4_mio",
    "ladder_5_hub",
    "ladder_6_greenroom",
    "ladder_7_ten_thousand",
    "ladder_8_http",
];

/// Builds the examples next to this test, once, and says where one of them is.
fn binary(name: &str) -> PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        // target/<profile>/deps/it-<hash>
        let profile = test.ancestors().nth(2).unwrap();
        let name = match profile.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let all = [BRPOP, SERVER, WORKER].into_iter().chain(LADDER);
        let built = Command::new(env!("CARGO"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .args(["build", "--quiet", "--profile", name])
            .args(all.flat_map(|example| ["--example", example]))
            .arg("--target-dir")
            .arg(profile.parent().unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "no example was built:\n{said}");
        profile.join("examples")
    });
    examples.join(name)
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
    child: Leashed,
    begin: Instant,
    out: Heard,
    err: Heard,
}

/// A process that does not outlive its handle.
struct Leashed(Child);

/// What comes out of a stream, while it comes.
struct Heard {
    bytes: Arc<Mutex<Vec<u8>>>,
    listener: JoinHandle<()>,
}

/// The main example.
fn program<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(binary(BRPOP));
    command.args(args);
    command
}

/// A program of this name, started by a shell that has done `first` before.
fn program_after(first: &str, name: &str, args: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{first}; exec {} {args}", binary(name).display());
    command.args(["-c", &script]);
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
    let out = Heard::new(child.stdout.take().unwrap());
    let err = Heard::new(child.stderr.take().unwrap());
    Running {
        child: Leashed(child),
        begin,
        out,
        err,
    }
}

impl Heard {
    fn new(mut stream: impl Read + Send + 'static) -> Heard {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&bytes);
        let listener = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let count @ 1.. = stream.read(&mut chunk).unwrap() {
                heard.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Heard { bytes, listener }
    }

    fn so_far(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }

    fn in_the_end(self) -> String {
        self.listener.join().unwrap();
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
        String::from_utf8(bytes).unwrap()
    }
}

impl Drop for Leashed {
    fn drop(&mut self) {
        // It has most likely ended, and nothing is left to do then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn finish(self) -> Ended {
        self.finish_within(PATIENCE)
    }

    #[track_caller]
    fn finish_within(mut self, limit: Duration) -> Ended {
        let status = loop {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                break status;
            }
            if self.begin.elapsed() > limit {
                self.child.0.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(2));
        };
        let overran = status.signal() == Some(9);
        let ended = self.ended(status);
        assert!(!overran, "the program did not end in {limit:?}: {ended:?}");
        ended
    }

    /// `kill -9`, at this very moment.
    fn kill(mut self) -> Ended {
        self.child.0.kill().unwrap();
        let status = self.child.0.wait().unwrap();
        self.ended(status)
    }

    fn ended(self, status: ExitStatus) -> Ended {
        let took = self.begin.elapsed();
        let (out, err) = (self.out.in_the_end(), self.err.in_the_end());
        Ended {
            code: status.code(),
            out,
            err,
            took,
        }
    }

    fn interrupt(&self) {
        self.signal("INT");
    }

    fn signal(&self, name: &str) {
        signal(name, self.child.0.id());
    }

    /// What it has said on stderr so far.
    fn said(&self) -> String {
        self.err.so_far()
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
        let complains = |line: &str| {
            let name = line.split(": ").next();
            [BRPOP, SERVER, WORKER].map(Some).contains(&name)
        };
        lines.filter(|line| complains(line)).collect()
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

/// The number of open files that a program says it needs.
fn remedy(refused: &Ended) -> String {
    let (_, remedy) = refused.err.split_once("`ulimit -n ").expect(&refused.err);
    remedy.chars().take_while(char::is_ascii_digit).collect()
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
