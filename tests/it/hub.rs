//! Tasks and their waits, without any server.
//!
//! What is about time runs on a [`Clockwork`], whose clock stands still until the hub sleeps: such a test takes no
//! time at all, and knows every moment exactly. What is about the kernel runs on the real one.

use crate::kernel::{Clockwork, Tapped};
use crate::notes::Notes;
use crate::peer::{PATIENCE, until};
use greenroom::{
    Error, ErrorKind, Failure, Hub, Missed, Result, TaskId, Time, Wait, Wake, ms, secs,
};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A deadline is rounded up to the next tick of the wheel, which is 2^17 ns long.
const TICK: Duration = Duration::from_nanos(1 << 17);

fn clockwork() -> (Hub, Clockwork) {
    let kernel = Clockwork::new();
    (Hub::with_driver(kernel.clone()), kernel)
}

/// A task that waits once, and notes with what it was woken.
fn waiter(hub: &mut Hub, notes: &Notes<String>, wait: Wait) -> TaskId {
    let notes = notes.clone();
    hub.spawn(move |_hub, wake| match wake {
        Wake::Start => Ok(wait),
        wake => {
            notes.add(format!("{wake:?}"));
            Ok(Wait::done())
        }
    })
}

/// A task that fails at once.
fn failing(hub: &mut Hub, why: &'static str) -> TaskId {
    hub.spawn(move |_hub, _wake| Err(Error::new(ErrorKind::Config, why)))
}

/// A task that ends after a while.
fn lasting(hub: &mut Hub, time: Duration) -> TaskId {
    hub.spawn(move |_hub, wake| match wake {
        Wake::Start => Ok(Wait::sleep(time)),
        _ => Ok(Wait::done()),
    })
}

/// A task that does `act` when it starts, and ends.
fn acting(hub: &mut Hub, mut act: impl FnMut(&mut Hub) + 'static) -> TaskId {
    hub.spawn(move |hub, _wake| {
        act(hub);
        Ok(Wait::done())
    })
}

/// What a hub without a hook of its own would log.
fn failures(hub: &mut Hub) -> Notes<Failure> {
    let notes = Notes::new();
    let hook = notes.clone();
    hub.on_error(move |failure| hook.add(failure.clone()));
    notes
}

mod turns {
    use super::*;

    #[test]
    fn tasks_run_in_the_order_in_which_they_were_spawned() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        for number in 0..2000 {
            let notes = notes.clone();
            acting(&mut hub, move |_| notes.add(number));
        }
        hub.run().unwrap();
        assert_eq!(notes.take(), (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn a_task_that_a_task_spawns_runs_in_the_next_turn() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        acting(&mut hub, move |hub| {
            inner.add(hub.stats().turns);
            let inner = inner.clone();
            acting(hub, move |hub| inner.add(hub.stats().turns));
        });
        hub.run().unwrap();
        assert_eq!(notes.take(), [1, 2]);
    }

    #[test]
    fn a_sleep_of_zero_lets_all_others_go_first() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        for name in ["a", "b", "c"] {
            let notes = notes.clone();
            let mut rounds = 0;
            hub.spawn(move |_hub, _wake| {
                notes.add(name);
                rounds += 1;
                Ok(if rounds < 3 {
                    Wait::sleep(Duration::ZERO)
                } else {
                    Wait::done()
                })
            });
        }
        hub.run().unwrap();
        assert_eq!(notes.take(), ["a", "b", "c", "a", "b", "c", "a", "b", "c"]);
    }

    #[test]
    fn a_task_that_never_sleeps_does_not_keep_a_timer_from_firing() {
        let mut hub = Hub::new().unwrap();
        let spinner = hub.spawn(|_hub, _wake| Ok(Wait::sleep(Duration::ZERO)));
        hub.sleep(ms(5)).unwrap();
        hub.kill(spinner);
        hub.run().unwrap();
    }

    #[test]
    fn the_time_stands_still_within_a_turn() {
        let (mut hub, kernel) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        acting(&mut hub, move |hub| {
            let before = hub.now();
            kernel.pass(secs(1));
            inner.add(hub.now().since(before));
        });
        hub.run().unwrap();
        assert_eq!(notes.take(), [Duration::ZERO]);
        assert_eq!(hub.now(), Time::ZERO + secs(1));
    }

