//! What must be true of a hub between two turns.
//!
//! - Every wait ends exactly once: a task waits, or stands in the line once, or has ended; and what it waits for exists.
//! - No timer is lost, and none is held that is not armed.
//! - Tables and counters agree: see also the pools, connections and requests in `client/clients/check.rs`.

use super::Hub;
use super::task::Event;
use super::tasks::State;
use crate::client::ensure;
use crate::token::Key;
use std::collections::BTreeSet;

impl Hub {
    /// Compares everything with everything; see the source for what is compared. Hubs on a [simulated](Hub::simulated) kernel
    /// do so after every turn.
    ///
    /// # Errors
    ///
    /// The first thing that is not as it must be. That is a bug of this library.
    pub fn verify(&self) -> Result<(), String> {
        let mut held = self.clients.check(&self.timers)?;
        let mut in_line = 0;
        for (key, slot) in self.tasks.iter() {
            if let Some(timer) = slot.timer {
                ensure!(
                    self.timers.is_armed(timer),
                    "task {key:?} waits for no timer"
                );
                held += 1;
            }
            match slot.state {
                State::InLine => in_line += 1,
                State::Running => ensure!(key == self.main, "task {key:?} runs"),
                State::Waiting(event) => self.verify_wait(key, event, slot.timer.is_some())?,
            }
        }
        let armed = self.timers.len();
        ensure!(held == armed, "{armed} timers are armed, and {held} held");
        let is_alive = |task| self.tasks.get(task).is_some();
        let widow = self.clients.waiters().find(|&task| !is_alive(task));
        ensure!(
            widow.is_none(),
            "a reply is to come for {widow:?}, which has ended"
        );
        self.verify_line(in_line)?;
        let homes = self.arenas.len();
        let tasks = self.tasks.len() - 1;
        ensure!(homes == tasks, "{tasks} tasks have {homes} homes");
        Ok(())
    }

    /// What a task waits for exists, or a timer will end the wait.
    fn verify_wait(&self, key: Key, event: Event, has_timer: bool) -> Result<(), String> {
        match event {
            Event::Reply(ticket) => {
                // Another task may have been told since; then only a timer, a notify or a kill ends this wait.
                ensure!(
                    self.clients.has_request(ticket),
                    "task {key:?} waits for {ticket:?}, which is gone"
                );
            }
            Event::Sleep(_) => ensure!(has_timer, "task {key:?} sleeps for ever"),
            Event::Join(task) => {
                let told = self
                    .tasks
                    .get(task.0)
                    .and_then(|slot| slot.joiners.as_ref());
                let told = told.is_some_and(|joiners| joiners.contains(&key));
                ensure!(told, "task {key:?} will not be told of the end of {task:?}");
            }
            Event::Notify | Event::Stream(..) | Event::Accept(_) | Event::Done => {}
        }
        Ok(())
    }

    /// Every task that is ready stands in the line, once.
    fn verify_line(&self, in_line: usize) -> Result<(), String> {
        let line: BTreeSet<_> = self.tasks.line().map(Key::to_usize).collect();
        let places = self.tasks.in_line();
        ensure!(line.len() == places, "a task stands in the line twice");
        // One that has ended meanwhile leaves a stale key.
        let alive = self
            .tasks
            .line()
            .filter(|&key| self.tasks.get(key).is_some());
        let alive = alive.count();
        ensure!(
            alive == in_line,
            "{in_line} tasks are ready, and {alive} in the line"
        );
        Ok(())
    }
}
