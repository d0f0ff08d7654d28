//! Who owns a stream or a listener: it lives as long as its task, and can be handed over.

use super::*;

#[test]
fn closing_a_stream_wakes_whoever_waits_for_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let notes = Notes::new();
    let inner = notes.clone();
    let waiter = hub.spawn(move |hub, wake| match wake {
        Wake::Start => {
            assert_eq!(hub.read(stream, &mut [0; 8])?, None);
            Ok(Wait::readable(stream))
        }
        wake => {
            inner.add(format!("{wake:?}"));
            inner.add(format!(
                "{:?}",
                hub.read(stream, &mut [0; 8]).unwrap_err().kind()
            ));
            Ok(Wait::done())
        }
    });
    hub.sleep(ms(1)).unwrap();
    hub.close_stream(stream);
    hub.join(waiter).unwrap();
    assert_eq!(notes.take(), ["Ready", "Misuse"]);
    assert_eq!(
        theirs.read(&mut [0; 8]).unwrap(),
        0,
        "the other end sees it"
    );
}

#[test]
fn a_stream_that_was_closed_stays_closed() {
    let mut hub = Hub::new().unwrap();
    let (stream, _theirs) = pair(&mut hub);
    hub.close_stream(stream);
    hub.close_stream(stream);
    let (next, mut other) = pair(&mut hub);
    other.write_all(b"for the next").unwrap();
    let kinds = [
        hub.read(stream, &mut [0; 8]).unwrap_err().kind(),
        hub.write(stream, b"x").unwrap_err().kind(),
        hub.hand_over(stream, hub.main()).unwrap_err().kind(),
    ];
    assert_eq!(kinds, [ErrorKind::Misuse; 3]);
    let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
    assert!(
        matches!(wake, Wake::Ready),
        "at once, to learn it: {wake:?}"
    );
    assert_eq!(hub.read(next, &mut [0; 64]).unwrap(), Some(12));
}

#[test]
fn a_closed_listener_accepts_nobody() {
    let mut hub = Hub::new().unwrap();
    let listener = hub.listen(&any_port()).unwrap();
    let at = hub.local(listener).unwrap();
    hub.close_listener(listener);
    hub.turn().unwrap();
    assert_eq!(hub.accept(listener).unwrap_err().kind(), ErrorKind::Misuse);
    let stream = hub.connect(&at).unwrap();
    let _ = hub.wait(Wait::writable(stream).within(PATIENCE)).unwrap();
    hub.write(stream, b"x").unwrap_err();
}

/// How a task ends that owns a stream.
fn ends(how: impl FnMut(&mut Hub, Wake) -> Result<Wait> + 'static, kill: bool) {
    let (mut hub, tap) = tapped();
    hub.on_error(|_| {});
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut ours, mut how) = (Some(ours), how);
    let task = hub.spawn(move |hub, wake| {
        if let Some(ours) = ours.take() {
            hub.adopt(ours)?;
        }
        how(hub, wake)
    });
    hub.sleep(ms(2)).unwrap();
    if kill {
        assert_eq!(tap.sockets(), 1, "it lives");
        hub.kill(task);
        hub.turn().unwrap();
    }
    assert!(hub.is_ended(task));
    assert_eq!(tap.sockets(), 0);
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn a_stream_is_closed_when_its_task_ends_well() {
    ends(|_hub, _wake| Ok(Wait::done()), false);
}

#[test]
fn a_stream_is_closed_when_its_task_fails() {
    ends(|_hub, wake| Err(wake.unexpected()), false);
}

#[test]
fn a_stream_is_closed_when_its_task_panics() {
    ends(|_hub, _wake| panic!("on purpose"), false);
}

#[test]
fn a_stream_is_closed_when_its_task_is_killed() {
    ends(|_hub, _wake| Ok(Wait::sleep(secs(9))), true);
}

