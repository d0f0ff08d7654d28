//! Programs that others have written: `redis-cli`, `redis-benchmark`, and redis-py.
//!
//! What is not there cannot be tested: the tests say so and pass, unless `GREENROOM_REQUIRE_REDIS=1`.
//! redis-py comes from the package index, once for a target directory. A Python that cannot install
//! anything is no reason to fail in any case.

use super::*;
use crate::server::missing;
use std::process::{Child, Command, Output, Stdio};

/// Runs a program, and gives it something to read. `None` when it is not installed.
fn run(program: &str, args: &[&str], input: &[u8]) -> Option<Output> {
    let mut command = Command::new(program);
    command
        .args(args)
        // Prompts without escape sequences.
        .env("TERM", "dumb")
        .env_remove("REDISCLI_AUTH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            missing(program);
            return None;
        }
        Err(error) => panic!("cannot start {program}: {error}"),
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program may end before it has read everything.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = finish(child, program);
    feeder.join().unwrap();
    Some(output)
}

/// Waits for the end of a program, but not for ever.
fn finish(mut child: Child, program: &str) -> Output {
    let collect = |stream: Option<Box<dyn Read + Send>>| {
        let mut stream = stream.unwrap();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).map(|_| bytes).unwrap()
        })
    };
    let out = collect(child.stdout.take().map(|out| Box::new(out) as _));
    let err = collect(child.stderr.take().map(|err| Box::new(err) as _));
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if begin.elapsed() > 3 * PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(ms(2));
    };
    let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
    let said = String::from_utf8_lossy(&stdout);
    let status = status.unwrap_or_else(|| panic!("{program} does not end: {said}"));
    Output {
        status,
        stdout,
        stderr,
    }
}

