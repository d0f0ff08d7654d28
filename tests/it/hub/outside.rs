//! What comes from outside: other threads, and a kernel with whims.

use super::*;

#[test]
fn a_notify_from_another_thread_wakes_a_hub_that_sleeps() {
    let mut hub = Hub::new().unwrap();
    let remote = hub.remote().unwrap();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::sleep(PATIENCE));
    hub.turn().unwrap();
    let (asleep, start) = mpsc::channel();
    let thread = thread::spawn(move || {
        start.recv().unwrap();
        // Most likely the hub is in its poll by then; if it is not, the notify ends the next
        // one.
        thread::sleep(ms(10));
        remote.notify(task).unwrap();
    });
    asleep.send(()).unwrap();
    let before = Instant::now();
    hub.join(task).unwrap();
    thread.join().unwrap();
    assert_eq!(notes.take(), ["Notified"]);
    assert!(before.elapsed() < PATIENCE / 4, "{:?}", before.elapsed());
}

#[test]
fn an_idle_hub_makes_no_turn() {
    let mut hub = Hub::new().unwrap();
    let remote = hub.remote().unwrap();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::notified());
    hub.turn().unwrap();
    let turns = hub.stats().turns;
    let thread = thread::spawn(move || {
        thread::sleep(ms(60));
        remote.notify(task).unwrap();
    });
    hub.join(task).unwrap();
    thread.join().unwrap();
    let made = hub.stats().turns - turns;
    assert!(made <= 2, "one turn to wake it and to tell main: {made}");
}

#[test]
fn notifies_from_many_threads_reach_their_tasks() {
    let mut hub = Hub::new().unwrap();
    let remote = hub.remote().unwrap();
    let notes = Notes::new();
    let tasks: Vec<_> = (0..40)
        .map(|_| waiter(&mut hub, &notes, Wait::notified()))
        .collect();
    let threads: Vec<_> = tasks
        .chunks(10)
        .map(|tasks| {
            let (remote, tasks) = (remote.clone(), tasks.to_vec());
            thread::spawn(move || {
                for task in tasks {
                    remote.notify(task).unwrap();
                }
            })
        })
        .collect();
    hub.join_all(&tasks).unwrap();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(notes.take(), ["Notified"; 40]);
}

#[test]
fn a_notify_from_another_thread_for_a_task_that_has_ended_reaches_nobody() {
    let mut hub = Hub::new().unwrap();
    let remote = hub.remote().unwrap();
    let ended = lasting(&mut hub, Duration::ZERO);
    hub.join(ended).unwrap();
    let notes = Notes::new();
    let task = waiter(&mut hub, &notes, Wait::sleep(ms(5)));
    remote.notify(ended).unwrap();
    hub.join(task).unwrap();
    assert_eq!(notes.take(), ["Elapsed"]);
}

#[test]
fn a_hub_that_can_be_notified_from_outside_is_never_stuck() {
    let mut hub = Hub::new().unwrap();
    let remote = hub.remote().unwrap();
    let main = hub.main();
    let thread = thread::spawn(move || remote.notify(main).unwrap());
    let wake = hub.wait(Wait::notified()).unwrap();
    assert!(matches!(wake, Wake::Notified), "{wake:?}");
    thread.join().unwrap();
}

#[test]
fn a_poll_that_a_signal_interrupts_wakes_nobody_early() {
    let (kernel, tap) = Tapped::new();
    let mut hub = Hub::with_driver(kernel);
    tap.interrupt_polls(5);
    let start = Instant::now();
    hub.sleep(ms(10)).unwrap();
    assert!(start.elapsed() >= ms(10));
    assert!(tap.polls() >= 6, "{}", tap.polls());
    assert_eq!(hub.stats().polls, tap.polls() as u64);
}

#[test]
fn a_hub_that_sleeps_polls_once() {
    let (kernel, tap) = Tapped::new();
    let mut hub = Hub::with_driver(kernel);
    hub.sleep(ms(5)).unwrap();
    // One that sleeps, and one more where the kernel's milliseconds and the wheel's ticks do
    // not meet.
    assert!((1..=3).contains(&tap.polls()), "{}", tap.polls());
}

#[test]
fn a_poll_that_fails_is_an_error_of_the_call_that_made_it() {
    let (kernel, tap) = Tapped::new();
    let mut hub = Hub::with_driver(kernel);
    tap.fail_poll();
    let error = hub.sleep(ms(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    hub.sleep(ms(1)).unwrap();
}

#[test]
fn a_wait_that_a_failed_poll_has_ended_does_not_end_the_next_one() {
    let (kernel, tap) = Tapped::new();
    let mut hub = Hub::with_driver(kernel);
    tap.fail_poll();
    hub.sleep(ms(5)).unwrap_err();
    assert_eq!(hub.timers_armed(), 0, "its timer was taken back");
    let start = Instant::now();
    hub.sleep(ms(30)).unwrap();
    assert!(start.elapsed() >= ms(30), "{:?}", start.elapsed());
}

#[test]
fn a_poll_that_fails_while_main_stands_in_line_does_not_end_its_next_wait() {
    let (kernel, tap) = Tapped::new();
    let mut hub = Hub::with_driver(kernel);
    for over in [Wait::done(), Wait::until(Time::ZERO)] {
        tap.fail_poll();
        let error = hub.wait(over).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        let start = Instant::now();
        let wake = hub.wait(Wait::sleep(ms(30)).within(secs(9))).unwrap();
        assert!(matches!(wake, Wake::Elapsed), "{wake:?}");
        assert!(start.elapsed() >= ms(30), "{:?}", start.elapsed());
    }
    assert_eq!(hub.timers_armed(), 0);
}

#[test]
fn until_gives_a_condition_time_to_come_true() {
    let mut calls = 0;
    until(|| {
        calls += 1;
        calls == 3
    });
    assert_eq!(calls, 3);
}
