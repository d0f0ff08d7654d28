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
