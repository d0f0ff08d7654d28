//! The handshake: database, name, password, protocol.

use super::*;

#[test]
fn the_database_of_the_address_is_the_one_that_is_used() {
    let Some(server) = Server::start_tcp(&[]) else {
        return;
    };
    let urls = [
        (format!("{}?db=3", server.unix()), "3"),
        (format!("{}/4", server.tcp()), "4"),
        (format!("{}?db=5&protocol=3", server.tcp()), "5"),
    ];
    for (url, db) in urls {
        let mut live = Live::new(&server, url.parse().unwrap());
        live.get::<()>(|redis, hub| redis.set(hub, "here", db));
        let mut side = server.side();
        side.ask(["SELECT", db]);
        assert_eq!(side.text(["GET", "here"]), db, "{url}");
        // Pops have connections of their own, with a handshake each.
        side.ask(["RPUSH", "list", db]);
        let popped: Option<(String, String)> =
            live.get(|redis, hub| redis.brpop(hub, "list", SOON));
        assert_eq!(popped, pair("list", db), "{url}");
    }
    assert_eq!(server.side().number(["DBSIZE"]), 0, "database 0 was used");
}

#[test]
fn a_database_that_does_not_exist_is_said_to_be_rejected() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = server.unix().with_db(9999);
    let mut live = Live::new(server, address);
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("SELECT"), "{error}");
}

#[test]
fn the_client_name_of_the_address_is_what_the_server_lists() {
    let Some(server) = Server::shared() else {
        return;
    };
    let address = format!("{}?client_name=green-1", server.unix())
        .parse()
        .unwrap();
    let mut live = Live::new(server, address);
    live.get::<()>(|redis, hub| redis.ping(hub));
    live.get::<()>(|redis, hub| redis.brpop(hub, "named", Timeout::After(ms(1))));
    let list = live.server.side().text(["CLIENT", "LIST"]);
    // The shared connection, and that of the pop.
    assert_eq!(list.matches(" name=green-1 ").count(), 2, "{list}");
}

#[test]
fn a_password_lets_in_with_either_protocol() {
    let Some(server) = Server::start(&["--requirepass", "se cret"]) else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let address = server
            .unix()
            .with_password("se cret")
            .with_protocol(protocol);
        let mut live = Live::new(&server, address);
        assert_eq!(live.get::<String>(|redis, hub| redis.ping(hub)), "PONG");
    }
}

#[test]
fn a_user_and_a_password_let_in_as_that_user() {
    let Some(server) = Server::shared() else {
        return;
    };
    let rule = ["ACL", "SETUSER", "greta", "on", ">se@cret", "~*", "+@all"];
    server.side().ask(rule);
    for protocol in ["2", "3"] {
        let place = server.tcp().to_string().replace("redis://", "");
        let url = format!("redis://greta:se%40cret@{place}?protocol={protocol}");
        let mut live = Live::new(&server, url.parse().unwrap());
        assert_eq!(live.send::<String>("ACL", &["WHOAMI"]), "greta");
    }
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_repeat_it() {
    let Some(server) = Server::start(&["--requirepass", "right"]) else {
        return;
    };
    for protocol in [Protocol::Resp2, Protocol::Resp3] {
        let address = server
            .unix()
            .with_password("wr0ngwr0ng")
            .with_protocol(protocol);
        let mut live = Live::new(&server, address);
        for _ in 0..2 {
            let error = live.error(|redis, hub| redis.brpop(hub, "list", Timeout::Forever));
            assert_eq!(error.kind(), ErrorKind::Auth);
            assert_eq!(error.code(), Some("WRONGPASS"));
            assert!(!error.maybe_executed());
            let told = format!("{error} {error:?}");
            assert!(
                told.contains("WRONGPASS") && !told.contains("wr0ng"),
                "{told}"
            );
        }
    }
}

#[test]
fn a_server_whose_auth_is_renamed_is_no_leak_of_the_password() {
    let renamed = [
        "--rename-command",
        "AUTH",
        "",
        "--rename-command",
        "HELLO",
        "",
    ];
    for flags in [&renamed[..3], &renamed] {
        let Some(server) = Server::start(flags) else {
            return;
        };
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let address = server
                .unix()
                .with_password("S3NTINEL")
                .with_protocol(protocol);
            let mut live = Live::new(&server, address);
            let told = match live.result::<String>(|redis, hub| redis.ping(hub)) {
                Ok(pong) => pong,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
                    format!("{error} {error:?} {error:#?}")
                }
            };
            assert!(!told.contains("S3NTINEL"), "{told}");
        }
    }
}

#[test]
fn no_password_where_one_is_needed_is_the_answer_of_the_server() {
    let Some(mut live) = private(&["--requirepass", "right"]) else {
        return;
    };
    let error = live.error(|redis, hub| redis.ping(hub));
    assert_eq!(error.code(), Some("NOAUTH"), "{error:?}");
}
