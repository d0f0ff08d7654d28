//! Where each request is, and what each pool has: for people who look at a program that seems to stand still.

use super::clients::Clients;
use super::connection::State;
use super::pool::PoolStats;
use super::request::{Progress, Ticket};
use crate::address::Address;
use crate::token::Key;

/// Where a request is whose reply is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whereabouts {
    /// It waits for a connection of this pool.
    Waiting { pool: Key },
    /// A connection of its own has it. `number` says which dial of the pool that was.
    Own { pool: Key, number: u64 },
    /// The shared connection has it, which may still be being connected.
    Shared { pool: Key, ready: bool },
}

impl Clients {
    /// Where a request is; `None` when it has ended.
    pub(crate) fn whereabouts(&self, ticket: Ticket) -> Option<Whereabouts> {
        let request = self.work.requests.get(ticket.0)?;
        match request.progress {
            Progress::Done(_) | Progress::Cancelled => None,
            Progress::Waiting => Some(Whereabouts::Waiting { pool: request.pool }),
            Progress::Sent { conn, .. } => {
                let conn = self.conns.get(conn)?;
                let pool = conn.pool;
                Some(match conn.is_shared() {
                    true => Whereabouts::Shared {
                        pool,
                        ready: conn.state == State::Ready,
                    },
                    false => Whereabouts::Own {
                        pool,
                        number: conn.number,
                    },
                })
            }
        }
    }

    /// All pools.
    pub(crate) fn pools(&self) -> impl Iterator<Item = (Key, &Address, PoolStats)> {
        let pools = self.pools.iter();
        pools.map(|(key, pool)| (key, &pool.address, pool.stats()))
    }
}