    #[test]
    fn run_returns_when_nothing_is_left_to_wait_for() {
        let (mut hub, _) = clockwork();
        hub.run().unwrap();
        assert_eq!(hub.stats().turns, 0);
        let waits = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
        lasting(&mut hub, secs(1));
        hub.run().unwrap();
        assert_eq!(hub.now().since(Time::ZERO).as_secs(), 1);
        assert!(!hub.is_ended(waits), "it may still be notified");
    }

    #[test]
    fn the_hub_names_the_tasks_that_have_not_ended() {
        let (mut hub, _) = clockwork();
        let short = lasting(&mut hub, ms(1));
        let long = lasting(&mut hub, ms(9));
        let broken = failing(&mut hub, "on purpose");
        assert_eq!(hub.tasks(), [short, long, broken]);
        hub.sleep(ms(5)).unwrap();
        assert_eq!(hub.tasks(), [long]);
        assert!(hub.is_ended(short) && hub.is_ended(broken) && !hub.is_ended(long));
    }

    #[test]
    fn a_task_that_is_running_has_not_ended() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let task = acting(&mut hub, move |hub| {
            for task in hub.tasks() {
                inner.add((task, hub.is_ended(task)));
            }
        });
        hub.join(task).unwrap();
        assert_eq!(notes.take(), [(task, false)]);
    }
}

/// Each wait ends in exactly one of four ways.
mod waits {
    use super::*;

