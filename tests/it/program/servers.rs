//! Servers that are not as they should be: one clear line, and status 1.

use super::*;

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
fn a_password_that_the_server_repeats_appears_nowhere_however_much_is_logged() {
    let renamed = [
        "--rename-command",
        "AUTH",
        "",
        "--rename-command",
        "HELLO",
        "",
    ];
    let Some(server) = Server::start(&renamed) else {
        return;
    };
    for protocol in ["2", "3"] {
        let socket = path(&server);
        let url = format!("unix://:S3NTINEL@{socket}?protocol={protocol}");
        let mut command = program(["--url", &url, "-c", "3", "--json"]);
        command.env("RUST_LOG", "trace");
        let ended = start(command).finish();
        ended.has_failed(1, "AUTH");
        assert!(!format!("{ended:?}").contains("S3NTINEL"), "{ended:?}");
    }
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

const FULL: [&str; 2] = ["--maxclients", "50"];

/// Two hundred pops of 0.3 s at a server that has room for fifty.
fn crowd(place: [&str; 2]) -> Ended {
    let args = ["-c", "200", "--timeout", "0.3", "--json"];
    let ended = start(program(place.into_iter().chain(args))).finish();
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    ended
}

#[test]
fn pops_wait_until_a_full_server_has_room() {
    let Some(server) = Server::start_tcp(&FULL) else {
        return;
    };
    let (port, path) = (server.port().to_string(), path(&server));
    for place in [["-p", &port], ["-s", &path]] {
        let ended = crowd(place);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.summary()["timed_out"].as_u64(), Some(200));
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
    ended.has_failed(1, "has not answered the handshake within 5s");
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
