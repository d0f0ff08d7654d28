//! Readiness: no edge is lost, no end is missed, and nobody hears of a stream that is not his.

use super::*;

#[test]
fn an_edge_that_comes_while_nobody_waits_is_not_lost() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 16];
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    // The event comes and goes here.
    hub.sleep(ms(5)).unwrap();
    let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
    assert!(matches!(wake, Wake::Ready), "{wake:?}");
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), Some(1));
}

#[test]
fn a_read_that_does_not_take_everything_leaves_the_stream_readable() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    theirs.write_all(b"abcd").unwrap();
    let mut buffer = [0; 2];
    for _ in 0..2 {
        let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
        assert!(matches!(wake, Wake::Ready), "{wake:?}");
        assert_eq!(hub.read(stream, &mut buffer).unwrap(), Some(2));
    }
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    let wake = hub.wait(Wait::readable(stream).within(ms(10))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn the_end_is_read_behind_the_bytes_that_came_with_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 64];
    assert_eq!(hub.read(stream, &mut buffer).unwrap(), None);
    theirs.write_all(b"last words").unwrap();
    drop(theirs);
    let mut reads = Vec::new();
    while reads.last() != Some(&0) {
        let wake = hub.wait(Wait::readable(stream).within(PATIENCE)).unwrap();
        assert!(matches!(wake, Wake::Ready), "{wake:?}");
        reads.extend(hub.read(stream, &mut buffer).unwrap());
    }
    assert_eq!(reads, [10, 0]);
}

#[test]
fn a_write_to_a_stream_whose_other_end_is_gone_fails() {
    let mut hub = Hub::new().unwrap();
    let (stream, theirs) = pair(&mut hub);
    drop(theirs);
    let error = hub.write(stream, b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed, "{error}");
}

#[test]
fn a_late_event_of_a_closed_stream_does_not_reach_the_one_in_its_place() {
    let (mut hub, tap) = tapped();
    let (old, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 8];
    assert_eq!(hub.read(old, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    let _ = hub.wait(Wait::readable(old).within(PATIENCE)).unwrap();
    let late = tap.events();
    assert!(late.iter().any(|event| event.readable));
    hub.close_stream(old);
    hub.turn().unwrap();
    // The new one gets the slots of the old, in the hub and in the driver.
    let (new, _theirs) = pair(&mut hub);
    assert_eq!(hub.read(new, &mut buffer).unwrap(), None);
    tap.report(late);
    let wake = hub.wait(Wait::readable(new).within(ms(20))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
}

#[test]
fn an_event_that_is_pending_when_its_stream_is_closed_is_dropped() {
    let (mut hub, tap) = tapped();
    let (old, mut theirs) = pair(&mut hub);
    let mut buffer = [0; 8];
    assert_eq!(hub.read(old, &mut buffer).unwrap(), None);
    theirs.write_all(b"x").unwrap();
    hub.close_stream(old);
    let (new, _theirs) = pair(&mut hub);
    assert_eq!(hub.read(new, &mut buffer).unwrap(), None);
    let wake = hub.wait(Wait::readable(new).within(ms(20))).unwrap();
    assert!(matches!(wake, Wake::Deadline), "{wake:?}");
    assert_eq!(tap.closes(), 1);
}

#[test]
fn both_ends_of_a_pair_can_wait_on_one_hub() {
    let mut hub = Hub::new().unwrap();
    let (a, b) = UnixStream::pair().unwrap();
    let (a, b) = (hub.adopt(a).unwrap(), hub.adopt(b).unwrap());
    let notes = Notes::new();
    let inner = notes.clone();
    let reader = hub.spawn(move |hub, _wake| {
        let mut buffer = [0; 8];
        match hub.read(a, &mut buffer)? {
            Some(count) => {
                inner.add(buffer[..count].to_vec());
                Ok(Wait::done())
            }
            None => Ok(Wait::readable(a)),
        }
    });
    hub.sleep(ms(1)).unwrap();
    assert_eq!(hub.write(b, b"hello").unwrap(), Some(5));
    hub.join(reader).unwrap();
    assert_eq!(notes.take(), [b"hello"]);
}

#[test]
fn several_tasks_may_wait_for_one_stream() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    assert_eq!(hub.read(stream, &mut [0; 8]).unwrap(), None);
    let notes = Notes::new();
    let tasks = [(); 3].map(|()| {
        let notes = notes.clone();
        hub.spawn(move |_hub, wake| match wake {
            Wake::Start => Ok(Wait::readable(stream).within(PATIENCE)),
            wake => {
                notes.add(format!("{wake:?}"));
                Ok(Wait::done())
            }
        })
    });
    hub.sleep(ms(1)).unwrap();
    theirs.write_all(b"x").unwrap();
    hub.join_all(&tasks).unwrap();
    assert_eq!(notes.take(), ["Ready"; 3]);
}

#[test]
fn a_stream_that_a_task_has_stopped_waiting_for_does_not_wake_it() {
    let mut hub = Hub::new().unwrap();
    let (stream, mut theirs) = pair(&mut hub);
    assert_eq!(hub.read(stream, &mut [0; 8]).unwrap(), None);
    let notes = Notes::new();
    let inner = notes.clone();
    let task = hub.spawn(move |_hub, wake| {
        inner.add(format!("{wake:?}"));
        Ok(match wake {
            Wake::Start => Wait::readable(stream).within(ms(1)),
            Wake::Deadline => Wait::sleep(ms(30)),
            _ => Wait::done(),
        })
    });
    while notes.len() < 2 {
        hub.sleep(ms(1)).unwrap();
    }
    theirs.write_all(b"x").unwrap();
    hub.join(task).unwrap();
    assert_eq!(notes.take(), ["Start", "Deadline", "Elapsed"]);
}