    #[test]
    fn a_wait_ends_by_its_event() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let other = lasting(&mut hub, ms(5));
        waiter(&mut hub, &notes, Wait::join(other).within(ms(10)));
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Joined(Ok(()))"]);
        assert_eq!(hub.timers_armed(), 0, "the deadline was taken back");
        assert!(hub.now() < Time::ZERO + ms(6));
    }

    #[test]
    fn a_wait_ends_by_its_deadline() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let other = lasting(&mut hub, ms(10));
        waiter(&mut hub, &notes, Wait::join(other).within(ms(5)));
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Deadline"]);
    }

    #[test]
    fn a_wait_ends_by_a_notify() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let task = waiter(&mut hub, &notes, Wait::sleep(secs(9)).within(secs(5)));
        hub.sleep(ms(1)).unwrap();
        assert!(hub.notify(task));
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Notified"]);
        assert_eq!(hub.timers_armed(), 0, "the sleep was taken back");
    }

    #[test]
    fn a_wait_ends_by_a_kill() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let task = waiter(&mut hub, &notes, Wait::sleep(secs(9)).within(secs(5)));
        hub.sleep(ms(1)).unwrap();
        hub.kill(task);
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Killed"]);
        assert_eq!(hub.timers_armed(), 0, "the sleep was taken back");
    }

    #[test]
    fn event_deadline_notify_and_kill_in_one_turn_end_a_wait_once() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let other = lasting(&mut hub, ms(5));
        let inner = notes.clone();
        let task = hub.spawn(move |_hub, wake| {
            inner.add(format!("{wake:?}"));
            Ok(match wake {
                Wake::Start => Wait::join(other).within(ms(5)),
                _ => Wait::sleep(secs(1)),
            })
        });
        hub.spawn(move |hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(5))),
            _ => {
                hub.notify(task);
                hub.kill(task);
                Ok(Wait::done())
            }
        });
        hub.run().unwrap();
        assert_eq!(notes.take().len(), 2, "Start, and one end of the wait");
        assert!(hub.is_ended(task));
    }

    #[test]
    fn a_sleep_that_is_cut_short_by_its_deadline_says_so() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        waiter(&mut hub, &notes, Wait::sleep(ms(10)).within(ms(5)));
        waiter(&mut hub, &notes, Wait::sleep(ms(10)).within(ms(15)));
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Deadline", "Elapsed"]);
    }

    #[test]
    fn a_wait_until_a_time_that_is_past_ends_in_the_next_turn() {
        let (mut hub, kernel) = clockwork();
        kernel.pass(secs(1));
        let notes = Notes::new();
        waiter(&mut hub, &notes, Wait::until(Time::ZERO));
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Elapsed"]);
        assert_eq!((hub.stats().turns, hub.now()), (2, Time::ZERO + secs(1)));
    }

    #[test]
    fn a_notify_before_the_wait_ends_it_at_once() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let task = waiter(&mut hub, &notes, Wait::sleep(secs(1)));
        assert!(hub.notify(task), "it stands in line and does not wait yet");
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Notified"]);
        assert_eq!(hub.now(), Time::ZERO);
    }

    #[test]
    fn several_notifies_before_the_wait_count_as_one() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let task = hub.spawn(move |_hub, wake| {
            inner.add(format!("{wake:?}"));
            Ok(match wake {
                Wake::Elapsed => Wait::done(),
                _ => Wait::sleep(ms(1)),
            })
        });
        for _ in 0..3 {
            hub.notify(task);
        }
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Start", "Notified", "Elapsed"]);
    }

    #[test]
    fn a_task_that_notifies_itself_finds_its_next_wait_ended() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let myself = Rc::new(Cell::new(None));
        let (inner, name) = (notes.clone(), Rc::clone(&myself));
        let task = hub.spawn(move |hub, wake| {
            inner.add(format!("{wake:?}"));
            if let Wake::Start = wake {
                assert!(hub.notify(name.get().unwrap()));
                return Ok(Wait::sleep(secs(1)));
            }
            Ok(Wait::done())
        });
        myself.set(Some(task));
        hub.join(task).unwrap();
        assert_eq!(notes.take(), ["Start", "Notified"]);
    }

    #[test]
    fn main_is_notified_as_any_task() {
        let (mut hub, _) = clockwork();
        let main = hub.main();
        acting(&mut hub, move |hub| assert!(hub.notify(main)));
        let wake = hub.wait(Wait::notified().within(secs(1))).unwrap();
        assert!(matches!(wake, Wake::Notified), "{wake:?}");
        assert_eq!(hub.now(), Time::ZERO);
    }

    #[test]
    fn a_joiner_that_was_notified_is_not_woken_by_the_end_of_the_other() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let other = lasting(&mut hub, ms(10));
        let inner = notes.clone();
        let joiner = hub.spawn(move |_hub, wake| {
            inner.add(format!("{wake:?}"));
            Ok(match wake {
                Wake::Start => Wait::join(other),
                Wake::Notified => Wait::sleep(ms(50)),
                _ => Wait::done(),
            })
        });
        hub.sleep(ms(5)).unwrap();
        hub.notify(joiner);
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Start", "Notified", "Elapsed"]);
        assert!(hub.now() >= Time::ZERO + ms(55));
    }

    #[test]
    fn a_join_that_main_was_notified_out_of_does_not_end_its_next_wait() {
        let (mut hub, _) = clockwork();
        let main = hub.main();
        let other = lasting(&mut hub, ms(10));
        acting(&mut hub, move |hub| assert!(hub.notify(main)));
        let error = hub.join(other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
        hub.sleep(ms(50)).unwrap();
        assert!(hub.now() >= Time::ZERO + ms(50), "{:?}", hub.now());
    }

    #[test]
    fn main_that_waits_for_nothing_is_told_that_it_would_wait_for_ever() {
        let (mut hub, _) = clockwork();
        let waits = hub.spawn(|_hub, _wake| Ok(Wait::notified()));
        let error = hub.wait(Wait::notified()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        let error = hub.join(waits).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadlock, "{error}");
        hub.sleep(ms(1)).unwrap();
    }

    #[test]
    fn a_name_that_has_gone_stale_reaches_nobody() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let first = lasting(&mut hub, ms(1));
        hub.join(first).unwrap();
        // It gets the place in the table that the first has left.
        waiter(&mut hub, &notes, Wait::sleep(ms(5)));
        hub.sleep(ms(1)).unwrap();
        assert!(!hub.notify(first));
        hub.kill(first);
        hub.detach(first);
        assert!(hub.is_ended(first));
        hub.join(first).unwrap();
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Elapsed"]);
    }
}

mod kills {
    use super::*;

