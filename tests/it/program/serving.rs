//! The example that is the server alone.

use super::*;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use tempfile::TempDir;

fn server<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(binary(SERVER));
    command.args(args);
    command
}

/// A server that listens, and the places where it says that it does.
fn listening(command: Command) -> (Running, Vec<String>) {
    let mut running = start(command);
    let deadline = running.begin + PATIENCE;
    while !running.said().contains("memory only") {
        let has_ended = running.child.0.try_wait().unwrap().is_some();
        assert!(
            !has_ended && Instant::now() < deadline,
            "{}",
            running.said()
        );
        thread::sleep(Duration::from_millis(2));
    }
    let said = running.said();
    let places = messages(&said).into_iter().filter_map(|message| {
        let place = message.strip_prefix("Listens at ")?;
        place.strip_suffix('.').map(str::to_owned)
    });
    let places = places.collect();
    (running, places)
}

/// On a free port of 127.0.0.1.
fn on_a_port(args: &[&str]) -> (Running, SocketAddr) {
    let port = ["-p", "0"].into_iter();
    let (running, places) = listening(server(port.chain(args.iter().copied())));
    (running, places[0].parse().unwrap())
}

/// What it has logged about itself.
fn messages(said: &str) -> Vec<&str> {
    let lines = said.lines().filter_map(log_line);
    let own = lines.filter(|(function, _)| *function == SERVER);
    own.map(|(_, message)| message).collect()
}

/// Waits for the end, which is a good one.
fn has_ended_well(running: Running) {
    let ended = running.finish();
    assert_eq!((ended.code, &*ended.out), (Some(0), ""), "{ended:?}");
    assert_eq!(ended.complaints(), [""; 0], "{ended:?}");
}

/// A connection on which every answer that is waited for comes, or the test fails.
struct Guest<S>(S);

fn guest(at: SocketAddr) -> Guest<TcpStream> {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Guest(stream)
}

fn guest_at(socket: &Path) -> Guest<UnixStream> {
    let stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Guest(stream)
}

impl<S: Read + Write> Guest<S> {
    fn say(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r\n").as_bytes()).unwrap();
    }

    #[track_caller]
    fn hears(&mut self, expected: &str) {
        let mut heard = vec![0; expected.len()];
        self.0.read_exact(&mut heard).unwrap();
        assert_eq!(String::from_utf8_lossy(&heard), expected);
    }

    #[track_caller]
    fn asks(&mut self, line: &str, expected: &str) {
        self.say(line);
        self.hears(&format!("{expected}\r\n"));
    }

    /// The connection has ended, with nothing more to hear.
    #[track_caller]
    fn hears_the_end(&mut self) {
        match self.0.read(&mut [0; 64]) {
            Ok(0) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            other => panic!("{other:?}"),
        }
    }

    /// A field of `INFO`.
    fn info(&mut self, field: &str) -> String {
        self.say("INFO clients");
        let mut heard = String::new();
        while !heard.ends_with("\r\n\r\n") {
            let mut chunk = [0; 4096];
            let count = self.0.read(&mut chunk).unwrap();
            heard.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        }
        let of_field = |line: &str| Some(line.strip_prefix(field)?.strip_prefix(':')?.to_owned());
        heard.lines().find_map(of_field).expect(&heard)
    }
}

fn socket_in(folder: &TempDir) -> PathBuf {
    folder.path().join("it.sock")
}

#[test]
fn it_says_where_it_listens_and_that_it_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket_in(&folder);
    let path = socket.to_str().unwrap();
    let (running, places) = listening(server(["-p", "0", "-s", path]));
    let port: SocketAddr = places[0].parse().unwrap();
    assert!(port.ip().is_loopback() && port.port() != 0, "{port}");
    assert_eq!(places[1..], [path]);
    assert_eq!(running.said().lines().count(), 3, "{}", running.said());
    guest(port).asks("PING", "+PONG");
    guest_at(&socket).asks("PING", "+PONG");
}

#[test]
fn a_socket_alone_is_no_port() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket_in(&folder);
    let (_running, places) = listening(server(["-s", socket.to_str().unwrap()]));
    assert_eq!(places, [socket.to_str().unwrap()]);
}

#[test]
fn a_relative_socket_stands_where_the_server_was_started() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = server(["-s", "it.sock"]);
    command.current_dir(folder.path());
    let (running, _) = listening(command);
    guest_at(&socket_in(&folder)).asks("PING", "+PONG");
    running.signal("TERM");
    has_ended_well(running);
    assert!(!socket_in(&folder).exists());
}

