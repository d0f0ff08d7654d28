//! Runs that go well, and what they print.

use super::*;

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
        "--embedded",
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
        let args = format!("{flag} > /dev/full");
        let ended = start(program_after(":", BRPOP, &args)).finish();
        assert!(!ended.err.contains("panicked"), "{flag}: {ended:?}");
        assert_ne!(ended.code, Some(101), "{flag}: {ended:?}");
    }
}

#[test]
fn a_summary_that_cannot_be_printed_fails_the_run() {
    let Some(server) = Server::shared() else {
        return;
    };
    let socket = path(&server);
    let args = format!("-q -c 1 --timeout 0.1 -s {socket} --key program:full --json > /dev/full");
    let ended = start(program_after(":", BRPOP, &args)).finish();
    ended.has_failed(1, "summary");
}

#[test]
fn replies_that_came_while_the_process_was_stopped_win_over_their_deadlines() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut side = server.side();
    let running = start(program(["-s", &path(&server), "--json"]));
    await_blocked(&mut side, 500);
    running.signal("STOP");
    eventually("all pops are answered", || side.blocked() == 0);
    // The deadline of a pop is 2 s after its timeout.
    thread::sleep(Duration::from_millis(2500));
    running.signal("CONT");
    let ended = running.finish();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.summary()["timed_out"], 500);
}
