//! Chapter 4.

use super::super::budget::resume_tasks;
use super::super::doubling::Doubling;
use super::super::poll_timeout::poll_timeout as timeout;
use greenroom::sim::Sim;
use greenroom::{Hub, ms};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

pub fn poll_timeout() {
    assert_eq!(timeout(true, None), 0);
    assert_eq!(timeout(true, Some(ms(5))), 0, "work does not wait");
    assert_eq!(timeout(false, None), -1, "nothing to wake for");
    assert_eq!(timeout(false, Some(Duration::ZERO)), 0, "it is due");
    assert_eq!(timeout(false, Some(ms(5))), 5);
    let a_bit = Duration::from_nanos(1);
    assert_eq!(timeout(false, Some(a_bit)), 1, "0 would be too early");
    assert_eq!(timeout(false, Some(ms(5) + a_bit)), 6);
    assert_eq!(timeout(false, Some(Duration::MAX)), i32::MAX);
}

pub fn budget() {
    let mut resumed = Vec::new();
    let mut turn = |line: &mut VecDeque<u32>, most| {
        resumed.clear();
        let count = resume_tasks(line, most, |task, line| {
            resumed.push(task);
            assert!(resumed.len() < 100, "this turn never ends");
            if task % 2 == 1 {
                line.push_back(task);
            }
        });
        assert_eq!(count, resumed.len());
        resumed.clone()
    };
    let mut line = VecDeque::from([1, 2, 3]);
    assert_eq!(turn(&mut line, 10), [1, 2, 3], "nobody twice in a turn");
    assert_eq!(line, [1, 3]);
    line.extend([4, 5]);
    assert_eq!(turn(&mut line, 2), [1, 3]);
    assert_eq!(line, [4, 5, 1, 3], "those left over keep their place");
    assert_eq!(turn(&mut line, 3), [4, 5, 1]);
    assert_eq!(line, [3, 5, 1]);
    assert_eq!(turn(&mut line, 0), [0; 0]);
    assert_eq!(turn(&mut VecDeque::new(), 5), [0; 0]);
}

pub fn doubling() {
    let notes = Rc::default();
    let mut hub = Hub::simulated(&Sim::new(1));
    let task = hub.spawn_task(Doubling::new(ms(10), 4, Rc::clone(&notes)));
    let idle = hub.spawn_task(Doubling::new(ms(10), 0, Rc::clone(&notes)));
    hub.join(task).unwrap();
    hub.join(idle).unwrap();
    let times: Vec<_> = notes.borrow().iter().map(|time| time.as_nanos()).collect();
    let times: Vec<_> = times.into_iter().map(Duration::from_nanos).collect();
    for (time, due) in times.iter().zip([10, 30, 70, 150].map(ms)) {
        assert!(*time >= due, "early: {times:?}");
        assert!(*time < due + ms(2), "late: {times:?}");
    }
    assert_eq!(times.len(), 4, "{times:?}");

    let killed = Rc::new(RefCell::new(Vec::new()));
    let task = hub.spawn_task(Doubling::new(ms(10), 4, Rc::clone(&killed)));
    hub.sleep(ms(1)).unwrap();
    hub.notify(task);
    let error = hub.join(task).unwrap_err();
    assert!(error.to_string().contains("Notified"), "{error}");
    assert!(killed.borrow().is_empty());
}
