//! Who tells, and when. Every call stands behind a look at `is_observed`, so that none of this is in the way of a hub that nobody observes.

use super::{Answer, Awaits, By, ConnId, Ending, Event, Observer, Sleeps, Whose};
use crate::client::{AnswerKind, ClientEvent, CommandName, Submission};
use crate::error::Result;
use crate::hub::task::{Event as WaitEvent, Wake};
use crate::hub::{Hub, TaskId, Tick};
use crate::time::Time;
use crate::token::{Key, Owner};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The calls of programs.
impl Hub {
    /// Tells `observer` of everything that happens from now on. Who observes already is told before it.
    ///
    /// An observer has no hub, and must not get at one: it looks, and runs in the middle of a turn, which it makes longer. What it
    /// has seen it shares with the program as things are shared within one thread:
    ///
    /// ```
    /// use greenroom::observe::Event;
    /// use greenroom::{Hub, ms};
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let mut hub = Hub::new()?;
    /// let turns = Rc::new(Cell::new(0));
    /// let counted = Rc::clone(&turns);
    /// hub.observe(move |_at: greenroom::Time, event: &Event<'_>| {
    ///     if let Event::TurnEnded { .. } = event {
    ///         counted.set(counted.get() + 1);
    ///     }
    /// });
    /// hub.sleep(ms(2))?;
    /// hub.stop_observing();
    /// assert_eq!(turns.get(), hub.stats().turns);
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    pub fn observe(&mut self, observer: impl Observer + 'static) {
        if self.observers.is_empty() {
            self.clients.record_events(true);
        }
        self.observers.push(Box::new(observer));
        self.is_observed = true;
    }

    /// Drops all observers. They are told of nothing any more, not even of what led up to this.
    pub fn stop_observing(&mut self) {
        self.observers.clear();
        self.clients.record_events(false);
        self.is_observed = self.is_simulated;
    }
}

impl Hub {
    /// Tells of something that a task or a timer does.
    #[cold]
    #[inline(never)]
    pub(in crate::hub) fn tell(&mut self, event: &Event<'_>) {
        if self.is_simulated {
            self.driver.note(format_args!("{event}"));
        }
        self.tell_seen();
        self.pass_on(event);
    }

    fn pass_on(&mut self, event: &Event<'_>) {
        let at = self.now();
        for observer in &mut self.observers {
            if catch_unwind(AssertUnwindSafe(|| observer.event(at, event))).is_err() {
                log::error!("an observer panicked at this: {event}");
            }
        }
    }

    /// Tells of what happened to connections since.
    fn tell_seen(&mut self) {
        if self.observers.is_empty() {
            return;
        }
        let mut list = self.clients.take_events();
        for seen in &list {
            self.pass_on(&event_of(seen));
        }
        list.clear();
        self.clients.put_events(list);
    }

    /// Before phase 2. The clock is read for it, since main may have taken its time.
    #[inline]
    pub(in crate::hub) fn tell_sleep(&mut self, timeout: Option<Duration>) {
        if self.observers.is_empty() {
            return;
        }
        self.tell_seen();
        let sleeps = match timeout {
            None => Sleeps::UntilEvent,
            Some(Duration::ZERO) => Sleeps::NotAtAll,
            Some(timeout) => Sleeps::UntilTimer(timeout),
        };
        let turn = self.stats.turns + 1;
        self.pass_on(&Event::Polls { turn, sleeps });
    }

    /// Before phase 4.
    #[inline]
    pub(in crate::hub) fn tell_turn(&mut self) {
        if !self.observers.is_empty() {
            self.resumed_before = self.stats.resumptions;
            let (turn, events) = (self.stats.turns, self.events.len());
            self.pass_on(&Event::TurnBegan { turn, events });
        }
    }

    /// After phase 7. What is left to be told belongs to the turn; its end has a time of its own.
    #[inline]
    pub(in crate::hub) fn tell_turn_end(&mut self) {
        if self.observers.is_empty() {
            return;
        }
        self.tell_seen();
        self.in_turn = false;
        let turn = self.stats.turns;
        let resumed = self.stats.resumptions - self.resumed_before;
        self.pass_on(&Event::TurnEnded { turn, resumed });
    }

