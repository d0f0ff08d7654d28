//! Requests, and who takes their replies.

use super::*;

fn ponging() -> Peer {
    Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        link.say(b"+PONG\r\n");
        link.expect_end();
    })
}

#[test]
fn a_reply_that_came_while_nobody_waited_is_kept() {
    let peer = ponging();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    hub.sleep(ms(20)).unwrap();
    answer(&mut hub, asked).unwrap();
}

#[test]
fn a_ticket_is_good_for_one_reply() {
    let peer = ponging();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    answer(&mut hub, asked).unwrap();
    let error = answer(&mut hub, asked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
}

#[test]
fn a_notify_does_not_give_a_request_up() {
    let peer = ponging();
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let notes = Notes::new();
    let inner = notes.clone();
    let mut ticket = None;
    let task = hub.spawn(move |hub, wake| match wake {
        Wake::Start => {
            let asked = redis.ping(hub)?;
            ticket = asked.ticket();
            Ok(asked)
        }
        Wake::Notified => Ok(Wait::reply(ticket.expect("it has asked"))),
        wake => {
            inner.add(wake.reply()?.into_value());
            Ok(Wait::done())
        }
    });
    hub.turn().unwrap();
    hub.notify(task);
    hub.join(task).unwrap();
    assert_eq!(notes.take(), [Value::Simple("PONG".into())]);
}

#[test]
fn a_request_that_a_deadline_has_ended_is_given_up() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let wake = hub.wait(asked.within(ms(20))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    let error = answer(&mut hub, asked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert_eq!(redis.stats(&hub).created, 0, "its connection is closed");
}

/// A task waits for what main has asked: the reply comes before it does, or only then.
fn asked_by_main(reply_first: bool) {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&["PING"]);
        wait.recv().unwrap();
        link.say(b"+PONG\r\n");
        link.expect_end();
    });
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    if reply_first {
        go.send(()).unwrap();
        while tap.reads() == 0 {
            hub.sleep(ms(1)).unwrap();
        }
    }
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| match wake {
        Wake::Start => {
            // Without effect if it is the second.
            let _ = go.send(());
            Ok(asked.within(ms(500)))
        }
        wake => {
            inner.add(matches!(wake, Wake::Reply(_)));
            Ok(Wait::done())
        }
    });
    hub.join(task).unwrap();
    assert_eq!(notes.take(), [true], "a reply, or that it may not");
}

#[test]
fn a_task_may_wait_for_the_reply_to_what_another_has_asked() {
    asked_by_main(false);
}

#[test]
fn a_task_may_take_the_reply_to_what_another_has_asked() {
    asked_by_main(true);
}

#[track_caller]
fn is_unknown(hub: &mut Hub, asked: Wait) {
    let error = answer(hub, asked).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    assert!(error.to_string().contains("no such request"), "{error}");
}