    #[test]
    fn a_task_that_was_never_started_is_never_resumed() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let task = hub.spawn(move |_hub, wake| {
            inner.add(format!("{wake:?}"));
            Ok(Wait::done())
        });
        hub.kill(task);
        hub.join(task).unwrap();
        assert_eq!(notes.len(), 0);
        assert!(hub.is_ended(task));
    }

    #[test]
    fn a_task_that_stands_in_line_learns_that_it_was_killed_and_nothing_else() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let victim = waiter(&mut hub, &notes, Wait::notified());
        let killer = hub.spawn(move |hub, wake| match wake {
            Wake::Start => Ok(Wait::notified()),
            _ => {
                hub.kill(victim);
                Ok(Wait::done())
            }
        });
        hub.turn().unwrap();
        hub.notify(killer);
        hub.notify(victim);
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Killed"]);
    }

    #[test]
    fn a_task_that_kills_itself_ends_when_it_returns() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let notes = Notes::new();
        let myself = Rc::new(Cell::new(None));
        let (inner, name) = (notes.clone(), Rc::clone(&myself));
        let task = hub.spawn(move |hub, wake| {
            hub.kill(name.get().unwrap());
            inner.add(format!("{wake:?}"));
            Ok(Wait::sleep(secs(1)))
        });
        myself.set(Some(task));
        hub.join(task).unwrap();
        assert_eq!(notes.take(), ["Start"]);
        assert_eq!((failures.len(), hub.timers_armed()), (0, 0));
    }

    #[test]
    fn a_kill_is_delivered_once_however_often_it_is_asked_for() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let task = hub.spawn(move |_hub, wake| {
            inner.add(format!("{wake:?}"));
            Ok(Wait::sleep(secs(1)))
        });
        hub.sleep(ms(1)).unwrap();
        hub.kill(task);
        hub.kill(task);
        hub.turn().unwrap();
        hub.kill(task);
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Start", "Killed"]);
        assert!(hub.is_ended(task), "whatever it returned");
    }

    #[test]
    fn a_task_that_kills_another_and_joins_it_sees_it_end_well() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let victim = lasting(&mut hub, secs(9));
        let inner = notes.clone();
        hub.spawn(move |hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(1))),
            Wake::Elapsed => {
                hub.kill(victim);
                Ok(Wait::join(victim))
            }
            wake => {
                inner.add(format!("{wake:?}"));
                Ok(Wait::done())
            }
        });
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Joined(Ok(()))"]);
    }

    #[test]
    fn an_error_on_the_way_out_of_a_killed_task_is_not_a_failure() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let task = hub.spawn(|_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(secs(1))),
            wake => Err(wake.unexpected()),
        });
        hub.sleep(ms(1)).unwrap();
        hub.kill(task);
        hub.join(task).unwrap();
        assert_eq!((failures.len(), hub.stats().failures), (0, 0));
    }

    #[test]
    fn main_cannot_be_killed() {
        let (mut hub, _) = clockwork();
        let main = hub.main();
        acting(&mut hub, move |hub| hub.kill(main));
        hub.sleep(ms(5)).unwrap();
        assert!(hub.now() >= Time::ZERO + ms(5));
    }

    #[test]
    fn a_killed_joiner_is_forgotten_by_whom_it_joined() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let other = hub.spawn(|_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(5))),
            _ => Err(Error::new(ErrorKind::Config, "on purpose")),
        });
        let notes = Notes::new();
        let joiner = waiter(&mut hub, &notes, Wait::join(other));
        hub.sleep(ms(1)).unwrap();
        hub.kill(joiner);
        hub.run().unwrap();
        assert_eq!(notes.take(), ["Killed"]);
        assert_eq!(failures.len(), 1);
        let error = hub.join(other).unwrap_err();
        assert_eq!(error.to_string(), "on purpose", "kept for who asks next");
    }
}

mod failing_tasks {
    use super::*;

