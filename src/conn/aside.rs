//! Questions of our own, put on the shared connection between those of the program: the id of a connection, the end of a
//! wait, and elements that go back.

use super::cancel::{Ids, Said};
use super::clients::{Ask, Clients, Expect};
use super::command::{Command, Lane};
use super::late::{Late, Undo};
use super::request::{GivenUp, Progress, Reply, Request, Ticket, allowance};
use crate::driver::Socket;
use crate::error::Result;
use crate::resp::Value;
use crate::timers::Timers;
use crate::token::Key;
use log::{error, warn};

/// What was asked, and for whom.
#[derive(Debug)]
pub(super) enum Aside {
    /// Who is connected to the server.
    List,
    /// The end of what this connection waits for.
    Unblock(Key),
    /// To take an element back.
    GiveBack(Late),
}

/// Connections whose ids are wanted, and where to look for them.
#[derive(Debug)]
pub(crate) struct Naming {
    pub(crate) ids: Ids,
    pub(crate) conns: Vec<(Key, Socket)>,
}

/// An element is offered so often to a server that was not reached.
const OFFERS_MAX: u8 = 5;

impl Said {
    fn of(result: &Result<Reply>) -> Said {
        match result {
            Ok(reply) if *reply.value() == Value::Int(1) => Said::Unblocked,
            Ok(_) => Said::NotBlocked,
            Err(error) if error.maybe_executed() => Said::Lost,
            Err(error) => match error.code() {
                Some("ERR" | "NOPERM" | "NOAUTH") => Said::Refused,
                _ => Said::NotNow,
            },
        }
    }
}

