//! What comes for somebody who does not wait any more, and what connections are called: the hub's side of `conn/cancel.rs`.

use super::{Hub, Result, Wait};
use crate::conn::{Late, Said};
use crate::driver::Endpoint;
use crate::token::Key;
use std::cell::RefCell;
use std::panic::Location;
use std::rc::Rc;

/// What is called with an element that came too late, and where it was set.
pub(super) struct LateHook {
    call: Rc<RefCell<Call>>,
    set_at: &'static Location<'static>,
}

type Call = dyn FnMut(&mut Hub, Late) -> Result<()>;

impl Hub {
    /// Sets what gets the late elements of a pool.
    pub(crate) fn on_late(
        &mut self,
        pool: Key,
        hook: impl FnMut(&mut Hub, Late) -> Result<()> + 'static,
        set_at: &'static Location<'static>,
    ) {
        let call = Rc::new(RefCell::new(hook));
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
            let (call, set_at) = (Rc::clone(&hook.call), hook.set_at);
            let mut late = Some(late);
            let task = self.spawn_at(
                move |hub: &mut Hub, _| {
                    if let Some(late) = late.take() {
                        (call.borrow_mut())(hub, late)?;
                    }
                    Ok(Wait::done())
                },
                set_at,
            );
            self.detach(task);
        }
    }

    /// Makes turns until everything is over that was given up and is being taken back: pops of killed tasks, and elements that
    /// go back. Then nothing is lost when the program ends. It takes a round trip or two; with a server that does not answer,
    /// [`cancel_timeout`](crate::Config::cancel_timeout).
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
        while self.clients.takes_back() {
            self.turn()?;
        }
        Ok(())
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
