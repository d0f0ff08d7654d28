//! Connects that fail, hang or find no room.

use super::*;

#[test]
fn a_connect_that_never_finishes_ends_with_its_deadline() {
    let full = Full::tcp();
    for shared in [true, false] {
        let mut hub = Hub::new().unwrap();
        let mut config = quick();
        config.connect_timeout = ms(40);
        let redis = open(&mut hub, &full.url(""), config);
        let asked = if shared {
            redis.get(&mut hub, "key").unwrap()
        } else {
            redis.brpop(&mut hub, "list", SECOND).unwrap()
        };
        let start = Instant::now();
        let error = answer(&mut hub, asked).unwrap_err();
        assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
        assert!(start.elapsed() >= ms(40) && start.elapsed() < secs(2));
    }
}

#[test]
fn a_spurious_event_neither_finishes_nor_ends_a_connect() {
    let full = Full::tcp();
    let (mut hub, tap) = tapped();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let trigger = hub.adopt(ours).unwrap();
    assert_eq!(hub.read(trigger, &mut [0; 8]).unwrap(), None);
    let mut config = quick();
    config.connect_timeout = ms(60);
    let redis = open(&mut hub, &full.url(""), config);
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    hub.turn().unwrap();
    tap.report_everything();
    std::io::Write::write_all(&mut theirs, b"x").unwrap();
    let wake = hub.wait(Wait::readable(trigger).within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Ready), "{wake:?}");
    let error = answer(&mut hub, asked).unwrap_err();
    assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
    assert!(error.to_string().contains("connected"), "{error}");
}

/// What the driver is told for two connections, the shared one and one for a pop.
fn keepalives(peer: &Peer, idle: Option<Duration>) -> Vec<Duration> {
    let (mut hub, tap) = tapped();
    let mut config = quick();
    config.keepalive = idle;
    let redis = open(&mut hub, &peer.url(""), config);
    let asked = redis.get(&mut hub, "key").unwrap();
    answer(&mut hub, asked).unwrap();
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    answer(&mut hub, asked).unwrap();
    tap.keepalives()
}

#[test]
fn each_connection_is_kept_alive_where_the_feature_and_the_configuration_say_so() {
    let answers_both = |door: &Door| {
        let mut shared = door.accept();
        shared.expect_command(&["GET", "key"]);
        shared.say(b"$-1\r\n");
        let mut own = door.accept();
        own.expect_command(&BRPOP);
        own.say(b"*-1\r\n");
    };
    let told = keepalives(&Peer::tcp(answers_both), Some(secs(7)));
    let expected = usize::from(cfg!(feature = "keepalive")) * 2;
    assert_eq!(told, vec![secs(7); expected]);
    assert_eq!(keepalives(&Peer::tcp(answers_both), None), []);
    // The driver is asked, and knows that there is nothing to do.
    assert_eq!(
        keepalives(&Peer::unix(answers_both), Some(secs(7))).len(),
        expected
    );
}

#[test]
fn a_full_backlog_of_a_unix_socket_is_tried_again_until_there_is_room() {
    let full = Full::unix();
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.pool_timeout = ms(60);
    let redis = open(&mut hub, &full.url(""), config);
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    assert!(error.is_timeout() && !error.maybe_executed(), "{error:?}");
    let retried = redis.stats(&hub).connects_retried;
    assert!((2..=8).contains(&retried), "every 10 ms: {retried}");
}

#[test]
fn the_shared_connection_does_not_wait_for_ever_for_a_full_backlog() {
    let full = Full::unix();
    let mut hub = Hub::new().unwrap();
    let mut config = quick();
    config.connect_timeout = ms(60);
    config.command_timeout = ms(60);
    config.pool_timeout = ms(60);
    let redis = open(&mut hub, &full.url(""), config);
    let asked = redis.get(&mut hub, "key").unwrap();
    let wake = hub.wait(asked.within(secs(1))).unwrap();
    assert!(matches!(wake, Wake::Reply(Err(_))), "{wake:?}");
}