impl Clients {
    /// Asks something aside.
    pub(super) fn ask_aside(
        &mut self,
        pool_key: Key,
        aside: Aside,
        command: Command,
        timers: &mut Timers,
    ) {
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return;
        };
        pool.give_backs += usize::from(matches!(aside, Aside::GiveBack(_)));
        let request = Request {
            task: self.nobody,
            pool: pool_key,
            undo: None,
            again: false,
            given_up: GivenUp::No,
            since: timers.now(),
            allowance: allowance(match aside {
                Aside::GiveBack(_) => pool.config.command_timeout,
                _ => pool.config.cancel_timeout,
            }),
            progress: Progress::Waiting,
        };
        let ask = Ask {
            bytes: command.into_outbox(),
            replies: Expect::One,
            lane: Lane::Shared,
            undo: Undo::Nothing,
            again: false,
        };
        if let Ok(ticket) = self.submit_shared(pool_key, request, ask, timers) {
            self.work.pending += 1;
            self.asides.insert(ticket.0.to_usize(), aside);
        }
    }

    /// A request has ended for which no task waits: one of ours, or one that was given up.
    pub(crate) fn nobody_waits(&mut self, ticket: Ticket, timers: &mut Timers) {
        let Some(aside) = self.asides.remove(&ticket.0.to_usize()) else {
            return self.forsaken(ticket);
        };
        let Some(request) = self.work.requests.remove(ticket.0) else {
            return;
        };
        let pool_key = request.pool;
        let Some(result) = request.into_result() else {
            return;
        };
        match aside {
            Aside::List => self.listed(pool_key, result, timers),
            Aside::Unblock(conn) => {
                let said = Said::of(&result);
                self.tell_refusal(pool_key, said, &result);
                let conn_entry = self.conns.get_mut(conn);
                let cancel = conn_entry.and_then(|it| it.cancel.as_mut());
                if let Some(next) = cancel.map(|it| it.replied(said)) {
                    self.go_on(conn, next, timers);
                }
            }
            Aside::GiveBack(late) => self.given_back(late, result, timers),
        }
    }

    /// Whatever came for somebody who does not wait any more.
    pub(super) fn forsaken(&mut self, ticket: Ticket) {
        let Some(request) = self.work.requests.remove(ticket.0) else {
            return;
        };
        let (pool, undo) = (request.pool, request.undo);
        if let (Some(undo), Some(Ok(reply))) = (undo, request.into_result()) {
            if !reply.is_none() {
                // One that was answered before it was given up has not been counted.
                if let (false, Some(pool)) = (reply.is_late(), self.pools.get_mut(pool)) {
                    pool.late += 1;
                }
                let reply = reply.into_value();
                let tries = 0;
                self.late.push(Late {
                    pool,
                    undo,
                    reply,
                    tries,
                });
            }
        }
    }

    /// The elements for whom nobody waits any more.
    pub(crate) fn take_late(&mut self) -> Vec<Late> {
        std::mem::take(&mut self.late)
    }

    /// Puts an element back where it came from, if it was taken away.
    pub(crate) fn give_back(&mut self, late: Late, timers: &mut Timers) {
        if let Some(command) = late.give_back() {
            self.ask_aside(late.pool, Aside::GiveBack(late), command, timers);
        }
    }

    fn given_back(&mut self, mut late: Late, result: Result<Reply>, timers: &mut Timers) {
        let Some(pool) = self.pools.get_mut(late.pool) else {
            return;
        };
        pool.give_backs -= 1;
        let error = match result {
            Ok(_) => {
                pool.given_back += 1;
                return;
            }
            Err(error) => error,
        };
        late.tries += 1;
        if !error.maybe_executed() && late.tries < OFFERS_MAX {
            return self.give_back(late, timers);
        }
        pool.unknown += 1;
        error!(
            "{}: an element could not be put back: {error}",
            pool.address
        );
    }

    /// The id of a connection is wanted.
    pub(super) fn want_name(&mut self, key: Key, timers: &mut Timers) {
        let Some((conn, pool, _)) = self.parts(key) else {
            return;
        };
        let pool_key = conn.pool;
        pool.unnamed.push(key);
        if !pool.lists {
            pool.lists = true;
            let list = Command::new("CLIENT").arg("LIST");
            self.ask_aside(pool_key, Aside::List, list, timers);
        }
    }

    /// The server has told who is connected, or has not. The hub knows the addresses of our ends: it goes on with
    /// [`next_naming`](Clients::next_naming).
    fn listed(&mut self, pool_key: Key, result: Result<Reply>, timers: &mut Timers) {
        let said = Said::of(&result);
        self.tell_refusal(pool_key, said, &result);
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return;
        };
        pool.lists = false;
        let unnamed = std::mem::take(&mut pool.unnamed);
        let Ok(reply) = result else {
            for key in unnamed {
                self.not_named(key, said, timers);
            }
            return;
        };
        let ids = Ids::read(reply.value().as_bytes().unwrap_or_default());
        // All of them: who gives up one pop will give up others.
        let conns = self.conns.iter().filter_map(|(key, conn)| {
            let nameless = conn.cancel.as_ref().is_none_or(|it| it.id().is_none());
            let ours = conn.pool == pool_key && !conn.is_shared();
            (ours && nameless).then_some((key, conn.socket?))
        });
        let conns = conns.collect();
        self.namings.push(Naming { ids, conns });
    }

    /// Connections whose addresses are to be compared with a list.
    pub(crate) fn next_naming(&mut self) -> Option<Naming> {
        self.namings.pop()
    }

    /// The id of a connection is known.
    pub(crate) fn named(&mut self, key: Key, id: u64, timers: &mut Timers) {
        let Some(conn) = self.conns.get_mut(key) else {
            return;
        };
        let next = conn.cancel.get_or_insert_default().named(id);
        self.go_on(key, next, timers);
    }

    /// A connection does not stand in the list, or there is none.
    pub(crate) fn not_named(&mut self, key: Key, said: Said, timers: &mut Timers) {
        let conn = self.conns.get_mut(key);
        let cancel = conn.and_then(|conn| conn.cancel.as_mut());
        if let Some(next) = cancel.map(|it| it.not_named(said)) {
            self.go_on(key, next, timers);
        }
    }

    /// Without the right to do it nothing can be taken back: that is said once.
    fn tell_refusal(&mut self, pool: Key, said: Said, result: &Result<Reply>) {
        let (Some(pool), Err(error)) = (self.pools.get_mut(pool), result) else {
            return;
        };
        if said == Said::Refused && !pool.told_refusal {
            pool.told_refusal = true;
            let server = &pool.address;
            warn!(
                "{server} refuses to take back blocking commands, and elements may be lost: {error}"
            );
        }
    }
}
