//! What comes for somebody who does not wait any more, and what connections are called: the hub's side of `conn/cancel.rs`.

use super::{Call, Hub, LateHook, Result, Wait};
use crate::conn::{Late, Said};
use crate::driver::Endpoint;
use crate::token::Key;
use std::panic::Location;

impl Hub {
    /// Sets what gets the late elements of a pool.
    pub(crate) fn on_late(
        &mut self,
        pool: Key,
        hook: impl FnMut(&mut Hub, Late) -> Result<()> + 'static,
        set_at: &'static Location<'static>,
    ) {
        let call: Option<Box<Call>> = Some(Box::new(hook));
        self.late_hooks
            .insert(pool.to_usize(), LateHook { call, set_at });
    }

    /// Gives late elements to who asked for them, in a task of its own, or back.
    pub(super) fn hand_out_late(&mut self) {
        for late in self.clients.take_late() {
            let Some(hook) = self.late_hooks.get(&late.pool.to_usize()) else {
                self.clients.give_back(late, &mut self.timers);
                continue;
            };
            let tell = |hub: &mut Hub, _| hub.tell_late().map(|()| Wait::done());
            let task = self.spawn_at(tell, hook.set_at);
            self.clients.lend(late.pool);
            self.late_told.insert(task.0.to_usize(), late);
            self.detach(task);
        }
    }

    /// Calls the hook. The element is the task's until the hook has taken it.
    fn tell_late(&mut self) -> Result<()> {
        let task = self.running.map_or(0, Key::to_usize);
        let Some(late) = self.late_told.get(&task).cloned() else {
            return Ok(());
        };
        let pool = late.pool.to_usize();
        let hook = self.late_hooks.get_mut(&pool);
        let Some(mut call) = hook.and_then(|hook| hook.call.take()) else {
            // It has panicked.
            return Ok(());
        };
        let result = call(self, late);
        if let Some(hook) = self.late_hooks.get_mut(&pool) {
            hook.call.get_or_insert(call);
        }
        if result.is_ok() {
            if let Some(late) = self.late_told.remove(&task) {
                self.clients.lent_is_over(late.pool);
            }
        }
        result
    }

    /// A task has ended. An element that it was to tell of, and has not, goes back.
    pub(super) fn leave_late(&mut self, task: Key) {
        if let Some(late) = self.late_told.remove(&task.to_usize()) {
            self.clients.lent_is_over(late.pool);
            self.clients.give_back(late, &mut self.timers);
        }
    }

    /// Makes turns until everything is over that was given up and is being taken back: pops of killed tasks, and elements that
    /// go back or to [`on_late`](crate::Redis::on_late). Then nothing is lost when the program ends. It takes a round trip or
    /// two; with a server that does not answer, [`cancel_timeout`](crate::Config::cancel_timeout). Elements that a server
    /// does not take now are offered again for [`command_timeout`](crate::Config::command_timeout); those that are left are
    /// logged as errors and counted in [`PoolStats::unknown`](crate::PoolStats::unknown).
    ///
    /// ```no_run
    /// # use greenroom::{Hub, Redis, Timeout};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// # let worker = hub.spawn(move |hub, _| redis.brpop(hub, "jobs", Timeout::Forever));
    /// hub.kill(worker);
    /// hub.drain()?; // an element that was on its way stands in the list again
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Hub::run).
    pub fn drain(&mut self) -> Result<()> {
        self.enter("drain")?;
        self.clients.begin_last_offers(&self.timers);
        let mut result = Ok(());
        while self.clients.takes_back() && result.is_ok() {
            result = self.turn();
        }
        self.clients.end_last_offers();
        result
    }

    /// Finds connections in a list of the server's clients, by the addresses of both ends.
    pub(super) fn name_connections(&mut self) {
        while let Some(naming) = self.clients.next_naming() {
            for (conn, socket) in naming.conns {
                let ends = (self.driver.local(socket), self.driver.peer(socket));
                let id = match ends {
                    (Ok(Endpoint::Tcp(local)), Ok(Endpoint::Tcp(peer))) => {
                        naming.ids.find(local, peer)
                    }
                    _ => None,
                };
                let timers = &mut self.timers;
                match id {
                    Some(id) => self.clients.named(conn, id, timers),
                    None => self.clients.not_named(conn, Said::NotBlocked, timers),
                }
            }
        }
    }
}