    #[cold]
    pub(in crate::hub) fn tell_wait(&mut self, task: Key, event: WaitEvent, until: Option<Time>) {
        let what = match event {
            WaitEvent::Sleep(_) => Awaits::Sleep,
            WaitEvent::Notify => Awaits::Notify,
            WaitEvent::Reply(ticket) => Awaits::Reply(ticket),
            WaitEvent::Stream(stream, _) => Awaits::Stream(stream),
            WaitEvent::Accept(listener) => Awaits::Accept(listener),
            WaitEvent::Join(task) => Awaits::Join(task),
            WaitEvent::Done => return,
        };
        let task = TaskId(task);
        self.tell(&Event::Waits { task, what, until });
    }

    #[cold]
    pub(in crate::hub) fn tell_resumed(&mut self, task: Key, wake: &Wake) {
        let by = match wake {
            Wake::Start => By::Start,
            Wake::Reply(_) => By::Reply,
            Wake::Elapsed => By::Elapsed,
            Wake::Ready => By::Ready,
            Wake::Joined(_) => By::Joined,
            Wake::Notified => By::Notified,
            Wake::Deadline => By::Deadline,
            Wake::Killed => By::Killed,
        };
        let task = TaskId(task);
        self.tell(&Event::Resumed { task, by });
    }

    #[cold]
    pub(in crate::hub) fn tell_end(&mut self, task: Key, outcome: &Result<()>, panicked: bool) {
        let killed = self.tasks.get(task).is_some_and(|slot| slot.killed);
        let how = match outcome {
            Err(error) if panicked => Ending::Panicked(error),
            Err(error) => Ending::Failed(error),
            Ok(()) if killed => Ending::Killed,
            Ok(()) => Ending::Done,
        };
        let task = TaskId(task);
        self.tell(&Event::Ended { task, how });
    }

    #[cold]
    pub(in crate::hub) fn tell_asked(&mut self, task: Key, submission: &Submission) {
        let task = TaskId(task);
        let command = CommandName::of(submission.bytes.unsent());
        self.tell(&Event::Asked { task, command });
    }

    /// By the task that runs.
    pub(in crate::hub) fn tell_tick(&mut self, tick: Tick) {
        if let (true, Some(task)) = (self.is_observed, self.running.map(TaskId)) {
            self.tell(&Event::Ticked { task, tick });
        }
    }

    #[cold]
    pub(in crate::hub) fn tell_fired(&mut self, owner: Owner) {
        let whose = match owner {
            Owner::Task(key) => Whose::Task(TaskId(key)),
            Owner::Conn(key) => Whose::Conn(ConnId(key)),
            Owner::Pool(_) => Whose::Pool,
            Owner::Port(_) => Whose::Port,
        };
        self.tell(&Event::Fired { whose });
    }
}

/// What client/ has recorded, as programs are told of it.
fn event_of(seen: &ClientEvent) -> Event<'_> {
    let who = |task: Option<Key>| task.map(TaskId);
    match *seen {
        ClientEvent::Dialed(conn, number, shared, ref to) => Event::Dialed {
            conn,
            number,
            shared,
            to,
        },
        ClientEvent::Connected(conn) => Event::Connected { conn },
        ClientEvent::HandshakeStarted(conn) => Event::HandshakeStarted { conn },
        ClientEvent::Ready(conn) => Event::Ready { conn },
        ClientEvent::Sent(ref sent) => Event::Sent {
            conn: sent.conn,
            ticket: sent.ticket,
            task: who(sent.task),
            command: sent.command,
            commands: sent.commands,
            timeout: sent.timeout,
        },
        ClientEvent::Answered(ref it) => Event::Answered {
            conn: it.conn,
            ticket: it.ticket,
            task: who(it.task),
            answer: (&it.answer).into(),
            took: it.took,
        },
        ClientEvent::CancelRequested(conn, ticket, task, what) => Event::CancelRequested {
            conn,
            ticket,
            task: who(task),
            what,
        },
        ClientEvent::Idle(conn) => Event::Idle { conn },
        ClientEvent::NotConnected(conn, ref why) => Event::NotConnected { conn, why },
        ClientEvent::Closed(conn, ref why) => Event::Closed { conn, why },
    }
}

impl<'a> From<&'a AnswerKind> for Answer<'a> {
    fn from(heard: &'a AnswerKind) -> Answer<'a> {
        match heard {
            AnswerKind::Nil => Answer::Nil,
            AnswerKind::Value => Answer::Value,
            AnswerKind::Error(error) => Answer::Error(error),
            AnswerKind::Unwanted => Answer::Unwanted,
        }
    }
}