    #[test]
    fn a_panic_ends_its_task_and_nothing_else() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let line = line!() + 1;
        let task = hub.spawn(|_hub, _wake| panic!("on {}", "purpose"));
        let other = lasting(&mut hub, ms(5));
        hub.run().unwrap();
        let told = failures.take();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].task, told[0].spawned_at.line()), (task, line));
        assert!(told[0].spawned_at.file().ends_with("hub.rs"));
        assert_eq!(told[0].error.to_string(), "panicked: on purpose");
        let error = hub.join(task).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Task, "panicked: on purpose")
        );
        hub.join(other).unwrap();
        assert_eq!(hub.stats().failures, 1);
    }

    #[test]
    fn the_error_of_a_task_is_told_once() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let task = failing(&mut hub, "on purpose");
        hub.run().unwrap();
        assert_eq!(failures.len(), 1);
        let error = hub.join(task).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Config, "on purpose")
        );
        hub.join(task).unwrap();
    }

    #[test]
    fn everybody_who_joins_before_the_end_learns_how_it_was() {
        let (mut hub, _) = clockwork();
        let _ = failures(&mut hub);
        let notes = Notes::new();
        let task = failing(&mut hub, "on purpose");
        for _ in 0..3 {
            // Spawned behind it, they run behind it: only their names stand in front.
            waiter(&mut hub, &notes, Wait::join(task));
        }
        let slow = hub.spawn(|_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(5))),
            _ => Err(Error::new(ErrorKind::Config, "later")),
        });
        for _ in 0..3 {
            waiter(&mut hub, &notes, Wait::join(slow));
        }
        hub.run().unwrap();
        let told = notes.take();
        assert_eq!(told[0], "Joined(Err(Config: on purpose))");
        assert_eq!(told[1..3], ["Joined(Ok(()))", "Joined(Ok(()))"]);
        assert_eq!(told[3..], ["Joined(Err(Config: later))"; 3]);
    }

    #[test]
    fn joining_a_task_that_has_ended_takes_no_turn() {
        let (mut hub, _) = clockwork();
        let task = lasting(&mut hub, ms(1));
        hub.run().unwrap();
        let turns = hub.stats().turns;
        hub.join(task).unwrap();
        hub.join_all(&[task, task]).unwrap();
        assert_eq!(hub.stats().turns, turns);
    }

    #[test]
    fn join_all_says_how_many_have_failed_and_how_the_first() {
        let (mut hub, _) = clockwork();
        let _ = failures(&mut hub);
        let slow = hub.spawn(|_hub, wake| match wake {
            Wake::Start => Ok(Wait::sleep(ms(5))),
            _ => Err(Error::new(ErrorKind::Config, "the slow one")),
        });
        let fine = lasting(&mut hub, ms(9));
        let fast = failing(&mut hub, "the fast one");
        let error = hub.join_all(&[slow, fine, fast]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Task);
        let text = "2 of 3 tasks failed, the first: the slow one";
        assert_eq!(error.to_string(), text);
        assert!(hub.is_ended(fine), "it waited for all of them");
    }

    #[test]
    fn the_failure_of_a_detached_task_is_told_to_the_hook_alone() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let before = failing(&mut hub, "detached before");
        let after = failing(&mut hub, "detached after");
        hub.detach(before);
        hub.run().unwrap();
        hub.detach(after);
        assert_eq!(failures.len(), 2);
        hub.join(before).unwrap();
        hub.join(after).unwrap();
    }

    /// What a task gets that calls something which would make turns within its turn.
    fn refused(call: impl Fn(&mut Hub, TaskId) -> Result<()> + 'static) -> String {
        let (mut hub, _) = clockwork();
        let other = lasting(&mut hub, ms(5));
        let notes = Notes::new();
        let inner = notes.clone();
        let task = acting(&mut hub, move |hub| {
            let turns = hub.stats().turns;
            let error = call(hub, other).expect_err("it is refused");
            assert_eq!(error.kind(), ErrorKind::Misuse);
            assert_eq!(hub.stats().turns, turns);
            inner.add(error.to_string());
        });
        hub.join(task).unwrap();
        let text = notes.take().remove(0);
        assert!(text.starts_with(&format!("{task:?}")), "{text}");
        assert!(text.contains("hub.rs:"), "where it was spawned: {text}");
        text
    }

    #[test]
    fn a_task_cannot_run_the_hub_that_runs_it() {
        assert!(refused(|hub, _| hub.run()).contains("Hub::run"));
        assert!(refused(|hub, _| hub.turn()).contains("Hub::turn"));
        assert!(refused(|hub, _| hub.sleep(ms(1))).contains("Hub::wait"));
        let wait = |hub: &mut Hub, _| hub.wait(Wait::notified()).map(drop);
        assert!(refused(wait).contains("Hub::wait"));
        assert!(refused(|hub, other| hub.join(other)).contains("Hub::join"));
        let join_all = |hub: &mut Hub, other| hub.join_all(&[other]);
        assert!(refused(join_all).contains("Hub::join_all"));
    }
}

mod timers {
    use super::*;