#[test]
fn everybody_who_waits_for_a_server_that_is_not_there_learns_it_soon() {
    let (_bound, address) = refusing();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &format!("redis://{address}"), quick());
    let start = Instant::now();
    let notes = Notes::new();
    for number in 0..100 {
        let notes = notes.clone();
        hub.spawn(move |hub, wake| match wake {
            Wake::Start if number % 10 == 0 => redis.get(hub, "key"),
            Wake::Start => redis.brpop(hub, "list", SECOND),
            wake => {
                notes.add(wake.reply().map(drop).unwrap_err());
                Ok(Wait::done())
            }
        });
    }
    let cron = hub.every(ms(1), |_hub, _tick| Ok(()));
    while hub.tasks().len() > 1 {
        hub.sleep(ms(1)).unwrap();
    }
    assert!(!hub.is_ended(cron), "the hub goes on");
    let errors = notes.take();
    assert_eq!(errors.len(), 100);
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(!error.maybe_executed());
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
    assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
    let stats = redis.stats(&hub);
    assert_eq!((stats.created, stats.waiting, stats.shared), (0, 0, false));
}

#[test]
fn a_pool_for_which_nobody_waits_any_more_has_no_timer() {
    let (_bound, address) = refusing();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &format!("redis://{address}"), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    answer(&mut hub, asked).unwrap_err();
    assert_eq!(hub.timers_armed(), 0, "else run() would sit it out");
    let start = Instant::now();
    hub.run().unwrap();
    assert!(start.elapsed() < secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_comes_back_is_found_again() {
    let (bound, address) = refusing();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &format!("redis://{address}"), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    answer(&mut hub, asked).unwrap_err();
    bound.listen(1).unwrap();
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let server = std::thread::spawn(move || {
        let (mut socket, _) = bound.accept().unwrap();
        for reply in ["+PONG\r\n", "*-1\r\n"] {
            // A reply that comes before its command would be one that nobody has asked for.
            std::io::Read::read(&mut socket, &mut [0; 64]).unwrap();
            std::io::Write::write_all(&mut socket, reply.as_bytes()).unwrap();
        }
        socket
    });
    assert!(answer(&mut hub, asked).unwrap().is_none());
    server.join().unwrap();
}

#[test]
fn a_unix_socket_that_is_not_there_is_a_connect_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nobody");
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &format!("unix://{}", path.display()), quick());
    for shared in [true, false] {
        let asked = if shared {
            redis.ping(&mut hub).unwrap()
        } else {
            redis.brpop(&mut hub, "list", SECOND).unwrap()
        };
        let error = answer(&mut hub, asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect);
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}

fn two_addresses(pops: usize) -> Vec<Result<Reply>> {
    let (_bound, nobody) = refusing();
    let peer = Peer::tcp(move |door| {
        let mut links = door.accept_all(pops);
        for link in &mut links {
            link.expect_command(&BRPOP);
            link.say(b"*-1\r\n");
        }
    });
    let greenroom::Endpoint::Tcp(somebody) = *peer.endpoint() else {
        unreachable!("it was started on TCP")
    };
    let (mut hub, tap) = tapped();
    tap.resolve_to([nobody, somebody]);
    let redis = open(&mut hub, "redis://two.addresses:6379", quick());
    let asked: Vec<_> = (0..pops)
        .map(|_| redis.brpop(&mut hub, "list", SECOND).unwrap())
        .collect();
    let results: Vec<_> = asked
        .into_iter()
        .map(|asked| answer(&mut hub, asked))
        .collect();
    if results.iter().any(Result::is_err) {
        // The script waits for connections that will never come.
        std::mem::forget(peer);
    }
    results
}

#[test]
fn the_second_address_of_a_name_is_tried_when_the_first_refuses() {
    let results = two_addresses(1);
    assert!(results[0].as_ref().unwrap().is_none());
}

#[test]
fn several_connects_that_the_first_address_refuses_all_try_the_second() {
    for result in two_addresses(3) {
        assert!(result.unwrap().is_none());
    }
}

#[test]
fn a_name_without_addresses_is_a_connect_error_that_names_it() {
    let (mut hub, _tap) = tapped();
    let error = Redis::open(&mut hub, "redis://no.addresses").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("no.addresses"), "{error}");
}

#[test]
fn a_name_is_not_resolved_inside_a_task() {
    let (mut hub, _tap) = tapped();
    let task = hub.spawn(|hub, _wake| {
        Redis::open(hub, "redis://some.name")?;
        Ok(Wait::done())
    });
    hub.on_error(|_| {});
    let error = hub.join(task).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
}