#[test]
fn a_stream_that_was_handed_over_lives_as_long_as_its_new_task() {
    let mut hub = Hub::new().unwrap();
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(ms(20))).unwrap();
    let heir = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => Ok(Wait::done()),
    });
    let mut ours = Some(ours);
    let owner = hub.spawn(move |hub, _wake| {
        let stream = hub.adopt(ours.take().expect("it runs once"))?;
        hub.hand_over(stream, heir)?;
        Ok(Wait::done())
    });
    hub.join(owner).unwrap();
    hub.sleep(ms(1)).unwrap();
    theirs.read(&mut [0; 8]).expect_err("it is still open");
    hub.notify(heir);
    hub.join(heir).unwrap();
    theirs.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn each_of_several_streams_of_a_task_can_be_handed_over_or_closed() {
    for first in 0..3 {
        for second in 0..3 {
            let (mut hub, tap) = tapped();
            let (ours, theirs): (Vec<_>, Vec<_>) =
                (0..3).map(|_| UnixStream::pair().unwrap()).unzip();
            let heir = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
            let mut ours = ours;
            let owner = hub.spawn(move |hub, wake| {
                if let Wake::Start = wake {
                    let mut streams = Vec::new();
                    for ours in ours.drain(..) {
                        streams.push(hub.adopt(ours)?);
                    }
                    hub.hand_over(streams[first], heir)?;
                    if second != first {
                        hub.close_stream(streams[second]);
                    }
                    return Ok(Wait::notified());
                }
                Ok(Wait::done())
            });
            hub.run().unwrap();
            let left = 3 - usize::from(second != first);
            assert_eq!(tap.sockets(), left, "{first}, {second}");
            hub.notify(owner);
            hub.run().unwrap();
            assert_eq!(tap.sockets(), 1, "the heir has one: {first}, {second}");
            hub.kill(heir);
            hub.run().unwrap();
            assert_eq!(tap.sockets(), 0, "{first}, {second}");
            drop(theirs);
        }
    }
}

#[test]
fn a_stream_that_is_handed_to_its_own_task_is_still_one_of_its_streams() {
    let (mut hub, tap) = tapped();
    let owner = hub.spawn(|_hub, wake| match wake {
        Wake::Start => Ok(Wait::notified()),
        _ => Ok(Wait::done()),
    });
    hub.turn().unwrap();
    let (first, _a) = pair(&mut hub);
    let (last, _b) = pair(&mut hub);
    hub.hand_over(first, owner).unwrap();
    hub.hand_over(last, owner).unwrap();
    hub.hand_over(last, owner).unwrap();
    assert_eq!(tap.sockets(), 2);
    hub.notify(owner);
    hub.run().unwrap();
    assert_eq!(tap.sockets(), 0, "none was lost");
}

#[test]
fn a_stream_cannot_be_handed_to_a_task_that_has_ended() {
    let (mut hub, _) = tapped();
    let (stream, _theirs) = pair(&mut hub);
    let ended = hub.spawn(|_hub, _wake| Ok(Wait::done()));
    hub.join(ended).unwrap();
    let error = hub.hand_over(stream, ended).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    hub.write(stream, b"x").unwrap();
}

#[test]
fn a_stream_cannot_be_handed_to_a_task_that_has_failed() {
    let (mut hub, _) = tapped();
    hub.on_error(|_| {});
    let (stream, _theirs) = pair(&mut hub);
    let failed = hub.spawn(|_hub, wake| Err(wake.unexpected()));
    hub.run().unwrap();
    let error = hub.hand_over(stream, failed).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Misuse,
        "nobody would close it: {error}"
    );
}

#[test]
fn a_listener_that_was_handed_over_lives_as_long_as_its_new_task() {
    let mut hub = Hub::new().unwrap();
    let keeper = hub.spawn(|_, _| Ok(Wait::notified()));
    let notes = Notes::new();
    let told = notes.clone();
    let maker = hub.spawn(move |hub, _| {
        let listener = hub.listen(&any_port())?;
        hub.hand_over(listener, keeper)?;
        told.add((listener, hub.local(listener)?));
        Ok(Wait::done())
    });
    hub.join(maker).unwrap();
    let (listener, at) = notes.take().remove(0);
    let client = hub.connect(&at).unwrap();
    let ready = Wait::acceptable(listener).within(PATIENCE);
    assert!(matches!(hub.wait(ready).unwrap(), Wake::Ready));
    assert!(hub.accept(listener).unwrap().is_some());
    hub.close_stream(client);

    hub.kill(keeper);
    hub.sleep(ms(1)).unwrap();
    let error = hub.accept(listener).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);
}