    /// Numbers that look random and are the same each time.
    fn scattered(count: usize, below: u64) -> Vec<u64> {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        (0..count).map(|_| next()).collect()
    }

    /// Tasks that sleep for so many microseconds: how late each woke, in the order in which they did.
    fn wake_up(hub: &mut Hub, micros: &[u64]) -> Vec<(Time, Duration)> {
        let notes = Notes::new();
        for &micros in micros {
            let notes = notes.clone();
            let mut due = Time::ZERO;
            hub.spawn(move |hub, wake| {
                let sleep = Duration::from_micros(micros);
                if let Wake::Start = wake {
                    due = hub.now() + sleep;
                    return Ok(Wait::sleep(sleep));
                }
                assert!(hub.now() >= due, "early");
                notes.add((due, hub.now().since(due)));
                Ok(Wait::done())
            });
        }
        hub.run().unwrap();
        notes.take()
    }

    #[test]
    fn sleepers_wake_in_order_and_never_early_and_less_than_a_tick_late() {
        let (mut hub, _) = clockwork();
        // From microseconds to hours: all levels of the wheel.
        let mut sleeps = scattered(500, 1_000);
        sleeps.extend(scattered(500, 1_000_000));
        sleeps.extend(scattered(500, 10_000_000_000));
        let woken = wake_up(&mut hub, &sleeps);
        assert_eq!(woken.len(), sleeps.len());
        for pair in woken.windows(2) {
            assert!(pair[0].0 < pair[1].0 + TICK, "out of order: {pair:?}");
        }
        let latest = woken.iter().map(|(_, late)| *late).max().unwrap();
        assert!(latest < TICK, "{latest:?} late");
    }

    #[test]
    fn a_hub_that_was_held_up_wakes_all_who_are_due_in_order() {
        let (mut hub, kernel) = clockwork();
        kernel.oversleep(secs(60));
        let woken = wake_up(&mut hub, &[30_000_000, 5_000, 70_000_000, 1_000_000]);
        let due: Vec<_> = woken.iter().map(|(due, _)| *due).collect();
        let wanted = [ms(5), secs(1), secs(30), secs(70)];
        assert_eq!(due, wanted.map(|after| Time::ZERO + after));
        assert!(woken[3].1 < TICK, "the last was not due yet");
    }

    #[test]
    fn a_timer_that_is_armed_while_the_wheel_moves_is_neither_early_nor_lost() {
        let (mut hub, kernel) = clockwork();
        let notes = Notes::new();
        for step in scattered(200, 40_000) {
            let notes = notes.clone();
            let mut due = Time::ZERO;
            let mut rounds = 0;
            hub.spawn(move |hub, wake| {
                if let Wake::Elapsed = wake {
                    notes.add((hub.now() >= due, hub.now().since(due)));
                }
                rounds += 1;
                if rounds > 20 {
                    return Ok(Wait::done());
                }
                let sleep = Duration::from_micros(step * rounds + 1);
                due = hub.now() + sleep;
                Ok(Wait::sleep(sleep))
            });
        }
        // The wheel moves over many slots at once, and then by single ones.
        for by in [ms(3), secs(2), ms(70), ms(1), ms(9)] {
            kernel.oversleep(by);
        }
        hub.run().unwrap();
        let woken = notes.take();
        assert_eq!(woken.len(), 200 * 20);
        assert!(woken.iter().all(|(in_time, _)| *in_time), "early");
        let late = woken.iter().filter(|(_, late)| *late >= TICK).count();
        assert!(late < 5 * 200, "{late} were late, also without a reason");
    }

    #[test]
    fn a_hub_sleeps_once_for_a_timer_however_far_away() {
        let (mut hub, kernel) = clockwork();
        let task = lasting(&mut hub, secs(3));
        hub.join(task).unwrap();
        let naps = kernel.naps();
        assert!(
            naps.len() <= 6,
            "one poll for each level of the wheel at most: {naps:?}"
        );
    }

    #[test]
    fn a_real_sleep_is_not_early_and_hardly_late() {
        let mut hub = Hub::new().unwrap();
        let start = Instant::now();
        hub.sleep(ms(20)).unwrap();
        let slept = start.elapsed();
        assert!(slept >= ms(20), "{slept:?}");
        assert!(slept < ms(500), "{slept:?}");
    }
}

mod every {
    use super::*;

