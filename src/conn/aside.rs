//! Questions of our own, put on the shared connection between those of the program: the id of a connection, the end of a
//! wait, and elements that go back (`giving_back.rs`).

use super::cancel::{Ids, Said};
use super::clients::{Ask, Clients};
use super::command::{Command, Lane};
use super::connection::State;
use super::control_types::{Aside, Naming};
use super::late::Undo;
use super::request::{Expect, GivenUp, Progress, Reply, Request, Ticket, allowance};
use crate::error::Result;
use crate::resp::Value;
use crate::timers::Timers;
use crate::token::Key;
use log::warn;

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
            Aside::Knock => self.opened(pool_key, &result, timers),
            Aside::Unblock(conn) => {
                let said = Said::of(&result);
                self.tell_refusal(pool_key, said, &result);
                self.unblock_replied(conn, said, timers);
            }
            Aside::GiveBack(late) => self.given_back(late, result, timers),
        }
    }

    /// Asks for the end of what a connection waits for.
    ///
    /// An id means something to the server that has given it, and to no other: one that has been started again gives
    /// the same ids to other clients. So this never waits for a connection. First one is made, and when that is
    /// answered, it is known by this connection's end whether its server is another one by now.
    pub(super) fn ask_unblock(&mut self, key: Key, id: u64, timers: &mut Timers) {
        let Some((conn, pool, _)) = self.parts(key) else {
            return;
        };
        let (pool_key, shared) = (conn.pool, pool.shared);
        if shared.and_then(|shared| self.state(shared)) == Some(State::Ready) {
            let unblock = Command::new("CLIENT").arg("UNBLOCK").arg(id);
            return self.ask_aside(pool_key, Aside::Unblock(key), unblock, timers);
        }
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return;
        };
        pool.at_the_door.push(key);
        if pool.at_the_door.len() == 1 {
            self.ask_aside(pool_key, Aside::Knock, Command::new("PING"), timers);
        }
    }

    /// The shared connection is there, or will not be.
    fn opened(&mut self, pool_key: Key, result: &Result<Reply>, timers: &mut Timers) {
        let Some(pool) = self.pools.get_mut(pool_key) else {
            return;
        };
        let said = Said::of(result);
        let is_there = result.is_ok() || said == Said::Refused;
        for key in std::mem::take(&mut pool.at_the_door) {
            let cancel = self.conns.get(key).and_then(|it| it.cancel.as_ref());
            match cancel.and_then(|it| it.asks()) {
                Some(id) if is_there => self.ask_unblock(key, id, timers),
                // It was answered meanwhile, or nothing was asked about it: no question can come too late.
                _ => self.unblock_replied(key, Said::NotNow, timers),
            }
        }
    }

    fn unblock_replied(&mut self, key: Key, said: Said, timers: &mut Timers) {
        let conn = self.conns.get_mut(key);
        let cancel = conn.and_then(|conn| conn.cancel.as_mut());
        if let Some(next) = cancel.map(|it| it.replied(said)) {
            self.go_on(key, next, timers);
        }
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