#[test]
fn a_signal_ends_it_well_whatever_its_clients_do() {
    for signal in ["INT", "TERM"] {
        let (running, at) = on_a_port(&[]);
        let (mut idle, mut waiting) = (guest(at), guest(at));
        idle.asks("PING", "+PONG");
        waiting.say("BLPOP list 0");
        eventually("it waits", || idle.info("blocked_clients") == "1");
        let begin = Instant::now();
        running.signal(signal);
        has_ended_well(running);
        assert!(begin.elapsed() < PATIENCE / 2, "{:?}", begin.elapsed());
        idle.hears_the_end();
        waiting.hears_the_end();
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // In between lies the time that a client has who does not read: half a second.
    by_the_clock(|| {
        let (running, at) = on_a_port(&[]);
        let mut deaf = guest(at);
        deaf.asks(&format!("SET big {}", "x".repeat(60_000)), "+OK");
        for _ in 0..1000 {
            deaf.say("GET big");
        }
        // All of it, as far as it fits in the kernel, has been answered by now.
        guest(at).asks("PING", "+PONG");
        running.signal("TERM");
        eventually("it has noticed", || running.said().contains("signal"));
        running.signal("INT");
        let ended = running.finish();
        assert_eq!(ended.code, None, "{ended:?}");
    });
}

#[test]
fn a_client_may_end_it() {
    let (running, at) = on_a_port(&[]);
    let mut waiting = guest(at);
    waiting.say("BLPOP list 0");
    let mut other = guest(at);
    other.say("SHUTDOWN NOSAVE");
    other.hears_the_end();
    waiting.hears_the_end();
    has_ended_well(running);
}

#[test]
fn a_password_is_asked_for_and_never_told() {
    let mut command = server(["-p", "0", "--requirepass", "r1ghtw0rd"]);
    command.env("RUST_LOG", "trace");
    let (running, places) = listening(command);
    let mut guest = guest(places[0].parse().unwrap());
    guest.asks("PING", "-NOAUTH Authentication required.");
    let refusal = "-WRONGPASS invalid username-password pair or user is disabled.";
    guest.asks("AUTH wr0ngw0rd", refusal);
    running.signal("TERM");
    guest.hears_the_end();
    let ended = running.finish();
    assert!(!format!("{ended:?}").contains("w0rd"), "{ended:?}");
}

#[test]
fn who_knows_the_password_is_let_in_and_an_empty_one_is_none() {
    let (_running, at) = on_a_port(&["--requirepass", "word"]);
    let mut known = guest(at);
    known.asks("AUTH word", "+OK");
    known.asks("PING", "+PONG");
    let (_running, at) = on_a_port(&["--requirepass", ""]);
    guest(at).asks("PING", "+PONG");
}

#[test]
fn one_client_too_many_is_told_so() {
    let (_running, at) = on_a_port(&["--maxclients", "2"]);
    let mut guests = [guest(at), guest(at)];
    guests
        .iter_mut()
        .for_each(|guest| guest.asks("PING", "+PONG"));
    let mut third = guest(at);
    third.hears("-ERR max number of clients reached\r\n");
    third.hears_the_end();
    let [mut first, second] = guests;
    drop(second);
    eventually("there is room again", || {
        first.info("connected_clients") == "1"
    });
    guest(at).asks("PING", "+PONG");
}

/// Connects until one more is told that there is no room, and says how many there was room for.
fn room(at: SocketAddr) -> usize {
    let mut guests = Vec::new();
    loop {
        let mut next = guest(at);
        next.say("PING");
        let mut first = [0];
        next.0.read_exact(&mut first).unwrap();
        if first == *b"-" {
            return guests.len();
        }
        guests.push(next);
    }
}

#[test]
fn the_limit_of_open_files_is_raised_for_all_clients_or_those_are_limited_too() {
    let started = |first, args| {
        let (running, places) = listening(program_after(first, SERVER, args));
        (running, places[0].parse::<SocketAddr>().unwrap())
    };
    let (running, at) = started("ulimit -S -n 50", "-p 0 --maxclients 100");
    assert_eq!(running.said().lines().count(), 2, "{}", running.said());
    assert_eq!(room(at), 100);

    let (running, at) = started("ulimit -n 50", "-p 0 --maxclients 100");
    let said = running.said();
    let first = messages(&said)[0];
    let (allowed, rest) = first.split_once(" clients at most, not 100").expect(&said);
    assert!(rest.contains("50 open files"), "{said}");
    let allowed: usize = allowed.parse().unwrap();
    assert!((20..50).contains(&allowed), "{said}");
    assert_eq!(room(at), allowed);

    let ended = start(program_after("ulimit -n 10", SERVER, "-p 0")).finish();
    ended.has_failed(1, "open files");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
}

#[test]
fn it_warns_of_a_door_that_is_open_to_others() {
    for (args, warns) in [
        (&["--bind", "0.0.0.0"][..], true),
        (&["--bind", "::"], true),
        (&["--bind", "0.0.0.0", "--requirepass", "x"], false),
        (&["--bind", "127.0.0.2"], false),
    ] {
        let port = ["-p", "0", "--maxclients", "1"].into_iter();
        let (running, _) = listening(server(port.chain(args.iter().copied())));
        let said = running.said();
        assert_eq!(said.contains("--requirepass"), warns, "{args:?}: {said}");
    }
}

#[test]
fn a_place_that_is_taken_is_one_clear_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let ended = start(server(["-q", "-p", &at.port().to_string()])).finish();
    ended.has_failed(1, &format!("cannot listen at {at}: "));
    assert!(ended.err.contains("in use"), "{ended:?}");

    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none/it.sock");
    let ended = start(server(["-s", nowhere.to_str().unwrap()])).finish();
    ended.has_failed(1, nowhere.to_str().unwrap());
}

