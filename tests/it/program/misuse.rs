//! Wrong usage: one line that names it, and status 2.

use super::*;

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
fn a_simulation_is_misused_like_anything_else() {
    is_misuse(&["--simulate", "often"], "--simulate");
    is_misuse(&["--simulate", "1", "--faults", "gremlins"], "gremlins");
    is_misuse(&["--faults", "latency"], "--simulate");
    is_misuse(&["--simulate", "1", "-p", "6379"], "--simulate");
    is_misuse(&["--simulate", "1", "--embedded"], "--simulate");
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
    let cases: [(&[&str], &str); 24] = [
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
        (&["--embedded", "-h", "x"], "--embedded"),
        (&["-p", "1", "--embedded"], "--embedded"),
        (&["--embedded", "-s", "/tmp/x"], "--embedded"),
        (&["--embedded", "-a", "x"], "--embedded"),
        (&["--embedded", "--user", "x"], "--embedded"),
        (&["--embedded", "--url", "redis://x"], "--embedded"),
        (&["--embedded=yes"], "--embedded"),
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
        let command = program_after("ulimit -n 100", BRPOP, &format!("-c {clients}"));
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
        let socket = path(&server);
        let args = format!("-c 200 --timeout 0.1 -q -s {socket} --key program:files");
        start(program_after(&format!("ulimit -n {limit}"), BRPOP, &args))
    };
    let ended = started(&remedy(&started("100").finish())).finish();
    assert_eq!((ended.code, &*ended.err), (Some(0), ""));
}
