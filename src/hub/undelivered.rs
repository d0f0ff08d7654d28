//! Elements that no task claims: to the program's hook, or back where they came from.

use super::{Hub, Result, UndeliveredCall, UndeliveredHook, Wait};
use crate::client::Undelivered;
use crate::token::Key;
use std::panic::Location;

impl Hub {
    /// Sets the hook for the undelivered elements of a client.
    pub(crate) fn on_undelivered(
        &mut self,
        client: Key,
        hook: impl FnMut(&mut Hub, Undelivered) -> Result<()> + 'static,
        set_at: &'static Location<'static>,
    ) {
        let call: Option<Box<UndeliveredCall>> = Some(Box::new(hook));
        let hook = UndeliveredHook { call, set_at };
        self.undelivered_hooks.insert(client.to_usize(), hook);
    }

    /// Gives undelivered elements to their hooks, each in a task of its own, or back.
    pub(super) fn deliver_undelivered(&mut self) {
        for element in self.clients.take_undelivered() {
            let client = element.client;
            let Some(hook) = self.undelivered_hooks.get(&client.to_usize()) else {
                self.clients.requeue(element, &mut self.timers);
                continue;
            };
            let call = |hub: &mut Hub, _| hub.call_undelivered_hook().map(|()| Wait::done());
            let task = self.spawn_at(call, hook.set_at);
            self.clients.hold_undelivered(client);
            self.undelivered_in_hook.insert(task.0.to_usize(), element);
            self.detach(task);
        }
    }

    /// Calls the hook. The element is the task's until the hook has taken it.
    fn call_undelivered_hook(&mut self) -> Result<()> {
        let task = self.running.map_or(0, Key::to_usize);
        let Some(element) = self.undelivered_in_hook.get(&task).cloned() else {
            return Ok(());
        };
        let client = element.client.to_usize();
        let hook = self.undelivered_hooks.get_mut(&client);
        let Some(mut call) = hook.and_then(|hook| hook.call.take()) else {
            // It has panicked.
            return Ok(());
        };
        let result = call(self, element);
        if let Some(hook) = self.undelivered_hooks.get_mut(&client) {
            hook.call.get_or_insert(call);
        }
        if result.is_ok() {
            if let Some(element) = self.undelivered_in_hook.remove(&task) {
                self.clients.release_undelivered(element.client);
            }
        }
        result
    }

    /// A task has ended. An element that its hook has not taken goes back.
    pub(super) fn return_undelivered(&mut self, task: Key) {
        if let Some(element) = self.undelivered_in_hook.remove(&task.to_usize()) {
            self.clients.release_undelivered(element.client);
            self.clients.requeue(element, &mut self.timers);
        }
    }

    /// Makes turns until everything that is being cancelled has ended: pops of killed tasks, and elements that go back or to
    /// [`on_undelivered`](crate::Redis::on_undelivered). Then nothing is lost when the program ends. It takes a round trip or
    /// two; with a server that does not answer, [`cancel_timeout`](crate::Config::cancel_timeout). Elements that a server
    /// does not take now are offered again for [`command_timeout`](crate::Config::command_timeout); those that are left are
    /// logged as errors and counted in [`PoolStats::indeterminate`](crate::PoolStats::indeterminate).
    ///
    /// ```no_run
    /// # use greenroom::{Hub, Redis, Timeout};
    /// # let mut hub = Hub::new()?;
    /// # let redis = Redis::open(&mut hub, "redis://127.0.0.1:6379")?;
    /// # let worker = hub.spawn(move |hub, _| redis.brpop(hub, "jobs", Timeout::Forever));
    /// hub.kill(worker);
    /// hub.drain()?; // an element that was on its way is in the list again
    /// # Ok::<(), greenroom::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Hub::run).
    pub fn drain(&mut self) -> Result<()> {
        self.enter("drain")?;
        self.clients.limit_requeues(&mut self.timers);
        let mut result = Ok(());
        while self.clients.is_draining() && result.is_ok() {
            result = self.turn();
        }
        self.clients.unlimit_requeues();
        result
    }
}