#[test]
fn a_socket_is_its_own_as_long_as_it_lives_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket_in(&folder);
    let path = socket.to_str().unwrap();
    let (first, _) = listening(server(["-s", path]));
    start(server(["-s", path])).finish().has_failed(1, "in use");
    guest_at(&socket).asks("PING", "+PONG");

    // By SIGKILL.
    drop(first);
    assert!(socket.exists());
    let (second, _) = listening(server(["-s", path]));
    guest_at(&socket).asks("PING", "+PONG");
    second.signal("TERM");
    has_ended_well(second);
    assert!(!socket.exists());
}

#[test]
fn wrong_usage_is_one_line_that_names_it() {
    let cases: [(&[&str], &str); 16] = [
        (&["-p", "65536"], "-p"),
        (&["-p", "-1"], "-p"),
        (&["-p", "redis"], "redis"),
        (&["-p"], "-p needs a value"),
        (&["--bind", "localhost"], "localhost"),
        (&["--bind", ""], "--bind"),
        (&["--maxclients", "0"], "--maxclients"),
        (&["--maxclients", "many"], "many"),
        (&["--requirepass"], "--requirepass needs"),
        (&["-s", ""], "-s"),
        (&["-s"], "-s needs a value"),
        (&["--port", "1"], "--port"),
        (&["stray"], "stray"),
        (&["--fl\nag"], "fl"),
        (&["--quiet=yes"], "--quiet"),
        (&["-h"], "--help"),
    ];
    for (args, named) in cases {
        let ended = start(server(args.iter().copied())).finish();
        ended.has_failed(2, named);
        assert_eq!(ended.err.lines().count(), 1, "{args:?}: {ended:?}");
    }
    let long = format!("/{}", "x".repeat(200));
    start(server(["-s", &long])).finish().has_failed(2, "path");
}

#[test]
fn what_it_is_asked_about_itself_it_answers() {
    let help = start(server(["--help"])).finish();
    assert_eq!((help.code, &*help.err), (Some(0), ""));
    for flag in [
        "-p ",
        "-s ",
        "--bind",
        "--maxclients",
        "--requirepass",
        "-q,",
        "--quiet",
        "--help",
        "--version",
    ] {
        assert!(help.out.contains(flag), "{flag} is not in:\n{}", help.out);
    }
    let version = start(server(["--version"])).finish();
    assert_eq!((version.code, &*version.err), (Some(0), ""));
    assert_eq!(version.out, "server 0.1.0\n");
}

#[test]
fn quiet_means_no_log_line() {
    let folder = tempfile::tempdir().unwrap();
    let socket = socket_in(&folder);
    let flags = ["-q", "-s", socket.to_str().unwrap(), "-p", "0"];
    let running = start(server(flags.into_iter().chain(["--bind", "0.0.0.0"])));
    eventually("it listens", || socket.exists());
    running.signal("INT");
    let ended = running.finish();
    assert_eq!((ended.code, &*ended.out, &*ended.err), (Some(0), "", ""));
}

#[test]
fn the_main_example_knows_whom_it_talks_to() {
    let (_running, at) = on_a_port(&[]);
    let port = at.port().to_string();
    let ended = run(["-p", &port, "--json", "-q", "-c", "50"]);
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
    let summary = ended.summary();
    assert_eq!(summary["server"].as_str(), Some("greenroom 0.1.0"));
    assert_eq!(summary["timed_out"].as_u64(), Some(50));
}