#[test]
fn a_reply_that_is_ignored_is_dropped_when_it_comes() {
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        link.expect(&[wire(&["GET", "a"]), wire(&["GET", "b"])].concat());
        link.say(b"+A\r\n+B\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let a = redis.get(&mut hub, "a").unwrap();
    let b = redis.get(&mut hub, "b").unwrap();
    hub.ignore(a);
    let reply = answer(&mut hub, b).unwrap();
    assert_eq!(reply.value(), &Value::Simple("B".into()));
    is_unknown(&mut hub, a);
}

#[test]
fn a_reply_that_is_ignored_is_dropped_also_when_it_has_come() {
    let peer = ponging();
    let (mut hub, tap) = tapped();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.ping(&mut hub).unwrap();
    while tap.reads() == 0 {
        hub.sleep(ms(1)).unwrap();
    }
    hub.ignore(asked);
    is_unknown(&mut hub, asked);
    // Nothing is there any more to be ignored, and a sleep is no request.
    hub.ignore(asked);
    hub.ignore(Wait::sleep(ms(1)));
}

#[test]
fn the_pushes_of_a_cron_that_ignores_them_leave_nothing() {
    const PUSHES: usize = 1000;
    let peer = Peer::unix(|door| {
        let mut link = door.accept();
        for number in 1..=PUSHES {
            link.expect_command(&["LPUSH", "ticks", &number.to_string()]);
            link.say(format!(":{number}\r\n").as_bytes());
        }
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let notes = Notes::new();
    let inner = notes.clone();
    let mut number = 0;
    let cron = hub.every(ms(1), move |hub, _tick| {
        for _ in 0..20 {
            number += 1;
            let pushed = redis.lpush(hub, "ticks", number)?;
            hub.ignore(pushed);
            inner.add(pushed);
        }
        Ok(())
    });
    while notes.len() < PUSHES {
        hub.sleep(Duration::ZERO).unwrap();
    }
    hub.kill(cron);
    // The hub has nothing to do once the last reply has come.
    hub.run().unwrap();
    for pushed in notes.take() {
        is_unknown(&mut hub, pushed);
    }
    assert_eq!(redis.stats(&hub).replies_dropped, 0, "each had its request");
}

#[test]
fn a_pop_that_is_ignored_outlives_its_task_and_gives_its_connection_back() {
    let (end, is_over) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        is_over.recv().unwrap();
        link.say(POPPED);
        // No task wants the element: it goes back.
        let mut control = door.accept();
        control.expect_command(&["INFO", "server"]);
        control.expect_command(&["PING"]);
        control.say(b"$22\r\nredis_version:7.0.15\r\n\r\n+PONG\r\n");
        control.expect_command(&["RPUSH", "list", "element"]);
        control.say(b":1\r\n");
        link.expect_command(&BRPOP);
        link.say(b"*-1\r\n");
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |hub, _wake| {
        let asked = redis.brpop(hub, "list", SECOND)?;
        hub.ignore(asked);
        inner.add(asked);
        Ok(Wait::done())
    });
    hub.join(task).unwrap();
    assert_eq!(redis.stats(&hub).in_use, 1);
    end.send(()).unwrap();
    hub.run().unwrap();
    let stats = redis.stats(&hub);
    assert_eq!((stats.created, stats.in_use, stats.available), (1, 0, 1));
    is_unknown(&mut hub, notes.take()[0]);
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    assert!(answer(&mut hub, asked).unwrap().is_none());
}

/// One task asks and waits, another waits for the same reply, and `end` makes the first give up.
fn waited_for_twice(first: fn(Wait) -> Wait, end: fn(&mut Hub, TaskId)) {
    let (go, wait) = mpsc::channel();
    let peer = Peer::unix(move |door| {
        let mut link = door.accept();
        link.expect_command(&BRPOP);
        wait.recv().unwrap();
        link.say(POPPED);
        link.expect_end();
    });
    let mut hub = Hub::new().unwrap();
    let redis = open(&mut hub, &peer.url(""), quick());
    let asked = redis.brpop(&mut hub, "list", SECOND).unwrap();
    let notes = Notes::new();
    let waiter = |hub: &mut Hub, name: &'static str, wait: Wait| {
        let notes = notes.clone();
        hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(wait),
            wake => {
                let how = match wake.reply() {
                    Ok(reply) => popped(reply).1,
                    Err(error) => format!("{:?}", error.kind()),
                };
                notes.add(format!("{name}: {how}"));
                Ok(Wait::done())
            }
        })
    };
    let one = waiter(&mut hub, "one", first(asked));
    let two = waiter(&mut hub, "two", asked);
    hub.sleep(ms(1)).unwrap();
    end(&mut hub, one);
    hub.join(one).unwrap();
    assert_eq!(redis.stats(&hub).in_use, 1);
    go.send(()).unwrap();
    hub.join(two).unwrap();
    let told = notes.take();
    assert!(told[0].starts_with("one: "), "{told:?}");
    assert_eq!(told[1], "two: element");
}

#[test]
fn a_task_that_is_killed_does_not_give_up_what_another_waits_for() {
    waited_for_twice(|asked| asked, Hub::kill);
}

#[test]
fn a_deadline_does_not_give_up_what_another_waits_for() {
    waited_for_twice(|asked| asked.within(ms(10)), |_, _| {});
}
