//! The main example as its users meet it: a command line, two streams, an exit status.
//!
//! The binary is built once by Cargo, so that it is never an old one, in the profile of this test,
//! and then run with an environment that holds none of the variables it reads. Nothing here knows
//! how the program works inside. What it says on a bad day is as much of its interface as what it
//! says on a good one: one line that names the trouble, and no line of it a password.

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

// A good day.

#[test]
fn a_run_logs_five_cron_ticks_then_the_counters_then_the_duration() {
    by_the_clock(|| {
        let Some(server) = Server::shared() else {
            return;
        };
        let ended = run(["-s", &path(&server), "--key", "program:log"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.out, "");
        let lines: Vec<_> = ended.err.lines().map(log_line).collect();
        let lines: Vec<_> = lines
            .into_iter()
            .map(|line| line.expect(&ended.err))
            .collect();
        let first_of_main = lines.iter().position(|(function, _)| *function == "main");
        assert_eq!(first_of_main, Some(5), "{}", ended.err);
        for (function, message) in &lines[..5] {
            assert_eq!((*function, *message), ("cron", "Hello from cron task."));
        }
        let of_main = lines.iter().filter(|(function, _)| *function == "main");
        let messages: Vec<&str> = of_main.map(|(_, message)| *message).collect();
        let counters = [
            "# OS threads: 1",
            "# Redis connections created: 500",
            "# Redis connections in use: 500",
            "# Redis connections available: 0",
        ];
        assert_eq!(messages[..4], counters);
        let seconds = messages[4]
            .strip_prefix("Done in ")
            .and_then(|rest| rest.strip_suffix(" s."));
        let seconds: f64 = seconds.expect(&ended.err).parse().unwrap();
        assert!((1.0..1.5).contains(&seconds), "{seconds}");
        assert_eq!(messages.len(), 5, "{messages:?}");
    });
}

#[test]
fn a_summary_has_exactly_the_fields_of_its_schema() {
    by_the_clock(|| {
        let Some(server) = Server::shared() else {
            return;
        };
        let url = format!("redis://127.0.0.1:{}", server.port());
        let ended = run([
            "-p",
            &server.port().to_string(),
            "--json",
            "--key",
            "program:json",
        ]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let summary = ended.summary();
        let fields = |object: &JsonValue| {
            let entries = object.as_object().expect("an object").iter();
            entries.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        let expected = "schema server url clients timed_out popped failed duration_s reply_late_ms \
                    cron os_threads pool_during pool_after turns polls connects_retried rss_kib";
        assert_eq!(fields(&summary).join(" "), expected);
        assert_eq!(
            fields(&summary["reply_late_ms"]).join(" "),
            "min p50 p99 max"
        );
        assert_eq!(fields(&summary["cron"]).join(" "), "ticks missed late_ms");
        assert_eq!(fields(&summary["cron"]["late_ms"]).join(" "), "p50 p99 max");

        let version = server.side().info("redis_version");
        assert_eq!(
            summary["server"].as_str(),
            Some(&*format!("redis {version}"))
        );
        assert_eq!(summary["url"].as_str(), Some(&*url));
        for (name, number) in [
            ("schema", 1),
            ("clients", 500),
            ("timed_out", 500),
            ("popped", 0),
            ("failed", 0),
            ("os_threads", 1),
            ("connects_retried", 0),
        ] {
            assert_eq!(summary[name].as_u64(), Some(number), "{name}");
        }
        for (pool, in_use, available) in [("pool_during", 500, 0), ("pool_after", 0, 500)] {
            let expected =
                jzon::object! { "created": 500, "in_use": in_use, "available": available };
            assert_eq!(summary[pool], expected, "{pool}");
        }
        let duration = summary["duration_s"].as_f64().unwrap();
        assert!((1.0..1.5).contains(&duration), "{duration}");
        for (spread, steps) in [
            (&summary["reply_late_ms"], &["min", "p50", "p99", "max"][..]),
            (&summary["cron"]["late_ms"], &["p50", "p99", "max"]),
        ] {
            let steps: Vec<f64> = steps
                .iter()
                .map(|step| spread[*step].as_f64().unwrap())
                .collect();
            assert!(steps.is_sorted() && steps[0] >= 0.0, "{steps:?}");
            assert!(*steps.last().unwrap() < 500.0, "{steps:?}");
        }
        assert!((5..=7).contains(&summary["cron"]["ticks"].as_u64().unwrap()));
        assert_eq!(summary["cron"]["missed"].as_u64(), Some(0));
        let (turns, polls) = (summary["turns"].as_u64(), summary["polls"].as_u64());
        assert!(
            (10..2000).contains(&turns.unwrap()) && polls >= Some(1),
            "{summary}"
        );
        // Between a process that did nothing and one that leaks.
        assert!((500..100_000).contains(&summary["rss_kib"].as_u64().unwrap()));
    });
}

#[test]
fn every_way_to_name_a_server_reaches_it() {
    let Some(server) = Server::shared() else {
        return;
    };
    let (port, socket) = (server.port().to_string(), path(&server));
    let (tcp, unix) = (server.tcp().to_string(), server.unix().to_string());
    let elsewhere = format!("redis://127.0.0.1:{}", free_port());
    // What is said, what $REDIS_URL says, and where it leads.
    let ways = [
        (vec!["-p", &port], "", &tcp),
        (vec!["-h", "127.0.0.1", "-p", &port], "", &tcp),
        (vec!["-p", &port], &elsewhere, &tcp),
        (vec!["-s", &socket], &elsewhere, &unix),
        (vec!["--url", &tcp], &elsewhere, &tcp),
        (vec!["--url", &unix], "", &unix),
        (vec![], &tcp, &tcp),
        (vec![], &unix, &unix),
    ];
    let runs = ways.map(|(args, environment, leads_to)| {
        let common = [
            "-q",
            "--json",
            "-c",
            "5",
            "--timeout",
            "0.1",
            "--key",
            "program:ways",
        ];
        let mut command = program(args.iter().copied().chain(common));
        command.env("REDIS_URL", environment);
        (args, start(command), leads_to)
    });
    for (args, run, leads_to) in runs {
        let ended = run.finish();
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        assert_eq!(
            ended.summary()["url"].as_str(),
            Some(leads_to.as_str()),
            "{args:?}"
        );
    }
}

#[test]
fn a_host_name_is_looked_up() {
    let Some(server) = Server::shared() else {
        return;
    };
    // It may stand for ::1 as well, where nobody listens: the next address is tried then.
    let port = server.port().to_string();
    let ended = run([
        "-h",
        "localhost",
        "-p",
        &port,
        "-q",
        "-c",
        "3",
        "--key",
        "program:host",
    ]);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
}

#[test]
fn quiet_means_no_log_line_whatever_the_environment_says() {
    let Some(server) = Server::shared() else {
        return;
    };
    let socket = path(&server);
    let mut command = program(["-q", "-s", &socket, "-c", "5", "--key", "program:quiet"]);
    command.env("RUST_LOG", "trace");
    let ended = start(command).finish();
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", ""));
}

#[test]
fn log_lines_tell_local_time() {
    let Some(server) = Server::shared() else {
        return;
    };
    const AHEAD_HOURS: u64 = 7;
    const DAY_S: u64 = 86_400;
    let socket = path(&server);
    let mut command = program(["-s", &socket, "-c", "1", "--key", "program:time"]);
    // POSIX counts the hours westward.
    command.env("TZ", "XYZ-7");
    let ended = start(command).finish();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let last = ended.err.lines().last().unwrap();
    let part = |from: usize| last[from..from + 2].parse::<u64>().unwrap();
    let told = part(0) * 3600 + part(3) * 60 + part(6);
    let behind = (now + AHEAD_HOURS * 3600 + DAY_S - told) % DAY_S;
    assert!(behind < 10, "{last}: {behind} s behind");
}

#[test]
fn a_timeout_may_be_a_fraction_of_a_second() {
    by_the_clock(|| {
        let Some(server) = Server::shared() else {
            return;
        };
        let socket = path(&server);
        let args = [
            "-s",
            &socket,
            "-c",
            "20",
            "--timeout",
            "0.5",
            "--json",
            "-q",
        ];
        let ended = run(args.into_iter().chain(["--key", "program:half"]));
        let summary = ended.summary();
        assert_eq!(summary["timed_out"].as_u64(), Some(20));
        // Main sleeps for a second whatever the pops do.
        let duration = summary["duration_s"].as_f64().unwrap();
        assert!((1.0..1.4).contains(&duration), "{duration}");
        let late = summary["reply_late_ms"]["max"].as_f64().unwrap();
        assert!(late < 400.0, "late against a timeout of 0.5 s: {late}");
    });
}

#[test]
fn cron_runs_as_often_as_it_is_told_to() {
    by_the_clock(|| {
        let Some(server) = Server::shared() else {
            return;
        };
        let socket = path(&server);
        let args = [
            "-s",
            &socket,
            "-c",
            "1",
            "--timeout",
            "0.1",
            "--cron",
            "0.05",
            "--json",
        ];
        let ended = run(args.into_iter().chain(["--key", "program:cron"]));
        let cron = &ended.summary()["cron"];
        let counted = cron["ticks"].as_u64().unwrap() + cron["missed"].as_u64().unwrap();
        assert!((19..=22).contains(&counted), "{cron}");
        let logged = ended.err.matches("(cron) Hello from cron task.").count() as u64;
        assert_eq!(Some(logged), cron["ticks"].as_u64());
    });
}

#[test]
fn an_element_in_the_list_is_counted_and_fails_the_run() {
    let Some(server) = Server::shared() else {
        return;
    };
    server.side().ask(["RPUSH", "program:popped", "one", "two"]);
    let socket = path(&server);
    let ended = run([
        "-s",
        &socket,
        "-c",
        "20",
        "--json",
        "--key",
        "program:popped",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let summary = ended.summary();
    let counts = ["timed_out", "popped", "failed"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [Some(18), Some(2), Some(0)]);
    let complaints = ended.complaints();
    assert_eq!(complaints.len(), 1, "{ended:?}");
    assert!(complaints[0].contains("2 of 20"), "{ended:?}");
}

#[test]
fn help_and_version_are_answers_not_errors() {
    let help = run(["--help"]);
    assert_eq!((help.code, &*help.err), (Some(0), ""));
    for flag in [
        "-h ",
        "-p ",
        "-s ",
        "-a ",
        "--user",
        "--url",
        "-c,",
        "--clients",
        "--key",
        "--timeout",
        "--cron",
        "-q,",
        "--quiet",
        "--json",
        "--help",
        "--version",
        "REDIS_URL",
    ] {
        assert!(help.out.contains(flag), "{flag} is not in:\n{}", help.out);
    }
    let version = run(["--version"]);
    assert_eq!((version.code, &*version.err), (Some(0), ""));
    assert_eq!(version.out, "concurrent_brpop 0.1.0\n");
}

#[test]
fn an_answer_that_cannot_be_printed_is_no_panic() {
    for flag in ["--help", "--version"] {
        let script = format!("exec {} {flag} > /dev/full", binary().display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        let ended = start(command).finish();
        assert!(!ended.err.contains("panicked"), "{flag}: {ended:?}");
        assert_ne!(ended.code, Some(101), "{flag}: {ended:?}");
    }
}

#[test]
fn a_summary_that_cannot_be_printed_fails_the_run() {
    let Some(server) = Server::shared() else {
        return;
    };
    let (program, socket) = (binary().display(), path(&server));
    let args = format!("-q -c 1 --timeout 0.1 -s {socket} --key program:full --json");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {program} {args} > /dev/full")]);
    let ended = start(command).finish();
    ended.has_failed(1, "summary");
}

// Wrong usage.

/// Says on one line what is wrong, names it, and exits with 2.
#[track_caller]
fn is_misuse(args: &[&str], named: &str) {
    let ended = run(args.iter().copied());
    assert_eq!(
        (ended.code, &*ended.out),
        (Some(2), ""),
        "{args:?}: {ended:?}"
    );
    assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
    assert!(
        ended.err.starts_with("concurrent_brpop: "),
        "{args:?}: {ended:?}"
    );
    assert!(
        ended.err.contains(named),
        "{args:?} does not name {named}: {ended:?}"
    );
}

#[test]
fn a_wrong_number_is_named_on_one_line() {
    for (args, named) in [
        (["-c", "0"], "--clients"),
        (["-c", "x"], "--clients"),
        (["-c", "-1"], "--clients"),
        (["-c", "1.5"], "--clients"),
        (["--clients", ""], "--clients"),
        (["-c", "99999999999999999999"], "--clients"),
        (["--timeout", "-1"], "--timeout"),
        (["--timeout", "nan"], "--timeout"),
        (["--timeout", "inf"], "--timeout"),
        (["--timeout", "1e300"], "--timeout"),
        (["--timeout", "1s"], "--timeout"),
        (["--cron", "0"], "--cron"),
        (["--cron", "-0.2"], "--cron"),
        (["--cron", "often"], "--cron"),
        (["-p", "70000"], "-p"),
        (["-p", "-1"], "-p"),
        (["-p", "redis"], "-p"),
    ] {
        is_misuse(&args, named);
        is_misuse(&args, args[1]);
    }
}

#[test]
fn port_0_is_named_by_its_flag() {
    is_misuse(&["-p", "0"], "-p");
}

#[test]
fn more_clients_than_can_be_counted_are_refused() {
    is_misuse(&["-c", "18446744073709551615"], "--clients");
}

#[test]
fn a_timeout_too_short_to_be_told_from_0_is_not_for_ever() {
    let Some(server) = Server::shared() else {
        return;
    };
    let socket = path(&server);
    let args = ["-s", &socket, "-q", "-c", "1", "--timeout", "1e-10"];
    // As a wrong number, or as the shortest timeout there is: but not as the longest.
    start(program(args)).finish_within(Duration::from_secs(3));
}

#[test]
fn a_wrong_url_is_told_on_one_line_that_names_what_is_wrong() {
    for (url, named) in [
        ("rediss://x", "TLS"),
        ("redis://x?foo=1", "`foo`"),
        ("http://x", "http://"),
        ("x", "redis://"),
        ("", "redis://"),
        ("redis://x:0", "port"),
        ("redis://x:99999", "port"),
        ("redis://x/db", "database"),
        ("redis://[::1", "IPv6"),
        ("redis://x?db=1&db=2", "`db`"),
        ("redis://x?protocol=4", "protocol"),
        ("redis://a b", "space"),
        ("unix://path", "unix:///"),
    ] {
        is_misuse(&["--url", url], named);
    }
}

#[test]
fn a_wrong_url_keeps_its_password_to_itself() {
    for url in [
        "redis://:s3cr3tw0rd@x?foo=1",
        "redis://:s3cr3tw0rd@x:99999",
        "redis://u:s3cr3tw0rd/@x",
        "rediss://:s3cr3tw0rd@x",
        "http://u:s3cr3tw0rd@x",
        "redis://x?password=s3cr3tw0rd",
    ] {
        let ended = run(["--url", url]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(!format!("{ended:?}").contains("s3cr3t"), "{ended:?}");
    }
}

#[test]
fn a_wrong_url_in_the_environment_is_said_to_be_there() {
    let mut command = program([]);
    command.env("REDIS_URL", "http://x");
    let ended = start(command).finish();
    ended.has_failed(2, "REDIS_URL");
}

#[test]
fn wrong_flags_are_named_on_one_line() {
    let cases: [(&[&str], &str); 17] = [
        (&["-c"], "--clients"),
        (&["-p"], "-p"),
        (&["-h"], "-h"),
        (&["-s"], "-s"),
        (&["-a"], "-a"),
        (&["--url"], "--url"),
        (&["--key"], "--key"),
        (&["--user"], "--user"),
        (&["--timeout"], "--timeout"),
        (&["-x"], "-x"),
        (&["--client", "5"], "--client"),
        (&["--json=yes"], "--json"),
        (&["stray"], "stray"),
        (&["--", "--json"], "--json"),
        (&["--url", "redis://x", "-h", "y"], "--url"),
        (&["--url", "redis://x", "-a", "y"], "--url"),
        (&["-s", "/tmp/x", "-p", "1"], "-s"),
    ];
    for (args, named) in cases {
        is_misuse(args, named);
    }
}

#[test]
fn a_line_break_in_an_unknown_flag_does_not_make_a_second_line() {
    is_misuse(&["--fl\nag"], "fl");
}

#[test]
fn a_socket_path_that_cannot_be_is_misuse() {
    is_misuse(&["-s", ""], "-s");
    is_misuse(&["-s", &format!("/{}", "x".repeat(200))], "path");
}

#[test]
fn more_clients_than_open_files_are_refused_with_the_remedy() {
    for clients in ["100", "500"] {
        let script = format!("ulimit -n 100; exec {} -c {clients}", binary().display());
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        let ended = start(command).finish();
        ended.has_failed(2, "ulimit -n ");
        assert!(ended.err.contains(clients), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn the_remedy_for_too_few_open_files_works() {
    let Some(server) = Server::shared() else {
        return;
    };
    let started = |limit: &str| {
        let (program, socket) = (binary().display(), path(&server));
        let args = format!("-c 200 --timeout 0.1 -q -s {socket} --key program:files");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec {program} {args}")]);
        start(command)
    };
    let refused = started("100").finish();
    let (_, remedy) = refused.err.split_once("ulimit -n ").unwrap();
    let needed: String = remedy.chars().take_while(char::is_ascii_digit).collect();
    let ended = started(&needed).finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
}

// Servers that are not as they should be.

#[test]
fn nobody_listening_is_one_clear_line_at_once() {
    let port = free_port().to_string();
    let ended = run(["-p", &port, "--json"]);
    ended.has_failed(1, &port);
    assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
    assert!(ended.err.contains("refused"), "{ended:?}");
}

#[test]
fn no_socket_there_is_one_clear_line_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let ended = run(["-s", socket.to_str().unwrap()]);
    ended.has_failed(1, socket.to_str().unwrap());
    assert!(ended.took < Duration::from_secs(1), "{:?}", ended.took);
}

#[test]
fn a_name_that_nobody_has_is_one_clear_line() {
    // The top-level domain is reserved for names that do not exist.
    let ended = run(["-h", "nobody.invalid"]);
    ended.has_failed(1, "nobody.invalid");
}

#[test]
fn no_password_appears_anywhere_however_much_is_logged() {
    let Some(server) = Server::start_tcp(&["--requirepass", "r1ghtw0rd"]) else {
        return;
    };
    let port = server.port().to_string();
    let traced = |args: &[&str]| {
        let common = ["-p", &port, "-c", "3", "--timeout", "0.1", "--json"];
        let mut command = program(common.into_iter().chain(args.iter().copied()));
        command.env("RUST_LOG", "trace");
        start(command)
    };
    let url = format!("redis://default:r1ghtw0rd@127.0.0.1:{port}?protocol=3");
    let mut by_url = program(["--url", &url, "-c", "3", "--json"]);
    by_url.env("RUST_LOG", "trace");
    let right = [traced(&["-a", "r1ghtw0rd"]), start(by_url)];
    let wrong = [
        traced(&["-a", "wr0ngw0rd"]),
        traced(&["--user", "nobody", "-a", "wr0ngw0rd"]),
    ];
    for ended in right.map(Running::finish) {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(!format!("{ended:?}").contains("w0rd"), "{ended:?}");
    }
    for ended in wrong.map(Running::finish) {
        ended.has_failed(1, "WRONGPASS");
        assert!(!format!("{ended:?}").contains("w0rd"), "{ended:?}");
    }
}

#[test]
fn a_password_that_is_missing_is_one_clear_line() {
    let Some(server) = Server::start(&["--requirepass", "word"]) else {
        return;
    };
    run(["-s", &path(&server)]).has_failed(1, "NOAUTH");
}

#[test]
fn a_server_that_is_full_fails_the_run_without_a_hang() {
    let flags = ["--maxclients", "50"];
    let (Some(tcp), Some(unix)) = (Server::start_tcp(&flags), Server::start(&flags)) else {
        return;
    };
    let (port, socket) = (tcp.port().to_string(), path(&unix));
    let runs = [["-p", &port], ["-s", &socket]].map(|place| {
        let args = ["-c", "200", "--timeout", "0.3", "--json"];
        start(program(place.into_iter().chain(args)))
    });
    for ended in runs.map(Running::finish) {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let complaints = ended.complaints();
        assert_eq!(complaints.len(), 1, "{ended:?}");
        assert!(complaints[0].contains("max number of clients"), "{ended:?}");
        let summary = ended.summary();
        let failed = summary["failed"].as_u64().unwrap();
        assert!((150..=200).contains(&failed), "{failed}");
        assert_eq!(summary["timed_out"].as_u64(), Some(200 - failed));
        // The pops that did get in were asked to wait for 0.3 s, and main sleeps for 1 s.
        assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    }
}

/// A peer that accepts, says `words`, and keeps the connection.
fn peer(words: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // It ends with the process: nobody can tell it that the test is over.
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // Whoever speaks before it is asked is another test's peer.
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(words);
            kept.push(stream);
        }
    });
    port.to_string()
}

#[test]
fn bytes_that_are_not_resp_are_one_clear_line_at_once() {
    for (words, named) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nno"[..],
            "H",
        ),
        (b"\x00\xff\x13\x37random\x1b[2J\xc3\x28", "not RESP"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", "S"),
        (b"$-2\r\n", "-2"),
        (b"*2147483647\r\n", "2147483647"),
        (b"$99999999999999999999\r\n", "99999999"),
    ] {
        let ended = run(["-p", &peer(words), "--json"]);
        ended.has_failed(1, named);
        assert!(ended.took < Duration::from_secs(1), "{ended:?}");
        let unprintable = |c: char| c.is_control() && c != '\n';
        assert!(!ended.err.contains(unprintable), "{ended:?}");
    }
}

#[test]
fn a_server_that_closes_the_door_is_one_clear_line_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    thread::spawn(move || listener.incoming().for_each(drop));
    let ended = run(["-p", &port]);
    assert_eq!(
        (ended.code, ended.complaints().len()),
        (Some(1), 1),
        "{ended:?}"
    );
    assert!(ended.took < Duration::from_secs(1), "{ended:?}");
}

#[test]
fn a_server_that_never_answers_ends_by_a_deadline() {
    let ended = run(["-p", &peer(b"")]);
    ended.has_failed(1, "no reply within 5s");
    let took = ended.took.as_secs_f64();
    assert!((5.0..6.5).contains(&took), "{took}");
}

#[test]
fn a_server_killed_under_five_hundred_pops_fails_them_all_within_a_second() {
    by_the_clock(|| {
        let Some(mut server) = Server::start(&[]) else {
            return;
        };
        let mut side = server.side();
        let running = start(program(["-s", &path(&server), "--timeout", "30", "--json"]));
        await_blocked(&mut side, 500);
        // Past main's own sleep, so that what is measured is how fast the failures are noticed.
        thread::sleep(Duration::from_millis(1100).saturating_sub(running.begin.elapsed()));
        let begin = Instant::now();
        server.kill();
        let ended = running.finish();
        assert!(
            begin.elapsed() < Duration::from_secs(1),
            "{:?}",
            begin.elapsed()
        );
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let summary = ended.summary();
        assert_eq!(summary["failed"].as_u64(), Some(500), "{summary}");
        assert_eq!(
            summary["pool_after"]["created"].as_u64(),
            Some(0),
            "{summary}"
        );
        let complaints = ended.complaints();
        assert_eq!(complaints.len(), 1, "{ended:?}");
        assert!(complaints[0].contains("500 of 500"), "{ended:?}");
        // They all have the same reason, and it is told once.
        assert_eq!(ended.err.matches(" failed: ").count(), 1, "{ended:?}");
    });
}

// SIGINT.

/// Ends a run of `--timeout 0` by SIGINT, so long after its beginning.
fn interrupted_after(delay: Duration) {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut side = server.side();
    let running = start(program(["-s", &path(&server), "--timeout", "0", "--json"]));
    await_blocked(&mut side, 500);
    thread::sleep(delay.saturating_sub(running.begin.elapsed()));
    assert_eq!(side.blocked(), 500, "a pop without timeout has ended");
    let begin = Instant::now();
    running.interrupt();
    let ended = running.finish();
    assert!(
        begin.elapsed() < Duration::from_millis(500),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(ended.code, Some(130), "{ended:?}");
    let summary = ended.summary();
    let counts = ["timed_out", "popped", "failed"].map(|name| summary[name].as_u64());
    assert_eq!(counts, [Some(0), Some(0), Some(500)], "{summary}");
    assert_eq!(
        summary["pool_after"]["in_use"].as_u64(),
        Some(0),
        "{summary}"
    );
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
    // Elements that come now are nobody's.
    eventually("the server has seen the end of the pops", || {
        side.blocked() == 0
    });
    assert_eq!(side.number(["LPUSH", "list", "x"]), 1);
}

#[test]
fn sigint_while_main_sleeps_ends_the_run_with_its_summary() {
    by_the_clock(|| interrupted_after(Duration::ZERO));
}

#[test]
fn sigint_while_main_joins_ends_a_run_that_would_last_for_ever() {
    by_the_clock(|| interrupted_after(Duration::from_millis(1500)));
}