/// What `redis-cli` prints when it is given these lines to read; it must end well.
#[track_caller]
fn cli(server: &Embedded, args: &[&str], input: &str) -> Option<String> {
    let port = server.hosted.tcp().port().to_string();
    let args = [&["-p", &port, "--no-auth-warning"], args].concat();
    let output = run("redis-cli", &args, input.as_bytes())?;
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && err.is_empty(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn redis_cli_runs_a_script_in_both_protocols() {
    const SCRIPT: &str = "SET key 'a b'\nGET key\nGET none\nRPUSH list 1 2\nLRANGE list 0 -1\nBRPOP list 0\n\
                          BRPOP none 0.02\nINCR key\nMULTI\nLLEN list\nEXEC\nDEL key list\nNOSUCH\n";
    let secret = config(|config| config.password = Some(Password::new("secret")));
    let server = Embedded::with(secret);
    let expected = [
        "OK",
        "\"a b\"",
        "(nil)",
        "(integer) 2",
        "1) \"1\"",
        "2) \"2\"",
        "1) \"list\"",
        "2) \"2\"",
        "(nil)",
        "(error) ERR value is not an integer or out of range",
        "OK",
        "QUEUED",
        "1) (integer) 1",
        "(integer) 2",
        "(error) ERR unknown command 'NOSUCH', with args beginning with: ",
    ];
    let socket = server.hosted.socket();
    let socket = socket.to_str().unwrap();
    for protocol in ["-2", "-3"] {
        for place in [&[][..], &["-s", socket]] {
            let args = [&["--no-raw", "-a", "secret", protocol], place].concat();
            let Some(said) = cli(&server, &args, SCRIPT) else {
                return;
            };
            // An error is set apart by an empty line.
            let lines: Vec<_> = said.lines().filter(|line| !line.is_empty()).collect();
            assert_eq!(lines, expected, "{protocol}");
        }
    }
    let Some(said) = cli(&server, &[], "GET key\n") else {
        return;
    };
    assert_eq!(said.trim_end(), "NOAUTH Authentication required.");
}

#[test]
fn redis_cli_takes_its_options() {
    let mut server = Embedded::start();
    let url = format!("redis://127.0.0.1:{}/3", server.hosted.tcp().port());
    for (args, input, expected) in [
        (&["-x", "SET", "key"][..], "from stdin\r\n", "OK\n"),
        (&["GET", "key"], "", "from stdin\r\n\n"),
        (&["-n", "3", "SET", "in3", "x"], "", "OK\n"),
        (&["-u", &url, "GET", "in3"], "", "x\n"),
        (&["-r", "3", "-i", "0.01", "INCR", "n"], "", "1\n2\n3\n"),
        (&["--csv", "RPUSH", "list", "a", "b"], "", "2\n"),
        (&["--csv", "LRANGE", "list", "0", "-1"], "", "\"a\",\"b\"\n"),
        (
            &["--json", "LRANGE", "list", "0", "-1"],
            "",
            "[\"a\",\"b\"]\n",
        ),
        (&["BLMPOP", "0.02", "1", "none", "LEFT"], "", "\n"),
    ] {
        let Some(said) = cli(&server, args, input) else {
            return;
        };
        assert_eq!(said, expected, "{args:?}");
    }
    server.await_clients(0);
}

#[test]
fn redis_cli_pipes_a_hundred_thousand_commands() {
    const COUNT: usize = 100_000;
    let server = Embedded::start();
    // It tells the end by an ECHO of its own.
    let commands = "INCR n\r\n".repeat(COUNT);
    let Some(said) = cli(&server, &["--pipe"], &commands) else {
        return;
    };
    assert!(
        said.contains(&format!("errors: 0, replies: {COUNT}")),
        "{said}"
    );
    assert_eq!(server.caller().ask(["GET", "n"]).as_str(), Some("100000"));
}

#[test]
fn redis_cli_measures_latency() {
    let server = Embedded::start();
    // Not at a terminal, it stops after the first interval.
    let Some(said) = cli(&server, &["--latency", "--raw", "-i", "1"], "") else {
        return;
    };
    let numbers: Vec<f64> = said
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    assert!(numbers.len() == 4 && numbers[3] > 10.0, "{said}");
}

/// At a terminal it asks for the documents of all commands before its first prompt.
#[test]
fn redis_cli_talks_to_a_person() {
    // Elsewhere the program that makes a terminal takes other options.
    if !cfg!(target_os = "linux") {
        return;
    }
    // What is typed before it listens is shown elsewhere: a busy machine may need another try.
    by_the_clock(talk_to_a_person);
}

fn talk_to_a_person() {
    let server = Embedded::start();
    if run("redis-cli", &["--version"], b"").is_none() {
        return;
    }
    let command = format!("redis-cli -p {}", server.hosted.tcp().port());
    let typed = "SET key value\nGET key\nhelp lpush\nBRPOP none 0.02\nMULTI\nGET key\nEXEC\nHELLO 3\nquit\n";
    let Some(output) = run("script", &["-qec", &command, "/dev/null"], typed.as_bytes()) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut rest = &*said;
    for expected in [
        "> OK",
        "> \"value\"",
        "LPUSH",
        "Adds elements to the left end",
        "> (nil)",
        "> OK",
        "(TX)> QUEUED",
        "(TX)> 1) \"value\"",
        "1# \"server\" => \"redis\"",
    ] {
        let at = rest.find(expected);
        let at = at.unwrap_or_else(|| panic!("{expected} is not in its place: {said}"));
        rest = &rest[at + expected.len()..];
    }
}

#[test]
fn redis_benchmark_reports_without_an_error() {
    const TESTS: [&str; 7] = [
        "PING_INLINE",
        "PING_MBULK",
        "SET",
        "GET",
        "INCR",
        "LPUSH",
        "LPOP",
    ];
    let server = Embedded::start();
    let port = server.hosted.tcp().port().to_string();
    for pipeline in [&["-n", "20000", "-P", "8"][..], &["-n", "5000"]] {
        let args = [
            "-p",
            &port,
            "-t",
            "lpush,lpop,ping,get,set,incr",
            "-c",
            "20",
            "-q",
        ];
        let Some(output) = run("redis-benchmark", &[&args, pipeline].concat(), b"") else {
            return;
        };
        assert!(output.status.success(), "{output:?}");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        // Progress is shown on lines that are overwritten.
        let lines = said.split(['\r', '\n']);
        let done: Vec<_> = lines
            .filter(|line| line.contains("requests per second"))
            .collect();
        let tests: Vec<_> = done
            .iter()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(tests, TESTS, "{said}");
        let is_trouble = |word: &&&str| said.contains(**word);
        let trouble = ["rror", "ERR", "WARN", "Could not"].iter().find(is_trouble);
        assert_eq!(trouble, None, "{said}");
    }
}

/// Where redis-py is; `None` when it cannot be had. It stays in the target directory.
fn redis_py() -> Option<PathBuf> {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis-py");
    if kept.join("redis/__init__.py").exists() {
        return Some(kept);
    }
    let Ok(python) = Command::new("python3")
        .args(["-m", "pip", "--version"])
        .output()
    else {
        return without_python("there is no python3");
    };
    let fresh = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut program = PathBuf::from("python3");
    if !python.status.success() {
        // Some systems have no pip but in virtual environments, and some none at all.
        let venv = fresh.path().join("venv");
        let made = Command::new("python3")
            .args(["-m", "venv"])
            .arg(&venv)
            .output();
        if !made.is_ok_and(|made| made.status.success()) {
            return without_python("python3 has neither pip nor venv");
        }
        program = venv.join("bin/python");
    }
    let target = fresh.path().join("packages");
    let install = "-m pip install --quiet --disable-pip-version-check --retries 1 --timeout 10";
    let pip = Command::new(program)
        .args(install.split(' '))
        .args(["redis>=5,<9", "--target"])
        .arg(&target)
        .output()
        .unwrap();
    if !pip.status.success() {
        missing(&format!("{}redis-py", String::from_utf8_lossy(&pip.stderr)));
        return None;
    }
    // Another run of the tests may have been faster.
    let _ = std::fs::rename(&target, &kept);
    Some(kept)
}

fn without_python(why: &str) -> Option<PathBuf> {
    let _ = writeln!(
        std::io::stderr(),
        "{why}: the tests with redis-py did not run"
    );
    None
}

#[test]
fn redis_py_finds_what_it_expects() {
    let Some(packages) = redis_py() else { return };
    let mut server = Embedded::start();
    let script = include_str!("redis_py.py");
    let port = server.hosted.tcp().port().to_string();
    let socket = server.hosted.socket();
    let output = Command::new("python3")
        .args([
            "-W",
            "error::DeprecationWarning:__main__",
            "-c",
            script,
            &port,
        ])
        .arg(socket)
        .env("PYTHONPATH", packages)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{}{}", said[0], said[1]);
    assert!(said[0].ends_with("all is well\n"), "{}{}", said[0], said[1]);
    server.await_clients(0);
}