    /// The first ticks of a cron task with a period of 200 ms that is held up when its second tick is due at 400, as
    /// in the table of its documentation: when it ran, for when, and how many it has left out. In milliseconds.
    fn ticks(missed: Missed) -> Vec<(u128, u128, u64)> {
        let (mut hub, kernel) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let cron = hub.every_with(ms(200), missed, move |hub, tick| {
            let millis = |time: Time| time.since(Time::ZERO).as_millis();
            assert_eq!(hub.now().since(tick.due), tick.late);
            inner.add((millis(hub.now()), millis(tick.due), tick.missed));
            if tick.number == 1 {
                // The next nap ends at 900 instead of 400.
                kernel.oversleep(ms(500));
            }
            Ok(())
        });
        let _ = hub.wait(Wait::until(Time::ZERO + ms(1150))).unwrap();
        hub.kill(cron);
        hub.run().unwrap();
        notes.take()
    }

    #[test]
    fn cron_keeps_its_phase_and_skips_what_it_missed() {
        let wanted = [(200, 200, 0), (900, 400, 2), (1000, 1000, 0)];
        assert_eq!(ticks(Missed::Skip), wanted);
    }

    #[test]
    fn cron_that_bursts_runs_what_it_missed() {
        let late = [(900, 400, 0), (900, 600, 0), (900, 800, 0)];
        let mut wanted = vec![(200, 200, 0)];
        wanted.extend(late);
        wanted.push((1000, 1000, 0));
        assert_eq!(ticks(Missed::Burst), wanted);
    }

    #[test]
    fn cron_that_delays_starts_a_new_phase() {
        let wanted = [(200, 200, 0), (900, 400, 2), (1100, 1100, 0)];
        assert_eq!(ticks(Missed::Delay), wanted);
    }

    #[test]
    fn work_within_a_tick_does_not_move_the_phase() {
        let (mut hub, kernel) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        hub.every(ms(100), move |hub, tick| {
            inner.add(tick.due.since(Time::ZERO).as_millis());
            kernel.pass(ms(30));
            assert_eq!(hub.now().since(tick.due), tick.late);
            Ok(())
        });
        let _ = hub.wait(Wait::until(Time::ZERO + ms(550))).unwrap();
        assert_eq!(notes.take(), [100, 200, 300, 400, 500]);
    }

    #[test]
    fn an_error_ends_cron_and_is_told_to_the_hook() {
        let (mut hub, _) = clockwork();
        let failures = failures(&mut hub);
        let cron = hub.every(ms(10), |_hub, tick| match tick.number {
            3 => Err(Error::new(ErrorKind::Config, "on purpose")),
            _ => Ok(()),
        });
        hub.run().unwrap();
        assert!(hub.is_ended(cron));
        let told = failures.take();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].error.to_string(), "on purpose");
        assert!(told[0].spawned_at.file().ends_with("hub.rs"));
        assert_eq!(hub.now().since(Time::ZERO).as_millis(), 30);
    }

    #[test]
    fn a_killed_cron_ticks_no_more() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let cron = hub.every(ms(10), move |_hub, tick| {
            inner.add(tick.number);
            Ok(())
        });
        hub.sleep(ms(25)).unwrap();
        hub.kill(cron);
        hub.sleep(ms(25)).unwrap();
        assert_eq!(notes.take(), [1, 2]);
        assert_eq!(hub.timers_armed(), 0);
    }

    #[test]
    fn a_period_of_nothing_counts_as_a_millisecond() {
        let (mut hub, _) = clockwork();
        let notes = Notes::new();
        let inner = notes.clone();
        let cron = hub.every(Duration::ZERO, move |_hub, tick| {
            inner.add(tick.number);
            Ok(())
        });
        hub.sleep(Duration::from_micros(10_500)).unwrap();
        hub.kill(cron);
        assert_eq!(notes.len(), 10);
    }
}

/// What comes from outside: other threads, and the kernel's moods.
mod outside {
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
            // Most likely the hub is in its poll by then; if it is not, the notify ends the next one.
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
        // One that sleeps, and one more where the kernel's milliseconds and the wheel's ticks do not meet.
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
    fn until_gives_a_condition_time_to_come_true() {
        let mut calls = 0;
        until(|| {
            calls += 1;
            calls == 3
        });
        assert_eq!(calls, 3);
    }
}
